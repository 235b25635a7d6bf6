//! Attention of a few query tokens per sequence over a KV cache: streams of keys and values, one task a sequence and
//! key-value head, split where tasks are fewer than cores.
//!
//! T = launch + (memory^q + compute^q + overhead^q)^(1/q) + merge, the best of the whole and the split form
//! (`docs/cost/attention.md`).

pub(crate) mod split;

use vitruvian_hardware::Chip;
use vitruvian_model::operator::DecodeAttention;
use vitruvian_quantity::{Dtype, Seconds};

use crate::estimate::{Choice, Work};
use crate::parameters::parameters;
use crate::refusal::Refusal;
use crate::roofline::multiplied;
use crate::timing::{Machine, Residency, Timing};
use crate::work;
use split::{Load, Stream};

parameters! {
    /// What a fit may change.
    DecodeAttentionParameters {
        launch: "us" in 0.0..=100.0, "Fixed time of one kernel inside a captured graph.";
        host_floor: "us" in 0.0..=100.0, "Least time of a call in the benchmark's own loop, where the host launches each kernel; not part of a deployment.";
        memory_efficiency: "1" in 0.05..=1.0, "Share of the stated memory bandwidth that contiguous keys and values reach.";
        strided_penalty: "1" in 0.0..=0.6, "Share of the bandwidth lost where several key-value heads interleave and are shared by groups of queries.";
        core_bandwidth: "GB/s" in 5.0..=500.0, "Bandwidth that one core alone reaches: its bytes in flight over the latency.";
        compute_efficiency: "1" in 0.05..=1.1, "Share of the matrix peak on rows padded to the least tile.";
        overlap: "1" in 1.0..=8.0, "Exponent that combines the times: one adds, a large one takes the longest.";
        task_overhead: "us" in 0.0..=20.0, "Constant of one sequence and key-value head on a core.";
        regroup: "1" in 0.0..=4.0, "Kernels besides that reorder the queries and outputs of grouped heads, each a launch.";
        merge_row: "ns" in 0.0..=20.0, "Time to merge the parts of one output row where the cache is split.";
        slots: "1" in 1.0..=4.0, "Tasks that a core holds at a time, which sets how many parts the cache is split into.";
        ungrouped_split: "1" in 0.0..=1.0, "Whether the kernel splits the cache where each query head has its own keys: one if it does.";
    }
}

/// Rows of a matrix instruction that takes keys as its other operand (`mma.sync` m16, cube 16).
const ROWS: u32 = 16;
/// Rows of the largest tile of queries: more make another task (`FlashInfer` and FlashAttention-3, one warpgroup pair).
const MOST_ROWS: u32 = 128;
/// Keys of a block, the least that a part of a split cache holds.
const BLOCK: u32 = 128;

/// Time of one kernel.
///
/// # Errors
/// [`Refusal`] where the chip does not execute the format.
pub fn estimate(
    op: &DecodeAttention,
    on: &Machine,
    parameters: &DecodeAttentionParameters,
) -> Result<Timing, Refusal> {
    let multiply = multiplied(op.compute, on)?;
    let work = work::of_decode_attention(op);
    let stream = stream(op, work, multiply, on, parameters);
    let (whole, best) = (stream.whole(), stream.best());
    let splits = op.heads > op.kv_heads || op.queries > 1;
    let share = if splits { 1.0 } else { parameters.ungrouped_split };
    let time = share * best.time + (1.0 - share) * whole.time;
    let bound = best.bound;
    Ok(Timing {
        time: Seconds::new(floored(time, on, parameters)),
        work,
        multiply,
        bound,
        choice: Choice::SplitKv { splits: best.splits },
    })
}

/// A benchmark's loop takes at least the time in which the host launches a kernel.
fn floored(time: f64, on: &Machine, parameters: &DecodeAttentionParameters) -> f64 {
    match on.residency {
        Residency::Cold => time,
        Residency::Rotating { .. } => time.max(parameters.host_floor * 1e-6),
    }
}

fn stream(
    op: &DecodeAttention,
    work: Work,
    multiply: Dtype,
    on: &Machine,
    parameters: &DecodeAttentionParameters,
) -> Stream {
    let chip = on.chip;
    let rows = op.queries * (op.heads / op.kv_heads.max(1)).max(1);
    let tiles = rows.div_ceil(MOST_ROWS);
    let tasks = f64::from(op.batch) * f64::from(op.kv_heads) * f64::from(tiles);
    let output_rows = f64::from(op.batch) * f64::from(op.queries) * f64::from(op.heads);
    Stream {
        cores: f64::from(chip.compute.cores),
        slots: f64::from(chip.compute.cores) * parameters.slots,
        tasks,
        blocks: f64::from(op.context.div_ceil(BLOCK)),
        load: Load {
            memory: split::memory_time(work.hbm, on, efficiency(op, parameters)),
            compute: padded_flops(op, rows)
                / (chip.matrix_peak(multiply).get() * parameters.compute_efficiency),
            overhead: tasks * parameters.task_overhead * 1e-6 / f64::from(chip.compute.cores),
        },
        draw: a_task(op) / (parameters.core_bandwidth * 1e9),
        overlap: parameters.overlap,
        launch: parameters.launch * 1e-6 + regrouping(op, chip, parameters),
        merge: chip.compute.launch.get() + output_rows * parameters.merge_row * 1e-9,
        merge_part: split::merge_latency(chip),
    }
}

/// Bytes of the keys and values of one sequence and head, in whole blocks.
fn a_task(op: &DecodeAttention) -> f64 {
    f64::from(op.context.next_multiple_of(BLOCK)) * f64::from(op.qk_dim + op.v_dim) * op.kv.bytes()
}

/// Whether several key-value heads, each shared by a group of query heads, interleave in a token's row.
const fn interleaved(op: &DecodeAttention) -> bool {
    op.kv_heads > 1 && op.kv_heads < op.heads
}

/// Launches of the kernels that bring the rows of each group together and back.
fn regrouping(op: &DecodeAttention, chip: &Chip, parameters: &DecodeAttentionParameters) -> f64 {
    if interleaved(op) { parameters.regroup * chip.compute.launch.get() } else { 0.0 }
}

/// Several key-value heads interleave in a token's row of the cache; a group's kernel reads one head of it at a time.
fn efficiency(op: &DecodeAttention, parameters: &DecodeAttentionParameters) -> f64 {
    parameters.memory_efficiency * if interleaved(op) { 1.0 - parameters.strided_penalty } else { 1.0 }
}

/// FLOPs with the rows of a group padded to a tile and the keys to a block: 2·rows·(`d_qk` + `d_v`) a key.
fn padded_flops(op: &DecodeAttention, rows: u32) -> f64 {
    let rows = f64::from(rows.next_multiple_of(ROWS));
    let keys = f64::from(op.batch) * f64::from(op.kv_heads) * f64::from(op.context.next_multiple_of(BLOCK));
    2.0 * rows * f64::from(op.qk_dim + op.v_dim) * keys
}
