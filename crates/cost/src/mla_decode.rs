//! Weight-absorbed latent attention: one stream of latents for all heads.
//!
//! As attention over a cache ([`crate::decode_attention`]), with one task a sequence and 64 rows of (query, head) pairs
//! (the tile of `FlashInfer` and FlashMLA), and with a gather where a sparse index chose the keys.

mod plan;

use vitruvian_model::operator::MlaDecode;
use vitruvian_quantity::{Dtype, Seconds};

use crate::decode_attention::split::{self, Load, Stream};
use crate::estimate::{Choice, Work};
use crate::parameters::parameters;
use crate::refusal::Refusal;
use crate::roofline::multiplied;
use crate::timing::{Machine, Timing};
use crate::work;
use plan::{Batch, ROWS};

parameters! {
    /// What a fit may change.
    MlaDecodeParameters {
        launch: "us" in 0.0..=100.0, "Fixed time of one kernel inside a captured graph.";
        memory_efficiency: "1" in 0.05..=1.0, "Share of the stated memory bandwidth that latents reach as they lie.";
        gather_efficiency: "1" in 0.05..=1.0, "Share of that rate which latents chosen by an index reach.";
        core_bandwidth: "GB/s" in 5.0..=500.0, "Bandwidth that one core alone reaches: its bytes in flight over the latency.";
        compute_efficiency: "1" in 0.05..=1.1, "Share of the matrix peak on rows padded to a tile.";
        overlap: "1" in 1.0..=8.0, "Exponent that combines the times: one adds, a large one takes the longest.";
        task_overhead: "us" in 0.0..=40.0, "Constant of one part of a sequence and tile of rows on a core.";
        merge_row: "ns" in 0.0..=20.0, "Time to merge the parts of one output row where the cache is split.";
        flashinfer: "1" in 0.0..=1.0, "Whether pieces lie as FlashInfer's planner puts them: one; zero for even parts, as of FlashAttention-3.";
    }
}

/// Latents of a block, the least that a part of a split cache holds.
const BLOCK: u32 = 64;

/// Time of one kernel.
///
/// # Errors
/// [`Refusal`] where the chip does not execute the format.
pub fn estimate(op: &MlaDecode, on: &Machine, parameters: &MlaDecodeParameters) -> Result<Timing, Refusal> {
    let multiply = multiplied(op.compute, on)?;
    let work = work::of_mla_decode(op);
    let stream = stream(op, work, multiply, on, parameters);
    let even = stream.time(stream.even(), false);
    let planned = stream.time(plan::placed(tasks(op), on.chip.compute.cores), false);
    let share = if on.chip.vector.separate { 0.0 } else { parameters.flashinfer };
    let time = share * planned.time + (1.0 - share) * even.time;
    let split = if share > 0.5 { planned } else { even };
    let choice = Choice::SplitKv { splits: split.splits };
    Ok(Timing { time: Seconds::new(time), work, multiply, bound: split.bound, choice })
}

/// Sequences and their rows; queries that attend to tokens of their own are sequences of their own.
const fn tasks(op: &MlaDecode) -> Batch {
    let gathered = op.attended < op.context;
    let (sequences, queries) = if gathered { (op.batch * op.queries, 1) } else { (op.batch, op.queries) };
    Batch { sequences, rows: queries * op.heads, keys: op.attended }
}

fn stream(
    op: &MlaDecode,
    work: Work,
    multiply: Dtype,
    on: &Machine,
    parameters: &MlaDecodeParameters,
) -> Stream {
    let (chip, gathered) = (on.chip, op.attended < op.context);
    let cores = f64::from(chip.compute.cores);
    let batch = tasks(op);
    let tasks = f64::from(batch.sequences) * f64::from(batch.rows.div_ceil(ROWS));
    let efficiency = parameters.memory_efficiency * if gathered { parameters.gather_efficiency } else { 1.0 };
    let blocks = f64::from(op.attended.div_ceil(BLOCK));
    let keys = blocks * f64::from(BLOCK) * tasks;
    let padded = 2.0 * f64::from(2 * op.latent + op.rope) * f64::from(ROWS) * keys;
    let output_rows = f64::from(op.batch) * f64::from(op.queries) * f64::from(op.heads);
    Stream {
        cores,
        tasks,
        blocks,
        load: Load {
            memory: split::memory_time(work.hbm, on, efficiency, 0.0),
            compute: padded / (chip.matrix_peak(multiply).get() * parameters.compute_efficiency),
        },
        draw: blocks * f64::from(BLOCK) * MlaDecode::entry_bytes(op.latent, op.rope, op.kv)
            / (parameters.core_bandwidth * 1e9),
        overhead: parameters.task_overhead * 1e-6,
        overlap: parameters.overlap,
        launch: parameters.launch * 1e-6,
        merge: chip.compute.launch.get() + output_rows * parameters.merge_row * 1e-9,
        merge_part: split::merge_latency(chip),
    }
}
