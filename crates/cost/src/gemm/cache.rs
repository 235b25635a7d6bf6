//! What a benchmark that rotates over a few sets of operands finds in the last-level cache.

use crate::timing::{Machine, Residency};

/// How sharply hits fall off once the sets outgrow the cache: LRU drops to nothing at once, real caches do not.
const SHARPNESS: i32 = 4;

/// Share of accesses that hit: min(1, share·L2 / sets)⁴, with as many sets of weights as the benchmark rotates over and
/// one of activations and outputs. Zero in a deployment, where other layers pass through between two uses.
pub(crate) fn hits(weights: f64, others: f64, share: f64, on: &Machine) -> f64 {
    let Residency::Rotating { copies } = on.residency else { return 0.0 };
    let sets = f64::from(copies) * weights + others;
    (share * on.chip.l2.capacity.get() / sets).min(1.0).powi(SHARPNESS)
}

/// Share of L2 that a second pass over the operand of a whole kernel may count on: each half of the chip keeps its own copy of
/// what it reads.
const HALF: f64 = 0.5;

/// Share of a second pass over so many bytes that misses: none up to half of L2, all from twice that on.
pub(crate) fn second_pass_misses(bytes: f64, on: &Machine) -> f64 {
    (bytes / (HALF * on.chip.l2.capacity.get()) - 1.0).clamp(0.0, 1.0)
}
