//! What is computed, by whom, in which steps.

use std::fmt;

use crate::isa::Type;

/// Self-attention of `batch` sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attention {
    /// Sequences.
    pub batch: u32,
    /// Query heads.
    pub heads: u32,
    /// Key-value heads.
    pub kv_heads: u32,
    /// Tokens a sequence.
    pub seq: u32,
    /// Width of a head.
    pub dim: u32,
    /// Type of Q, K, V and O.
    pub ty: Type,
    /// Whether a token sees only itself and earlier ones.
    pub causal: bool,
}

/// Attention of one new token of each of `batch` sequences over its cache.
///
/// Query heads that share a key-value head are rows of one tile, so Q and O are \[batch, key-value head, row, width\] with
/// rows padded to 16 ([`Decode::rows`]); K and V are whole blocks of 128 tokens, as paged caches hold them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decode {
    /// Sequences.
    pub batch: u32,
    /// Query heads.
    pub heads: u32,
    /// Key-value heads.
    pub kv_heads: u32,
    /// Cached tokens a sequence.
    pub kv_len: u32,
    /// Width of a head.
    pub dim: u32,
    /// Type of Q, K, V and O.
    pub ty: Type,
}

/// Columns that a mask hides part of: the last block of keys.
pub(super) const BLOCK: u32 = 128;

/// What both kinds come down to: rows of queries of a head against the keys of its key-value head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Work {
    pub(super) batch: u32,
    pub(super) heads: u32,
    pub(super) kv_heads: u32,
    /// Rows of Q a head and sequence.
    pub(super) queries: u32,
    /// Rows of K and V a head and sequence, whole blocks.
    pub(super) keys: u32,
    pub(super) dim: u32,
    pub(super) ty: Type,
    pub(super) mask: Mask,
}

/// What hides part of the last block of a task's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mask {
    None,
    /// Keys after the query, which lie in its own block; later blocks are left out.
    Causal,
    /// Keys after the last cached token.
    Tail,
}

/// Sizes of the tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttentionTiling {
    /// Query rows of a task.
    pub rows: u32,
    /// Keys of a step.
    pub keys: u32,
    /// Rows that a vector core works on at once.
    pub piece: u32,
    /// Parts that the keys of a task are split into, for different groups; vector cores merge them.
    pub parts: u32,
}

impl AttentionTiling {
    /// All rows that share a key-value head at once, half of them a vector core; a cache is split where sequences and heads
    /// leave groups idle.
    pub fn decode(problem: &Decode, groups: u32) -> Self {
        let (rows, keys) = (problem.rows(), 512);
        let piece = [32, 24, 16, 8].into_iter().find(|piece| (rows / 2).is_multiple_of(*piece)).unwrap_or(8);
        let idle = groups / (problem.batch * problem.kv_heads).max(1);
        let parts = idle.min(problem.cached_rows().div_ceil(keys)).max(1);
        Self { rows, keys, piece, parts }
    }
}

impl Default for AttentionTiling {
    /// 128 rows and 512 keys: scores of half a task take 2 · 64 KiB of UB in pieces of 32 rows.
    fn default() -> Self {
        Self { rows: 128, keys: 512, piece: 32, parts: 1 }
    }
}

/// Query rows of one head of one sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) batch: u32,
    pub(super) head: u32,
    pub(super) first: u32,
    /// Which part of the keys.
    pub(super) part: u32,
}

/// One block of keys of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) task: Task,
    /// First key and number of keys.
    pub(super) first: u32,
    pub(super) keys: u32,
    /// Whether a mask hides part of the last block of keys.
    pub(super) masked: bool,
    pub(super) begins: bool,
    pub(super) ends: bool,
}

/// Addresses in GM.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    pub(super) q: u64,
    pub(super) k: u64,
    pub(super) v: u64,
    pub(super) mask: u64,
    pub(super) out: u64,
    pub(super) scores: u64,
    pub(super) weights: u64,
    pub(super) partial: u64,
    /// Maximum, sum and unscaled output of each part of each task.
    pub(super) parts: u64,
}

impl Attention {
    /// Operations that count: 4·d a pair of query and key, causal pairs only.
    pub fn flops(&self) -> f64 {
        let s = f64::from(self.seq);
        let pairs = if self.causal { s * (s + 1.0) / 2.0 } else { s * s };
        4.0 * f64::from(self.dim) * pairs * f64::from(self.batch) * f64::from(self.heads)
    }

    /// Bytes of Q, K, V and O.
    pub fn footprint(&self) -> f64 {
        let tokens = f64::from(self.batch) * f64::from(self.seq) * f64::from(self.dim);
        tokens * f64::from(2 * self.heads + 2 * self.kv_heads) * f64::from(self.ty.bits()) / 8.0
    }

    pub(super) fn work(&self) -> Work {
        let Self { batch, heads, kv_heads, seq, dim, ty, causal } = *self;
        let mask = if causal { Mask::Causal } else { Mask::None };
        Work { batch, heads, kv_heads, queries: seq, keys: seq, dim, ty, mask }
    }
}

impl Decode {
    /// Rows of Q and O a key-value head.
    pub fn rows(&self) -> u32 {
        (self.heads / self.kv_heads.max(1)).next_multiple_of(16)
    }

    /// Rows of K and V a sequence and head.
    pub fn cached_rows(&self) -> u32 {
        self.kv_len.next_multiple_of(BLOCK)
    }

    /// Operations that count: 4·d a pair of query head and cached token.
    pub fn flops(&self) -> f64 {
        4.0 * f64::from(self.dim) * f64::from(self.batch) * f64::from(self.heads) * f64::from(self.kv_len)
    }

    /// Bytes of K and V, and of Q and O as laid out.
    pub fn footprint(&self) -> f64 {
        let rows = f64::from(2 * self.cached_rows() + 2 * self.rows());
        f64::from(self.batch * self.kv_heads) * f64::from(self.dim) * rows * f64::from(self.ty.bits()) / 8.0
    }

    pub(super) fn work(&self) -> Work {
        let Self { batch, kv_heads, kv_len, dim, ty, .. } = *self;
        let mask = if kv_len.is_multiple_of(BLOCK) { Mask::None } else { Mask::Tail };
        let (queries, keys) = (self.rows(), self.cached_rows());
        Work { batch, heads: kv_heads, kv_heads, queries, keys, dim, ty, mask }
    }
}

impl Work {
    pub(super) fn tasks(&self, tiling: &AttentionTiling) -> u32 {
        self.batch * self.heads * self.queries.div_ceil(tiling.rows) * tiling.parts
    }

    /// Bytes of what a part leaves: fp32 maximum and sum of each row, and its output.
    pub(super) fn part_bytes(&self, tiling: &AttentionTiling) -> u64 {
        u64::from(tiling.rows) * u64::from(self.dim + 2) * 4
    }

    /// Where a part of a task leaves it, from the start of the workspace.
    pub(super) fn part(&self, tiling: &AttentionTiling, task: &Task, part: u32) -> u64 {
        let head = task.batch * self.heads + task.head;
        let tile = head * self.queries.div_ceil(tiling.rows) + task.first / tiling.rows;
        u64::from(tile * tiling.parts + part) * self.part_bytes(tiling)
    }

    /// Element offset of a row of queries or outputs, \[batch, head, row, width\].
    pub(super) fn query(&self, task: &Task, row: u32) -> u64 {
        let head = u64::from(task.batch * self.heads + task.head);
        (head * u64::from(self.queries) + u64::from(task.first + row)) * u64::from(self.dim)
    }

    /// Element offset of a row of keys or values, \[batch, key-value head, token, width\].
    pub(super) fn key(&self, task: &Task, token: u32) -> u64 {
        let head = u64::from(task.batch * self.kv_heads + task.head / (self.heads / self.kv_heads));
        (head * u64::from(self.keys) + u64::from(token)) * u64::from(self.dim)
    }
}

impl fmt::Display for Decode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { batch, heads, kv_heads, kv_len, dim, ty } = self;
        write!(f, "decode attention b{batch} h{heads}/{kv_heads} kv{kv_len} d{dim} {}", ty.name())
    }
}

impl fmt::Display for Attention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { batch, heads, kv_heads, seq, dim, .. } = self;
        write!(f, "attention b{batch} h{heads}/{kv_heads} s{seq} d{dim} {}", self.ty.name())
    }
}

impl Places {
    /// The same with the workspaces of one group.
    pub(super) fn of_group(mut self, problem: &Work, tiling: &AttentionTiling, group: u32) -> Self {
        let tile = u64::from(tiling.rows) * u64::from(tiling.keys);
        let group = 2 * u64::from(group);
        self.scores += group * tile * 4;
        self.weights += group * tile * u64::from(problem.ty.bits() / 8);
        self.partial += group * u64::from(tiling.rows) * u64::from(problem.dim) * 4;
        self
    }
}

/// Tasks of each group: longest first, dealt there and back, so that no group has all the long ones.
pub(super) fn deal(problem: &Work, tiling: &AttentionTiling, groups: u32) -> Vec<Vec<Task>> {
    let mut dealt = vec![Vec::new(); groups as usize];
    let mut index = 0;
    for block in (0..problem.queries.div_ceil(tiling.rows)).rev() {
        for batch in 0..problem.batch {
            for head in 0..problem.heads {
                for part in 0..tiling.parts {
                    let (round, place) = (index / groups, index % groups);
                    let group = if round % 2 == 0 { place } else { groups - 1 - place };
                    dealt[group as usize].push(Task { batch, head, first: block * tiling.rows, part });
                    index += 1;
                }
            }
        }
    }
    dealt
}

pub(super) fn steps(problem: &Work, tiling: &AttentionTiling, task: Task) -> Vec<Step> {
    let all = if problem.mask == Mask::Causal { task.first + tiling.rows } else { problem.keys };
    let share = all.div_ceil(tiling.keys).div_ceil(tiling.parts) * tiling.keys;
    let begin = (task.part * share).min(all);
    let end = (begin + share).min(all);
    let firsts = (begin..end).step_by(tiling.keys as usize);
    firsts
        .map(|first| {
            let keys = tiling.keys.min(end - first);
            let masked = first + keys == all && problem.mask != Mask::None;
            Step { task, first, keys, masked, begins: first == begin, ends: first + keys == end }
        })
        .collect()
}

/// Cross-core flags of a group.
pub(super) mod flag {
    /// Scores are in GM.
    pub(in super::super) const SCORES: u8 = 0;
    /// Weights are in GM.
    pub(in super::super) const WEIGHTS: u8 = 1;
    /// An output tile is in GM.
    pub(in super::super) const OUTPUT: u8 = 2;
    /// Parts are in GM, those of all groups.
    pub(in super::super) const PARTS: u8 = 3;
}
