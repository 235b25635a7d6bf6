//! Work of the vector units, embedding look-up and sampling.
//!
//! A row is the unit of parallel work: one block of threads, or one AI vector core, streams through it. Few rows leave
//! most units idle, and a single long row is bound by the rate of one of them; many rows saturate L2 or device memory.

use vitruvian_model::operator::{Embedding, Sampling, VectorKind, VectorOp};
use vitruvian_quantity::{Dtype, Seconds};

use crate::estimate::{Bound, Choice, Work};
use crate::parameters::parameters;
use crate::roofline::calculated;
use crate::timing::{Machine, Timing, overlap};
use crate::work;

parameters! {
    /// What a fit may change.
    VectorParameters {
        launch: "us" in 0.1..=30.0, "Fixed time of one kernel inside a captured graph.";
        row_latency: "us" in 0.01..=10.0, "Time of one row apart from its bytes: scheduling, first load, last store.";
        row_bandwidth: "GB/s" in 2.0..=400.0, "Rate at which one unit streams through one row.";
        rows_in_flight: "1" in 1.0..=16.0, "Rows that one unit works on at the same time.";
        cache_efficiency: "1" in 0.05..=1.0, "Share of the stated L2 bandwidth that a stream within L2 reaches.";
        memory_efficiency: "1" in 0.05..=1.0, "Share of the stated memory bandwidth that a long stream reaches.";
        cache_share: "1" in 0.2..=1.0, "Share of L2 up to which a working set is found there.";
        overlap: "1" in 1.0..=32.0, "Exponent that combines the time of rows with that of the shared memory: one adds, a large one takes the longer.";
    }
}

/// Rows and passes over them: what a vector kernel is made of.
#[derive(Clone, Copy, Debug)]
struct Rows {
    count: f64,
    /// How often each row is gone through: twice where a reduction comes before the result.
    passes: f64,
    dtype: Dtype,
}

/// Time of one vector kernel.
pub fn estimate(op: &VectorOp, on: &Machine, parameters: &VectorParameters) -> Timing {
    let rows = Rows { count: f64::from(op.rows), passes: passes(op.kind), dtype: op.dtype };
    stream(work::of_vector(op), rows, on, parameters)
}

/// Time of an embedding look-up.
pub fn embedding(op: &Embedding, on: &Machine, parameters: &VectorParameters) -> Timing {
    let rows = Rows { count: f64::from(op.tokens), passes: 1.0, dtype: op.dtype };
    stream(work::of_embedding(op), rows, on, parameters)
}

/// Time of a softmax and choice over logits, whose passes are counted in its bytes.
pub fn sampling(op: &Sampling, on: &Machine, parameters: &VectorParameters) -> Timing {
    let rows = Rows { count: f64::from(op.rows), passes: 1.0, dtype: Dtype::Fp32 };
    stream(work::of_sampling(op), rows, on, parameters)
}

/// Norms, quantisation and selection reduce over a row before they write it.
const fn passes(kind: VectorKind) -> f64 {
    match kind {
        VectorKind::Norm | VectorKind::AddNorm | VectorKind::Quantise | VectorKind::TopK => 2.0,
        VectorKind::Rope
        | VectorKind::GatedActivation
        | VectorKind::Activation
        | VectorKind::Add
        | VectorKind::Gate
        | VectorKind::Permute
        | VectorKind::Unpermute
        | VectorKind::CacheWrite => 1.0,
    }
}

/// launch + (rows^q + memory^q)^(1/q).
fn stream(work: Work, rows: Rows, on: &Machine, p: &VectorParameters) -> Timing {
    let (work, cached) = placed(work, on, p);
    let (row_time, arithmetic) = (row_time(&work, rows, on, p), arithmetic_time(&work, rows.dtype, on));
    let memory = memory_time(&work, on, p);
    let launch = p.launch * 1e-6;
    let units = row_time.max(arithmetic);
    let busy = overlap(units, memory, p.overlap);
    let of_units = if arithmetic > row_time { Bound::Vector } else { Bound::Latency };
    let of_memory = if cached { Bound::L2 } else { Bound::Hbm };
    let slower = if units > memory { of_units } else { of_memory };
    let bound = if launch > busy { Bound::Launch } else { slower };
    Timing { time: Seconds::new(launch + busy), work, multiply: Dtype::Fp32, bound, choice: Choice::None }
}

/// Operands that the kernel before has just written are found in L2 as far as they fit: all up to the share, none from
/// twice the share on, in proportion between.
fn placed(work: Work, on: &Machine, p: &VectorParameters) -> (Work, bool) {
    let fill = work.hbm.get() / (on.chip.l2.capacity.get() * p.cache_share);
    let hit = (2.0 - fill).clamp(0.0, 1.0);
    let (hit_bytes, missed) = (work.hbm * hit, work.hbm * (1.0 - hit));
    (Work { hbm: missed, l2: hit_bytes, ..work }, hit > 0.5)
}

/// Waves of rows over the units, each pass over a row a latency and its bytes at the rate of one unit.
fn row_time(work: &Work, rows: Rows, on: &Machine, p: &VectorParameters) -> f64 {
    if rows.count <= 0.0 {
        return 0.0;
    }
    let slots = f64::from(on.chip.vector.units) * p.rows_in_flight;
    let bytes = (work.hbm + work.l2).get() / rows.count;
    let row = rows.passes * (p.row_latency * 1e-6 + bytes / (p.row_bandwidth * 1e9));
    (rows.count / slots).max(1.0) * row
}

/// Vector FLOPs at the stated peak of the format that the units calculate in.
fn arithmetic_time(work: &Work, dtype: Dtype, on: &Machine) -> f64 {
    (work.vector / on.chip.vector_peak(calculated(dtype, on))).get()
}

/// L2 and device memory one after the other; L2 is never slower than what is behind it.
fn memory_time(work: &Work, on: &Machine, p: &VectorParameters) -> f64 {
    let cache =
        (on.chip.l2.read_bandwidth * p.cache_efficiency).max(on.chip.hbm.bandwidth * p.memory_efficiency);
    let memory = on.chip.hbm.bandwidth * p.memory_efficiency;
    (work.l2 / cache + work.hbm / memory).get()
}
