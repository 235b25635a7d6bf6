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

/// Sizes of the tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttentionTiling {
    /// Query rows of a task.
    pub rows: u32,
    /// Keys of a step.
    pub keys: u32,
    /// Rows that a vector core works on at once.
    pub piece: u32,
}

impl Default for AttentionTiling {
    /// 128 rows and 512 keys: scores of half a task take 2 · 64 KiB of UB in pieces of 32 rows.
    fn default() -> Self {
        Self { rows: 128, keys: 512, piece: 32 }
    }
}

/// Query rows of one head of one sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) batch: u32,
    pub(super) head: u32,
    pub(super) first: u32,
}

/// One block of keys of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) task: Task,
    /// First key and number of keys.
    pub(super) first: u32,
    pub(super) keys: u32,
    /// Whether the last keys lie on the diagonal.
    pub(super) diagonal: bool,
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
}

impl Attention {
    /// Operations that count: 4·d a pair of query and key, causal pairs only.
    pub fn flops(&self) -> f64 {
        let s = f64::from(self.seq);
        let pairs = if self.causal { s * (s + 1.0) / 2.0 } else { s * s };
        4.0 * f64::from(self.dim) * pairs * f64::from(self.batch) * f64::from(self.heads)
    }

    pub(super) fn tasks(&self) -> u64 {
        u64::from(self.batch) * u64::from(self.heads) * u64::from(self.seq.div_ceil(128))
    }

    /// Bytes of Q, K, V and O.
    pub fn footprint(&self) -> f64 {
        let tokens = f64::from(self.batch) * f64::from(self.seq) * f64::from(self.dim);
        tokens * f64::from(2 * self.heads + 2 * self.kv_heads) * f64::from(self.ty.bits()) / 8.0
    }

    /// Element offset of a row of a head, [batch, head, token, width].
    pub(super) fn row(&self, heads: u32, batch: u32, head: u32, token: u32) -> u64 {
        (u64::from(batch * heads + head) * u64::from(self.seq) + u64::from(token)) * u64::from(self.dim)
    }

    pub(super) fn kv_head(&self, head: u32) -> u32 {
        head / (self.heads / self.kv_heads)
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
    pub(super) fn of_group(mut self, problem: &Attention, tiling: &AttentionTiling, group: u32) -> Self {
        let tile = u64::from(tiling.rows) * u64::from(tiling.keys);
        let group = 2 * u64::from(group);
        self.scores += group * tile * 4;
        self.weights += group * tile * u64::from(problem.ty.bits() / 8);
        self.partial += group * u64::from(tiling.rows) * u64::from(problem.dim) * 4;
        self
    }
}

/// Tasks of each group: longest first, dealt there and back, so that no group has all the long ones.
pub(super) fn deal(problem: &Attention, groups: u32) -> Vec<Vec<Task>> {
    let mut dealt = vec![Vec::new(); groups as usize];
    let mut index = 0;
    for block in (0..problem.seq / 128).rev() {
        for batch in 0..problem.batch {
            for head in 0..problem.heads {
                let (round, place) = (index / groups, index % groups);
                let group = if round % 2 == 0 { place } else { groups - 1 - place };
                dealt[group as usize].push(Task { batch, head, first: block * 128 });
                index += 1;
            }
        }
    }
    dealt
}

pub(super) fn steps(problem: &Attention, tiling: &AttentionTiling, task: Task) -> Vec<Step> {
    let end = if problem.causal { task.first + tiling.rows } else { problem.seq };
    let firsts = (0..end).step_by(tiling.keys as usize);
    firsts
        .map(|first| {
            let keys = tiling.keys.min(end - first);
            let ends = first + keys == end;
            Step { task, first, keys, diagonal: ends && problem.causal, begins: first == 0, ends }
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
}
