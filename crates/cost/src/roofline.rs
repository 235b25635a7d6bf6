//! The `roofline` fidelity: peaks and bandwidth only, perfect overlap, no fixed cost.

use vitruvian_model::Operator;
use vitruvian_quantity::{Bytes, Dtype, Seconds};

use crate::estimate::{Bound, Choice, Work};
use crate::execution;
use crate::refusal::Refusal;
use crate::timing::{Machine, Residency, Timing};
use crate::work;

/// The longest of matrix FLOPs over matrix peak, vector FLOPs over vector peak, and bytes over bandwidth.
///
/// # Errors
/// [`Refusal`] where the chip does not execute the format, or for a collective.
pub fn estimate(operator: &Operator, on: &Machine) -> Result<Timing, Refusal> {
    Ok(match operator {
        Operator::Gemm(op) => {
            let execution = execution::of(op.scheme, op.sparsity, on.chip)?;
            weighted(work::of_gemm(op, &execution), &execution, on)
        }
        Operator::GroupedGemm(op) => {
            let execution = execution::of(op.scheme, op.sparsity, on.chip)?;
            weighted(work::of_grouped_gemm(op, &execution), &execution, on)
        }
        Operator::PrefillAttention(op) => matrix(work::of_prefill_attention(op), op.compute, on)?,
        Operator::DecodeAttention(op) => matrix(work::of_decode_attention(op), op.compute, on)?,
        Operator::MlaDecode(op) => matrix(work::of_mla_decode(op), op.compute, on)?,
        Operator::Indexer(op) => matrix(work::of_indexer(op), op.dtype, on)?,
        Operator::LinearAttention(op) => matrix(work::of_linear_attention(op), op.dtype, on)?,
        Operator::Vector(op) => resident(work::of_vector(op), op.dtype, on),
        Operator::Embedding(op) => resident(work::of_embedding(op), op.dtype, on),
        Operator::Sampling(op) => resident(work::of_sampling(op), Dtype::Fp32, on),
        Operator::Collective(_) => return Err(Refusal::Collective),
    })
}

fn weighted(work: Work, execution: &execution::Execution, on: &Machine) -> Timing {
    let peak = on.chip.matrix_peak(execution.multiply).get() * execution.speedup;
    longest(work, work.matrix.get() / peak, Memory::of(&work, on), execution.multiply, on)
}

fn matrix(work: Work, dtype: Dtype, on: &Machine) -> Result<Timing, Refusal> {
    let multiply = multiplied(dtype, on)?;
    let compute = (work.matrix / on.chip.matrix_peak(multiply)).get();
    Ok(longest(work, compute, Memory::of(&work, on), multiply, on))
}

/// Vector work finds the operands that the previous kernel has just written in L2, as many as fit.
fn resident(work: Work, dtype: Dtype, on: &Machine) -> Timing {
    let cached = work.hbm.min(on.chip.l2.capacity);
    let work = Work { l2: work.hbm, hbm: work.hbm - cached, ..work };
    longest(work, 0.0, Memory::of(&work, on), dtype, on)
}

/// The format the matrix unit uses for a product asked in `dtype`: itself, or 16 bits where it lacks it.
///
/// # Errors
/// [`Refusal::Format`] where the chip has no 16-bit float either.
pub fn multiplied(dtype: Dtype, on: &Machine) -> Result<Dtype, Refusal> {
    if on.chip.compute.matrix.supports(dtype) {
        return Ok(dtype);
    }
    execution::half(on.chip).ok_or_else(|| Refusal::Format { chip: on.chip.title.clone(), dtype })
}

/// The format vector units calculate in: itself, or fp32 where they lack it (BF16 on the 910B).
pub fn calculated(dtype: Dtype, on: &Machine) -> Dtype {
    if on.chip.vector.rates.supports(dtype) { dtype } else { Dtype::Fp32 }
}

/// Least time on the memories.
#[derive(Clone, Copy, Debug)]
struct Memory {
    time: f64,
    bound: Bound,
}

impl Memory {
    /// Bytes over the stated bandwidth of the level they come from. A benchmark that rotates over sets that fit
    /// in L2 reads from there.
    fn of(work: &Work, on: &Machine) -> Self {
        let l2_bandwidth = on.chip.l2.read_bandwidth.max(on.chip.hbm.bandwidth);
        let cached = match on.residency {
            Residency::Cold => false,
            Residency::Rotating { copies } => f64::from(copies) * work.hbm <= on.chip.l2.capacity,
        };
        let (hbm, l2) = if cached { (Bytes::ZERO, work.hbm + work.l2) } else { (work.hbm, work.l2) };
        let (hbm, l2) = ((hbm / on.chip.hbm.bandwidth).get(), (l2 / l2_bandwidth).get());
        if l2 > hbm { Self { time: l2, bound: Bound::L2 } } else { Self { time: hbm, bound: Bound::Hbm } }
    }
}

fn longest(work: Work, matrix: f64, memory: Memory, multiply: Dtype, on: &Machine) -> Timing {
    let vector = (work.vector / on.chip.vector_peak(calculated(multiply, on))).get();
    let vector = if vector.is_finite() { vector } else { 0.0 };
    let slowest = [(matrix, Bound::Matrix), (vector, Bound::Vector), (memory.time, memory.bound)];
    let (time, bound) = slowest.into_iter().fold((0.0, memory.bound), |a, b| if b.0 > a.0 { b } else { a });
    Timing { time: Seconds::new(time), work, multiply, bound, choice: Choice::None }
}
