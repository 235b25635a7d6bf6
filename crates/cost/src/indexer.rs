//! Index scores of a sparse attention and the choice of the best keys: two kernels.
//!
//! Scores: tiles of four queries over all keys (DeepGEMM `fp8_mqa_logits`), as prefill attention without a softmax.
//! Selection: one row of scores a core and round; skipped where every key is kept (`docs/cost/attention.md`).

use vitruvian_hardware::Chip;
use vitruvian_model::operator::Indexer;
use vitruvian_quantity::{Dtype, Seconds};

use crate::estimate::Bound;
use crate::parameters::parameters;
use crate::refusal::Refusal;
use crate::roofline::multiplied;
use crate::timing::{Machine, Timing};
use crate::{estimate::Choice, work};

parameters! {
    /// What a fit may change.
    IndexerParameters {
        launch: "us" in 0.0..=100.0, "Fixed time of the score kernel.";
        compute_efficiency: "1" in 0.05..=1.2, "Share of the matrix peak inside a tile; above one where the clock exceeds that of the stated peak.";
        tail: "1" in 0.0..=2.0, "Share of the longest task by which the last core ends late.";
        memory_efficiency: "1" in 0.05..=1.0, "Share of the stated memory bandwidth that index keys and scores reach.";
        selection_row: "us" in 0.0..=100.0, "Time of one row on a core before its scores: histogram, synchronisation, output.";
        selection_rate: "1" in 0.01..=16.0, "Scores that one core examines in a cycle, over all passes of the selection.";
    }
}

/// Queries of a tile of the score kernel.
const QUERIES: u32 = 4;

/// Time of both kernels.
///
/// # Errors
/// [`Refusal`] where the chip does not execute the format.
pub fn estimate(op: &Indexer, on: &Machine, parameters: &IndexerParameters) -> Result<Timing, Refusal> {
    let multiply = multiplied(op.dtype, on)?;
    let work = work::of_indexer(op);
    let scores = scores(op, multiply, on.chip, parameters);
    let memory = work.hbm.get() / (on.chip.hbm.bandwidth.get() * parameters.memory_efficiency);
    let selection = selection(op, on.chip, parameters);
    let launch = if op.heads == 0 { 0.0 } else { parameters.launch * 1e-6 };
    let parts =
        [(launch, Bound::Launch), (scores, Bound::Matrix), (memory, Bound::Hbm), (selection, Bound::Vector)];
    let bound =
        parts.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).map_or(Bound::Launch, |(_, bound)| bound);
    let time = Seconds::new(launch + scores.max(memory) + selection);
    Ok(Timing { time, work, multiply, bound, choice: Choice::None })
}

/// Makespan of the score tiles; a lone query per sequence has its keys split over idle cores.
fn scores(op: &Indexer, multiply: Dtype, chip: &Chip, parameters: &IndexerParameters) -> f64 {
    let cores = f64::from(chip.compute.cores);
    let rate = chip.matrix_peak(multiply).get() * parameters.compute_efficiency / cores;
    let tiles = f64::from(op.batch) * f64::from(op.new.div_ceil(QUERIES));
    let padding = f64::from(op.new.next_multiple_of(QUERIES)) / f64::from(op.new.max(1));
    let mean = op.flops().get() * padding / (rate * cores);
    let a_key = 2.0 * f64::from(QUERIES) * f64::from(op.heads) * f64::from(op.dim) / rate;
    let split = if op.new == 1 { (cores / tiles).floor().max(1.0) } else { 1.0 };
    let longest = (f64::from(op.cached) + f64::from(op.new)) * a_key / split;
    (mean + parameters.tail * longest).max(longest)
}

/// Rounds of rows over the cores, each over its keys.
fn selection(op: &Indexer, chip: &Chip, parameters: &IndexerParameters) -> f64 {
    if op.cached + op.new <= op.topk {
        return 0.0;
    }
    let cores = f64::from(chip.compute.cores);
    let rows = f64::from(op.batch) * f64::from(op.new);
    let keys = op.pairs() as f64 / rows;
    let rounds = (rows / cores).ceil();
    let a_row =
        parameters.selection_row * 1e-6 + keys / (parameters.selection_rate * chip.compute.clock.get());
    chip.compute.launch.get() + rounds * a_row
}
