//! Expert matrix products in one launch.

use vitruvian_model::operator::GroupedGemm;

use crate::execution;
use crate::parameters::parameters;
use crate::refusal::Refusal;
use crate::timing::{Machine, Saturation, Timing, saturating};
use crate::work;

parameters! {
    /// What a fit may change.
    GroupedGemmParameters {
        launch: "us" in 0.0..=100.0, "Fixed time of one kernel inside a captured graph.";
        compute_efficiency: "1" in 0.05..=1.0, "Share of the matrix peak that a long kernel reaches.";
        memory_efficiency: "1" in 0.05..=1.0, "Share of the stated memory bandwidth that a long stream reaches.";
        overlap: "1" in 1.0..=32.0, "Exponent that combines compute and memory time: one adds, a large one takes the longer.";
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
    let execution = execution::of(op.scheme, op.sparsity, on.chip)?;
    let work = work::of_grouped_gemm(op, &execution);
    Ok(saturating(work, execution.multiply, execution.speedup, &parameters.into(), on))
}

impl From<&GroupedGemmParameters> for Saturation {
    fn from(p: &GroupedGemmParameters) -> Self {
        Self {
            launch: p.launch * 1e-6,
            compute: p.compute_efficiency,
            memory: p.memory_efficiency,
            overlap: p.overlap,
        }
    }
}
