//! Attention of new tokens over themselves and a cached prefix: tiles of queries over the cores.
//!
//! T = launch + makespan + bytes not in L2 / (em·BW) + cache update, with a makespan of max(mean load + tail · longest
//! task, longest task). A task is one tile of queries of one sequence and head; its time is that of the key tiles it
//! executes, whole, and a constant (`docs/cost/attention.md`).

mod tiles;

use vitruvian_hardware::Chip;
use vitruvian_hardware::chip::Architecture;
use vitruvian_model::operator::PrefillAttention;
use vitruvian_quantity::{Bytes, Dtype, Seconds};

use crate::decode_attention::regrouped;
use crate::decode_attention::split::merge_latency;
use crate::estimate::{Bound, Choice, Work};
use crate::parameters::parameters;
use crate::refusal::Refusal;
use crate::roofline::multiplied;
use crate::timing::{Machine, Timing};
use crate::work;
use tiles::{Executed, Tile};

parameters! {
    /// What a fit may change.
    PrefillAttentionParameters {
        launch: "us" in 0.0..=100.0, "Fixed time of one kernel inside a captured graph.";
        compute_efficiency: "1" in 0.05..=1.1, "Share of the matrix peak inside a tile; above one where the clock exceeds that of the stated peak.";
        softmax: "1" in 0.0..=2.0, "Share of the exponentials' time that the products do not hide.";
        tile_overhead: "us" in 0.0..=20.0, "Constant of one tile of 128 queries and 128 values on a core: first loads, masked tiles, epilogue.";
        tail: "1" in 0.0..=2.0, "Share of the longest task by which the last core ends late.";
        throttle: "1" in 0.0..=1.0, "Share by which the power limit slows a kernel that runs for much longer than milliseconds.";
        memory_efficiency: "1" in 0.05..=1.0, "Share of the stated memory bandwidth that a long stream reaches.";
        cache_share: "1" in 0.05..=1.2, "Share of the L2 that holds operands which the projections have just written.";
        interleave: "1" in 0.0..=0.5, "Share by which a key tile takes longer where several key-value heads interleave in a token's row.";
        token_overhead: "ns" in 0.0..=20.0, "Time of one new token in the cache update: slot, first loads; of a full block of threads where it takes one.";
        block_per_token: "1" in 0.0..=1.0, "Whether the cache update takes a block of threads for each token, as vLLM's does: one; zero for a warp, as SGLang's.";
        cache_passes: "1" in 0.0..=8.0, "Times that the new keys and values cross device memory besides: the cache update, where the stack times it as part of attention.";
        packing: "1" in 0.0..=1.0, "Whether grouped query heads fill the rows of one tile together: one; zero for FlashAttention-2 on Ampere.";
        padding: "us" in 0.0..=40.0, "Kernels besides where values are narrower than keys.";
    }
}

/// Time of one kernel.
///
/// # Errors
/// [`Refusal`] where the chip does not execute the format.
pub fn estimate(
    op: &PrefillAttention,
    on: &Machine,
    parameters: &PrefillAttentionParameters,
) -> Result<Timing, Refusal> {
    let (chip, multiply) = (on.chip, multiplied(op.compute, on)?);
    let packs = packs(chip, parameters);
    let swaps = swaps(op, packs, chip);
    let tile = Tile::of(op, chip.architecture, packs);
    let executed = tiles::executed(op, tile, packs || swaps);
    let cost = TileCost::of(op, tile, multiply, chip, parameters);
    let makespan = makespan(&executed, &cost, chip, parameters);
    let memory = memory(op, chip, parameters);
    let update = update(op, chip, parameters);
    let padding = if op.v_dim < op.qk_dim { parameters.padding } else { 0.0 };
    let swapping = if swaps { swapping(op, chip) } else { 0.0 };
    let launch = (parameters.launch + padding) * 1e-6 + swapping;
    let work = Work { l2: tile_traffic(op, tile, &executed, chip), ..work::of_prefill_attention(op) };
    let parts = [
        (launch + executed.tiles / f64::from(chip.compute.cores) * cost.overhead, Bound::Launch),
        (executed.columns / f64::from(chip.compute.cores) * cost.column, computing(&work, multiply, chip)),
        (memory + update, Bound::Hbm),
    ];
    let time = Seconds::new(launch + makespan + memory + update);
    Ok(Timing { time, work, multiply, bound: longest(parts), choice: choice(tile, &executed, chip) })
}

/// Whether the library packs the query heads of a group, as every kernel of Hopper does over a cache in pages.
fn packs(chip: &Chip, parameters: &PrefillAttentionParameters) -> bool {
    !chip.vector.separate && (parameters.packing > 0.5 || chip.architecture == Architecture::Hopper)
}

/// Whether FlashAttention-2 packs the group of one new token by swapping the two axes.
fn swaps(op: &PrefillAttention, packs: bool, chip: &Chip) -> bool {
    op.new == 1 && !packs && !chip.vector.separate
}

/// One kernel copies the queries before the axes are swapped and one the outputs after; one sequence or key-value head needs
/// neither.
fn swapping(op: &PrefillAttention, chip: &Chip) -> f64 {
    let copied = op.batch > 1 && op.kv_heads > 1 && op.kv_heads < op.heads;
    if copied { 2.0 * regrouped(op.batch, op.heads, op.v_dim, op.compute, chip) } else { 0.0 }
}

/// Time of one key tile against one query tile on one core, and the constant of a query tile.
struct TileCost {
    column: f64,
    overhead: f64,
    /// What of the constant the longest task shows: nothing of a lone token, for which FlashAttention-3 has no masks to apply.
    shown: f64,
}

impl TileCost {
    /// 2·rows·columns·(`d_qk` + `d_v`) over a core's share of the matrix peak, and one exponential a score.
    fn of(
        op: &PrefillAttention,
        tile: Tile,
        multiply: Dtype,
        chip: &Chip,
        parameters: &PrefillAttentionParameters,
    ) -> Self {
        let cores = f64::from(chip.compute.cores);
        let scores = f64::from(tile.rows) * f64::from(tile.columns);
        let products = 2.0 * scores * f64::from(op.qk_dim + op.v_dim);
        let peak = chip.matrix_peak(multiply).get() * parameters.compute_efficiency / cores;
        let special =
            chip.vector.special_per_cycle * f64::from(chip.vector.units) * chip.vector.clock.get() / cores;
        let softmax = if special > 0.0 { parameters.softmax * scores / special } else { 0.0 };
        let interleaved = if op.kv_heads > 1 { 1.0 + parameters.interleave } else { 1.0 };
        let overhead = parameters.tile_overhead * 1e-6 * of_standard(op, tile);
        let unmasked = op.new == 1 && chip.architecture == Architecture::Hopper;
        let shown = if unmasked { 0.0 } else { overhead };
        Self { column: (products / peak + softmax) * interleaved, overhead, shown }
    }
}

/// The constant of a tile against one of 128 queries and 128 values: half of it grows with the output that is cleared, scaled
/// and stored, as the constants of decode parts do on H100 (1.2 us, and 72 ns for each 1024 values of the tile).
fn of_standard(op: &PrefillAttention, tile: Tile) -> f64 {
    f64::midpoint(1.0, f64::from(tile.rows) * f64::from(op.v_dim) / (128.0 * 128.0))
}

/// Time until the last core is done. Where tiles are fewer than cores, their keys are split if the merge is worth it.
fn makespan(
    executed: &Executed,
    cost: &TileCost,
    chip: &Chip,
    parameters: &PrefillAttentionParameters,
) -> f64 {
    let cores = f64::from(chip.compute.cores);
    let mean = (executed.columns * cost.column + executed.tiles * cost.overhead) / cores;
    let whole = executed.longest * cost.column;
    let longest = whole.min(split_time(whole, executed, chip)) + cost.shown;
    let busy = (mean + parameters.tail * longest).max(longest);
    busy + throttled(mean) * parameters.throttle
}

/// A task in as many parts as cores idle, and the launch and latency of the merge.
fn split_time(whole: f64, executed: &Executed, chip: &Chip) -> f64 {
    let parts = tiles::split(executed, chip);
    whole / parts + chip.compute.launch.get() + merge_latency(chip) * parts
}

/// Time in which a busy chip warms up to its power limit.
const WARM_UP: f64 = 3e-3;

/// Part of a kernel's busy time that runs at the power limit.
fn throttled(busy: f64) -> f64 {
    busy * busy / (busy + WARM_UP)
}

/// Bytes that L2 does not hold over the bandwidth that a stream reaches. The cached prefix is never held.
fn memory(op: &PrefillAttention, chip: &Chip, parameters: &PrefillAttentionParameters) -> f64 {
    let fresh = PrefillAttention { cached: 0, ..*op }.bytes();
    let prefix = op.bytes() - fresh;
    let held = held(fresh, chip.l2.capacity.get() * parameters.cache_share);
    (prefix.get() + fresh.get() * (1.0 - held)) / (chip.hbm.bandwidth.get() * parameters.memory_efficiency)
}

/// Share of bytes read again that a cache still holds: all up to three quarters of it, none beyond five quarters.
pub(crate) fn held(bytes: Bytes, capacity: f64) -> f64 {
    (2.5 - 2.0 * bytes.get() / capacity).clamp(0.0, 1.0)
}

/// Threads of a full block of vLLM's cache update (`cache_kernels.cu`; recalled).
const FULL_BLOCK: f64 = 512.0;

/// The cache update that a stack runs as part of attention. In vLLM's a block copies one token, with a thread for each value of its
/// keys: a core holds the more of them at a time, the fewer threads they have. A warp is always as wide.
fn update(op: &PrefillAttention, chip: &Chip, parameters: &PrefillAttentionParameters) -> f64 {
    let tokens = f64::from(op.batch) * f64::from(op.new);
    let written = tokens * f64::from(op.kv_heads) * f64::from(op.qk_dim + op.v_dim) * op.kv.bytes();
    let full = if parameters.block_per_token > 0.5 { share_of_block(op.kv_heads * op.qk_dim) } else { 1.0 };
    tokens * full * parameters.token_overhead * 1e-9
        + parameters.cache_passes * written / chip.hbm.bandwidth.get()
}

/// Threads of a token's block of a full one's.
fn share_of_block(values: u32) -> f64 {
    (f64::from(values) / FULL_BLOCK).min(1.0)
}

/// Bytes of scores and probabilities that separate cube and vector cores exchange through L2: fp32 out and in, 16 bits
/// out and in.
const EXCHANGED: f64 = 2.0 * (4.0 + 2.0);

/// Keys and values that each query tile reads, and what separate vector cores exchange.
fn tile_traffic(op: &PrefillAttention, tile: Tile, executed: &Executed, chip: &Chip) -> Bytes {
    let keys = executed.columns * f64::from(tile.columns);
    let exchanged = if chip.vector.separate { keys * f64::from(tile.rows) * EXCHANGED } else { 0.0 };
    Bytes::new(keys * f64::from(op.qk_dim + op.v_dim) * op.kv.bytes() + exchanged)
}

/// What a core waits for inside a tile: its matrix unit, or the exchange between separate cores.
fn computing(work: &Work, multiply: Dtype, chip: &Chip) -> Bound {
    let exchange = (work.l2 / chip.l2.read_bandwidth).get();
    let products = (work.matrix / chip.matrix_peak(multiply)).get();
    if chip.vector.separate && exchange > products { Bound::L2 } else { Bound::Matrix }
}

fn longest(parts: [(f64, Bound); 3]) -> Bound {
    parts.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).map_or(Bound::Launch, |(_, bound)| bound)
}

fn choice(tile: Tile, executed: &Executed, chip: &Chip) -> Choice {
    let waves = (executed.tiles / f64::from(chip.compute.cores)).ceil();
    let split = tiles::split(executed, chip);
    Choice::Tile {
        rows: tile.rows,
        columns: tile.columns,
        split: split as u32,
        waves: waves as u32,
        swapped: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_of_the_cache_update_grows_to_four_heads_of_128() {
        assert_eq!([1, 2, 4, 8].map(|heads| share_of_block(heads * 128)), [0.25, 0.5, 1.0, 1.0]);
    }

    #[test]
    fn a_cache_holds_what_fits_and_nothing_of_twice_as_much() {
        assert_eq!(held(Bytes::new(70.0), 100.0), 1.0);
        assert_eq!(held(Bytes::new(200.0), 100.0), 0.0);
        // half way between 3/4 and 5/4
        assert_eq!(held(Bytes::new(100.0), 100.0), 0.5);
    }
}
