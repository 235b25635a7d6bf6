//! Work of the vector units, embedding look-up and sampling.

use vitruvian_model::operator::{Embedding, Sampling, VectorOp};
use vitruvian_quantity::{Bytes, BytesPerSecond, Dtype, Seconds};

use crate::estimate::{Bound, Choice, Work};
use crate::parameters::parameters;
use crate::roofline::calculated;
use crate::timing::{Machine, Timing, overlap};
use crate::work;

parameters! {
    /// What a fit may change.
    VectorParameters {
        launch: "us" in 0.0..=100.0, "Fixed time of one kernel inside a captured graph.";
        memory_efficiency: "1" in 0.05..=1.0, "Share of the stated memory bandwidth that a long stream reaches.";
        cache_efficiency: "1" in 0.05..=1.0, "Share of the stated L2 bandwidth that a stream within L2 reaches.";
        compute_efficiency: "1" in 0.05..=1.0, "Share of the vector peak that arithmetic reaches.";
        overlap: "1" in 1.0..=32.0, "Exponent that combines arithmetic and memory time: one adds, a large one takes the longer.";
    }
}

/// Time of one vector kernel.
pub fn estimate(op: &VectorOp, on: &Machine, parameters: &VectorParameters) -> Timing {
    stream(work::of_vector(op), op.dtype, on, parameters)
}

/// Time of an embedding look-up.
pub fn embedding(op: &Embedding, on: &Machine, parameters: &VectorParameters) -> Timing {
    stream(work::of_embedding(op), op.dtype, on, parameters)
}

/// Time of a softmax and choice over logits.
pub fn sampling(op: &Sampling, on: &Machine, parameters: &VectorParameters) -> Timing {
    stream(work::of_sampling(op), Dtype::Fp32, on, parameters)
}

/// launch + (vector^q + memory^q)^(1/q). Operands that fit in L2 are found there: the kernel before has just written them.
fn stream(work: Work, dtype: Dtype, on: &Machine, p: &VectorParameters) -> Timing {
    let cached = work.hbm <= on.chip.l2.capacity;
    let work = if cached { Work { l2: work.hbm, hbm: Bytes::ZERO, ..work } } else { work };
    let memory = if cached {
        work.l2 / (l2_bandwidth(on) * p.cache_efficiency)
    } else {
        work.hbm / (on.chip.hbm.bandwidth * p.memory_efficiency)
    };
    let arithmetic = work.vector / (on.chip.vector_peak(calculated(dtype, on)) * p.compute_efficiency);
    let launch = Seconds::new(p.launch * 1e-6);
    let busy = Seconds::new(overlap(arithmetic.get(), memory.get(), p.overlap));
    let slower = if arithmetic > memory {
        Bound::Vector
    } else if cached {
        Bound::L2
    } else {
        Bound::Hbm
    };
    let bound = if launch > busy { Bound::Launch } else { slower };
    Timing { time: launch + busy, work, multiply: dtype, bound, choice: Choice::None }
}

/// L2 is never slower than what is behind it.
fn l2_bandwidth(on: &Machine) -> BytesPerSecond {
    on.chip.l2.read_bandwidth.max(on.chip.hbm.bandwidth)
}
