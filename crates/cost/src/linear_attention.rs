//! Linear attention and state-space mixers: a recurrent kernel for a few tokens, a chain of chunked kernels for more.
//!
//! Recurrent: launch + bytes / (em·BW), almost all of it the state, read and written. Chunked: the activations cross
//! device memory several times between the kernels of the chain, and the states of chunks are computed one after the other
//! (arXiv 2412.06464 section 3.3, arXiv 2405.21060 section 6; `docs/cost/attention.md`).

use vitruvian_model::operator::LinearAttention;
use vitruvian_quantity::{Dtype, Seconds};

use crate::estimate::{Bound, Choice, Work};
use crate::parameters::parameters;
use crate::refusal::Refusal;
use crate::roofline::multiplied;
use crate::timing::{Machine, Timing};
use crate::work;

parameters! {
    /// What a fit may change.
    LinearAttentionParameters {
        launch: "us" in 0.0..=100.0, "Fixed time of the recurrent kernel.";
        memory_efficiency: "1" in 0.05..=1.0, "Share of the stated memory bandwidth that states reach.";
        token_latency: "us" in 0.0..=20.0, "Time of one further token in the recurrent kernel, which takes tokens one after the other.";
        chunk_launch: "us" in 0.0..=400.0, "Fixed time of the chain of chunked kernels.";
        compute_efficiency: "1" in 0.005..=1.0, "Share of the matrix peak that chunked products reach.";
        passes: "1" in 0.5..=40.0, "Times that activations cross device memory in the chunked chain.";
        chunk_latency: "us" in 0.0..=20.0, "Time of one chunk in the sequential pass over chunk states.";
    }
}

/// Time of one mixer.
///
/// # Errors
/// [`Refusal`] where the chip does not execute the format.
pub fn estimate(
    op: &LinearAttention,
    on: &Machine,
    parameters: &LinearAttentionParameters,
) -> Result<Timing, Refusal> {
    let multiply = multiplied(op.dtype, on)?;
    let work = work::of_linear_attention(op);
    let chunked = op.new >= op.kind.chunk();
    let parts = if chunked {
        chunked_parts(op, &work, multiply, on, parameters)
    } else {
        recurrent_parts(op, &work, on, parameters)
    };
    let time = Seconds::new(parts.iter().map(|part| part.0).sum());
    let bound =
        parts.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).map_or(Bound::Launch, |(_, bound)| bound);
    Ok(Timing { time, work, multiply, bound, choice: Choice::None })
}

/// Times that add up, each with what it is bound by.
type Parts = [(f64, Bound); 4];

fn recurrent_parts(
    op: &LinearAttention,
    work: &Work,
    on: &Machine,
    parameters: &LinearAttentionParameters,
) -> Parts {
    let further = f64::from(op.new.saturating_sub(1)) * rounds(op, on) * parameters.token_latency * 1e-6;
    [
        (parameters.launch * 1e-6, Bound::Launch),
        (work.hbm.get() / bandwidth(on, parameters), Bound::Hbm),
        (further, Bound::Latency),
        (0.0, Bound::Vector),
    ]
}

fn chunked_parts(
    op: &LinearAttention,
    work: &Work,
    multiply: Dtype,
    on: &Machine,
    parameters: &LinearAttentionParameters,
) -> Parts {
    let states = 2.0 * f64::from(op.batch) * op.state_bytes();
    let moved = states + parameters.passes * (work.hbm.get() - states);
    let chunks = f64::from(op.new.div_ceil(op.kind.chunk()));
    [
        (parameters.chunk_launch * 1e-6, Bound::Launch),
        (moved / bandwidth(on, parameters), Bound::Hbm),
        (chunks * rounds(op, on) * parameters.chunk_latency * 1e-6, Bound::Latency),
        (
            work.matrix.get() / (on.chip.matrix_peak(multiply).get() * parameters.compute_efficiency),
            Bound::Matrix,
        ),
    ]
}

fn bandwidth(on: &Machine, parameters: &LinearAttentionParameters) -> f64 {
    on.chip.hbm.bandwidth.get() * parameters.memory_efficiency
}

/// Rounds in which the states of all sequences and value heads pass the cores; below one where cores idle.
fn rounds(op: &LinearAttention, on: &Machine) -> f64 {
    (f64::from(op.batch) * f64::from(op.value_heads) / f64::from(on.chip.compute.cores)).max(1.0)
}
