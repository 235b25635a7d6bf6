//! Linear attention and state-space mixers.

use vitruvian_model::operator::LinearAttention;

use crate::parameters::parameters;
use crate::refusal::Refusal;
use crate::roofline::multiplied;
use crate::timing::{Machine, Saturation, Timing, saturating};
use crate::work;

parameters! {
    /// What a fit may change.
    LinearAttentionParameters {
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
    op: &LinearAttention,
    on: &Machine,
    parameters: &LinearAttentionParameters,
) -> Result<Timing, Refusal> {
    let multiply = multiplied(op.dtype, on)?;
    Ok(saturating(work::of_linear_attention(op), multiply, 1.0, &parameters.into(), on))
}

impl From<&LinearAttentionParameters> for Saturation {
    fn from(p: &LinearAttentionParameters) -> Self {
        Self {
            launch: p.launch * 1e-6,
            compute: p.compute_efficiency,
            memory: p.memory_efficiency,
            overlap: p.overlap,
        }
    }
}
