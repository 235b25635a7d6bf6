//! Products of many experts in one launch: the kernels of [`crate::gemm`], with row tiles counted over experts.

pub(crate) mod rows;

use vitruvian_hardware::Chip;
use vitruvian_model::operator::GroupedGemm;
use vitruvian_quantity::Seconds;

use crate::execution;
use crate::gemm::Ready;
use crate::gemm::kernel::Figures;
use crate::gemm::library::{self, Dispatch, Library};
use crate::parameters::parameters;
use crate::refusal::Refusal;
use crate::timing::{Machine, Timing};
use crate::work;

parameters! {
    /// What a fit may change.
    GroupedGemmParameters {
        launch: "us" in 0.5..=100.0, "Time of a kernel with nothing to do, inside a captured graph.";
        compute_efficiency: "1" in 0.3..=1.1, "Share of the stated matrix peak that a core reaches within a tile; above one where its clock is.";
        memory_efficiency: "1" in 0.3..=1.0, "Share of the stated memory bandwidth that a long stream reaches.";
        overlap: "1" in 1.0..=16.0, "Exponent that combines compute and memory time: one adds, a large one takes the longer.";
        operand_path: "B/cycle" in 16.0..=256.0, "Operand bytes that reach a core from L2 in a cycle, multicast included.";
        core_stream: "B/cycle" in 8.0..=256.0, "Bytes in flight of one core over the latency of memory: what it streams alone.";
        step_latency: "ns" in 1.0..=600.0, "Latency of one step of 128 bytes of depth that a lone warpgroup leaves exposed.";
        tile_overhead: "us" in 0.01..=12.0, "Prologue and epilogue of a tile of 128 by 128 that do not overlap with other tiles.";
        row_overhead: "ns" in 0.01..=40.0, "Time of each row beyond its bytes: gathering it, and its scale.";
        expert_overhead: "ns" in 0.1..=1000.0, "Time of each expert that is hit: finding its rows and switching to its weights.";
        exchange: "us" in 0.01..=40.0, "Time to hand 128 rows of INT8 sums to the vector cores that scale them, through L2.";
        tail_overlap: "1" in 0.0..=1.0, "Share of a partly filled last wave that others or a higher clock make up for.";
        row_granule: "1" in 16.0..=64.0, "Rows to which an expert's rows are padded at least: the lowest tile of the library.";
        reread: "1" in 0.0..=1.0, "Share of an expert's weights that a second row of tiles fetches from memory again.";
        cache_share: "1" in 0.02..=1.2, "Share of L2 that holds the operands of a benchmark that rotates over a few sets.";
    }
}

/// Time of one kernel.
///
/// # Errors
/// [`Refusal`] where the chip does not execute the format.
pub fn estimate(
    op: &GroupedGemm,
    on: &Machine,
    parameters: &GroupedGemmParameters,
) -> Result<Timing, Refusal> {
    Ok(Prepared::of(op, on.chip)?.timing(on, parameters))
}

/// A product of experts with all that no parameter changes worked out: how the rows fall on experts above all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prepared {
    ready: Ready,
    /// Triton's and DeepGEMM's kernels; a parameter says which runs.
    triton: Library,
    deep_gemm: Library,
}

impl Prepared {
    /// # Errors
    /// [`Refusal`] where the chip does not execute the format.
    pub(crate) fn of(op: &GroupedGemm, chip: &Chip) -> Result<Self, Refusal> {
        let execution = execution::of(op.scheme, op.sparsity, chip)?;
        let product = rows::product(op, &execution);
        Ok(Self {
            triton: library::triton(chip, op),
            deep_gemm: library::deep_gemm(chip, Dispatch::Older).settled(&product, chip),
            ready: Ready { product, work: work::of_grouped_gemm(op, &execution), execution },
        })
    }

    /// DeepGEMM where rows are padded to 64, Triton where to 16.
    const fn library(&self, parameters: &GroupedGemmParameters) -> Library {
        if parameters.row_granule < 32.0 { self.triton } else { self.deep_gemm }
    }

    pub(crate) fn timing(&self, on: &Machine, parameters: &GroupedGemmParameters) -> Timing {
        self.ready.timing(on, &parameters.into(), self.library(parameters))
    }

    pub(crate) fn seconds(&self, on: &Machine, parameters: &GroupedGemmParameters) -> Seconds {
        self.ready.seconds(on, &parameters.into(), self.library(parameters))
    }
}

impl From<&GroupedGemmParameters> for Figures {
    fn from(p: &GroupedGemmParameters) -> Self {
        Self {
            launch: p.launch * 1e-6,
            compute: p.compute_efficiency,
            memory: p.memory_efficiency,
            overlap: p.overlap,
            path: p.operand_path,
            stream: p.core_stream,
            step: p.step_latency * 1e-9,
            tile: p.tile_overhead * 1e-6,
            row: p.row_overhead * 1e-9,
            group: p.expert_overhead * 1e-9,
            tail: p.tail_overlap,
            exchange: p.exchange * 1e-6,
            reread: p.reread,
            cache: p.cache_share,
            conflict: 0.0,
        }
    }
}
