//! What a family's cost function answers, before energy and sigma are added.

use vitruvian_hardware::Chip;
use vitruvian_quantity::{Dtype, Seconds};

use crate::estimate::{Bound, Choice, Work};

/// The chip a kernel runs on, and the state its caches are in.
#[derive(Clone, Copy, Debug)]
pub struct Machine<'a> {
    /// The chip.
    pub chip: &'a Chip,
    /// What its last-level cache may hold when the kernel starts.
    pub residency: Residency,
}

/// What the last-level cache holds of a kernel's operands when it starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Residency {
    /// Nothing: weights and caches of other layers have passed through since. A deployment, or a benchmark that flushes.
    #[default]
    Cold,
    /// A benchmark that repeats the kernel over this many sets of operands: what fits in the cache stays there.
    Rotating {
        /// Sets of operands; one for a benchmark that repeats the very same kernel.
        copies: u32,
    },
}

/// Time and work of one kernel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// Device time, launch inside a captured graph included.
    pub time: Seconds,
    /// What is computed and moved.
    pub work: Work,
    /// Format the matrix unit multiplies, which sets its energy.
    pub multiply: Dtype,
    /// What the time is spent on.
    pub bound: Bound,
    /// How the kernel runs.
    pub choice: Choice,
}

/// Combines compute and memory time: (c^q + m^q)^(1/q). One adds them up (no overlap), infinity takes the longer.
///
/// Computed as longer · (1 + (shorter/longer)^q)^(1/q), which neither overflows nor divides by zero.
pub fn overlap(compute: f64, memory: f64, q: f64) -> f64 {
    let (short, long) = if compute < memory { (compute, memory) } else { (memory, compute) };
    if long <= 0.0 { 0.0 } else { long * (1.0 + (short / long).powf(q)).powf(q.recip()) }
}

/// Four figures that describe a kernel without its tiles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Saturation {
    /// Fixed time, in seconds.
    pub launch: f64,
    /// Share of the matrix peak.
    pub compute: f64,
    /// Share of the memory bandwidth.
    pub memory: f64,
    /// Exponent of [`overlap`].
    pub overlap: f64,
}

/// launch + ((F/(ec·P))^q + (B/(em·BW))^q)^(1/q), with P `speedup` times the dense peak of `multiply`.
pub fn saturating(work: Work, multiply: Dtype, speedup: f64, figures: &Saturation, on: &Machine) -> Timing {
    let peak = on.chip.matrix_peak(multiply).get() * speedup * figures.compute;
    let compute = work.matrix.get() / peak;
    let memory = work.hbm.get() / (on.chip.hbm.bandwidth.get() * figures.memory);
    let busy = overlap(compute, memory, figures.overlap);
    let slower = if compute > memory { Bound::Matrix } else { Bound::Hbm };
    let bound = if figures.launch > busy { Bound::Launch } else { slower };
    Timing { time: Seconds::new(figures.launch + busy), work, multiply, bound, choice: Choice::None }
}

#[cfg(test)]
mod tests {
    use super::overlap;

    #[test]
    fn one_adds_and_a_large_exponent_takes_the_longer() {
        // (3¹ + 4¹)¹ = 7; (3² + 4²)^½ = 5
        assert!((overlap(3.0, 4.0, 1.0) - 7.0).abs() < 1e-12);
        assert!((overlap(4.0, 3.0, 2.0) - 5.0).abs() < 1e-12);
        assert!((overlap(3.0, 4.0, 200.0) - 4.0).abs() < 1e-6);
        assert_eq!(overlap(0.0, 0.0, 2.0), 0.0);
    }
}
