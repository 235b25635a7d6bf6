//! Tiles of queries and keys: what kernels choose, and how many they execute.

use vitruvian_hardware::Chip;
use vitruvian_hardware::chip::Architecture;
use vitruvian_model::operator::PrefillAttention;

use crate::flash_attention::{ampere_columns, paged_columns};

/// Queries and keys that one core multiplies at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tile {
    pub rows: u32,
    pub columns: u32,
}

/// Tiles of a kernel over all its tasks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Executed {
    /// Tasks: tiles of queries, over sequences and heads.
    pub tiles: f64,
    /// Key tiles executed, over all tasks.
    pub columns: f64,
    /// Key tiles of the longest task.
    pub longest: f64,
}

impl Tile {
    /// The tile that the architecture's attention kernel chooses; on Ampere one that packs groups is FlashAttention-3's.
    pub(super) fn of(op: &PrefillAttention, architecture: Architecture, packs: bool) -> Self {
        let (rows, columns) = match architecture {
            Architecture::Ampere | Architecture::Ada if packs => (128, ampere_columns(op.qk_dim)),
            Architecture::Ampere | Architecture::Ada => (64, paged_columns(op.qk_dim)),
            Architecture::DaVinciCoupled | Architecture::DaVinciSplit | Architecture::DaVinci950 => {
                fused_infer_attention(op)
            }
            Architecture::Hopper | Architecture::Blackwell | Architecture::Cdna3 => flash_attention_3(op),
        };
        Self { rows, columns }
    }
}

/// Dao-AILab/flash-attention `hopper/tile_size.h`, causal or local, paged; wider heads fall to a generic kernel.
const fn flash_attention_3(op: &PrefillAttention) -> (u32, u32) {
    let (local, narrow) = (op.window > 0, op.kv.bits() <= 8);
    match (op.qk_dim, narrow) {
        (0..=64, false) => (192, 128),
        (0..=64, true) => (192, 160),
        (65..=128, false) => (128, 128),
        (65..=192, true) => (128, 160),
        (129..=192, false) => (128, if local { 96 } else { 112 }),
        (193..=256, false) => (128, if local { 64 } else { 80 }),
        (193..=256, true) => (128, if local { 64 } else { 128 }),
        _ => (64, 64),
    }
}

/// CANN's fused attention: a block of 512 keys, or of 128 where each query head has its own keys; no wider than they are.
fn fused_infer_attention(op: &PrefillAttention) -> (u32, u32) {
    let widest = if op.heads == op.kv_heads { 128 } else { 512 };
    (128, (op.new + op.cached).next_multiple_of(128).min(widest))
}

/// Tiles executed, with the query heads of a group packed into the rows of a tile or each on its own.
pub(super) fn executed(op: &PrefillAttention, tile: Tile, packed: bool) -> Executed {
    let group = if packed { (op.heads / op.kv_heads.max(1)).max(1) } else { 1 };
    of_group(op, tile, group, if packed { op.kv_heads } else { op.heads })
}

/// `group` query heads in the rows of a tile: a tile of r rows covers r/group tokens.
fn of_group(op: &PrefillAttention, tile: Tile, group: u32, units: u32) -> Executed {
    let span = Span::of(op, tile, group);
    let units = f64::from(op.batch) * f64::from(units);
    let one = if op.causal { span.to_diagonal() } else { span.tiles * span.all_keys() };
    let columns = one - span.before_window();
    Executed {
        tiles: units * span.tiles as f64,
        columns: units * columns as f64,
        longest: span.longest() as f64,
    }
}

/// One sequence and key-value head, in whole numbers: rows are (token, head) pairs.
struct Span {
    new: u64,
    cached: u64,
    window: u64,
    group: u64,
    rows: u64,
    columns: u64,
    tiles: u64,
}

impl Span {
    fn of(op: &PrefillAttention, tile: Tile, group: u32) -> Self {
        let (rows, group) = (u64::from(tile.rows), u64::from(group));
        let new = u64::from(op.new);
        Self {
            new,
            cached: u64::from(op.cached),
            window: u64::from(op.window),
            group,
            rows,
            columns: u64::from(tile.columns),
            tiles: (new * group).div_ceil(rows),
        }
    }

    fn all_keys(&self) -> u64 {
        (self.cached + self.new).div_ceil(self.columns)
    }

    /// Key tiles from the first key to the diagonal: Σ_i ⌈(cached + ⌈(i+1)·rows/group⌉)/columns⌉, the last tile cut short.
    fn to_diagonal(&self) -> u64 {
        let step = self.group * self.columns;
        let full = self.tiles.saturating_sub(1);
        floor_sum(full, step, self.rows, self.rows + self.cached * self.group + step - 1) + self.all_keys()
    }

    /// Key tiles that lie wholly before the window: Σ_i ⌊(cached + ⌊i·rows/group⌋ + 1 − window)/columns⌋ where positive.
    fn before_window(&self) -> u64 {
        if self.window == 0 {
            return 0;
        }
        let first = (self.window.saturating_sub(self.cached + 1) * self.group).div_ceil(self.rows);
        let offset = first * self.rows + (self.cached + 1) * self.group;
        let Some(offset) = offset.checked_sub(self.window * self.group) else { return 0 };
        floor_sum(self.tiles.saturating_sub(first), self.group * self.columns, self.rows, offset)
    }

    /// Key tiles of the last query tile, which reaches furthest.
    fn longest(&self) -> u64 {
        if self.window == 0 {
            return self.all_keys();
        }
        let reach = self.window + self.rows.div_ceil(self.group);
        self.all_keys().min(reach.div_ceil(self.columns) + 1)
    }
}

/// Σ_{i=0}^{n−1} ⌊(a·i + b)/m⌋ in the steps of Euclid's algorithm (Graham, Knuth, Patashnik, Concrete Mathematics 3.32).
fn floor_sum(mut n: u64, mut m: u64, mut a: u64, mut b: u64) -> u64 {
    let mut sum = 0;
    while n > 0 {
        sum += (a / m) * (n * (n - 1) / 2) + (b / m) * n;
        (a, b) = (a % m, b % m);
        let last = a * n + b;
        (n, b) = (last / m, last % m);
        (m, a) = (a, m);
    }
    sum
}

/// Parts that the keys of a task are split into where tasks are fewer than cores (FlashAttention-3's `num_splits`).
pub(super) fn split(executed: &Executed, chip: &Chip) -> f64 {
    if chip.architecture != Architecture::Hopper {
        return 1.0;
    }
    let idle = (f64::from(chip.compute.cores) / executed.tiles).floor();
    idle.clamp(1.0, executed.longest.max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use vitruvian_quantity::Dtype;

    fn op(new: u32, cached: u32, window: u32, heads: u32, kv_heads: u32) -> PrefillAttention {
        let (qk_dim, v_dim, compute, kv) = (128, 128, Dtype::Bf16, Dtype::Bf16);
        PrefillAttention {
            batch: 1,
            new,
            cached,
            heads,
            kv_heads,
            qk_dim,
            v_dim,
            window,
            causal: true,
            compute,
            kv,
        }
    }

    /// Key tiles that a query tile touches, counted tile by tile.
    fn brute(op: &PrefillAttention, tile: Tile, group: u32) -> f64 {
        let rows = op.new * group;
        let touched = (0..rows.div_ceil(tile.rows)).map(|index| {
            let first = index * tile.rows / group;
            let last = ((index + 1) * tile.rows).min(rows).div_ceil(group);
            let low = if op.window == 0 { 0 } else { (op.cached + first + 1).saturating_sub(op.window) };
            f64::from((op.cached + last).div_ceil(tile.columns) - low / tile.columns)
        });
        touched.sum()
    }

    #[test]
    fn a_square_of_four_tiles_executes_ten() {
        // 512 tokens in tiles of 128: 1 + 2 + 3 + 4
        let executed = of_group(&op(512, 0, 0, 1, 1), Tile { rows: 128, columns: 128 }, 1, 1);
        assert_eq!((executed.tiles, executed.columns, executed.longest), (4.0, 10.0, 4.0));
    }

    #[test]
    fn ampere_has_the_tiles_of_two_libraries() {
        // 256 tokens: in tiles of 64 by 128, 1 + 1 + 2 + 2 for each of two heads; with both heads in tiles of 128 by 64, 1 + 2 + 3 + 4
        let op = op(256, 0, 0, 2, 1);
        let columns = |packs| executed(&op, Tile::of(&op, Architecture::Ampere, packs), packs).columns;
        assert_eq!((columns(false), columns(true)), (12.0, 10.0));
    }

    proptest! {
        #[test]
        fn tiles_are_counted_exactly(
            new in 1u32..2000, cached in 0u32..1000, window in 0u32..600, group in 1u32..17, columns in 1u32..40,
        ) {
            let op = op(new, cached, window, group, 1);
            let tile = Tile { rows: 128, columns: columns * 16 };
            prop_assert_eq!(of_group(&op, tile, group, 1).columns, brute(&op, tile, group));
        }

        #[test]
        fn executed_tiles_cover_the_pairs(new in 1u32..3000, cached in 0u32..3000, window in 0u32..3000) {
            let op = op(new, cached, window, 1, 1);
            let tile = Tile { rows: 128, columns: 128 };
            let executed = executed(&op, tile, true);
            prop_assert!(executed.columns * 128.0 * 128.0 >= op.pairs() as f64);
        }
    }
}
