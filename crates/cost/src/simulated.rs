//! Operators as kernels on the cycle-level core of `vitruvian_davinci`: the `simulated` fidelity.
//!
//! Nothing here is fitted: the tiling is the fastest of what a vendor library chooses from, and the core is the catalog's.

mod attention;
mod products;

use vitruvian_davinci::isa::Pipe;
use vitruvian_davinci::kernels::gemm::GemmProblem;
use vitruvian_davinci::timing::{Report, Warmth};
use vitruvian_davinci::{CoreTiming, Machine as Core};
use vitruvian_hardware::Chip;
use vitruvian_model::Operator;
use vitruvian_quantity::{Bytes, Seconds};

use crate::estimate::Bound;
use crate::timing::{Machine, Residency};

/// A kernel on the device, launch apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Simulated {
    /// From the first instruction to the last.
    pub(crate) device: Seconds,
    /// Over device memory.
    pub(crate) hbm: Bytes,
    /// Over L2.
    pub(crate) l2: Bytes,
    /// What is fullest.
    pub(crate) bound: Bound,
    /// Error on shapes that the core description has not seen, where it was measured.
    pub(crate) sigma: Option<f64>,
}

/// The operator's kernel, run; nothing where the chip has no Da Vinci core or no kernel is written for the operator.
pub(crate) fn run(operator: &Operator, on: &Machine) -> Option<Simulated> {
    let core = core(on.chip)?;
    match operator {
        Operator::Gemm(op) => products::gemm(op, on, &core),
        Operator::GroupedGemm(op) => products::grouped(op, on, &core),
        Operator::PrefillAttention(op) => attention::prefill(op, on, &core),
        Operator::DecodeAttention(op) => attention::decode(op, on, &core),
        _ => None,
    }
}

/// The simulated core of a chip, if it is a Da Vinci core.
pub(crate) fn core(chip: &Chip) -> Option<Core> {
    Core::new(chip, CoreTiming::of(chip.architecture).ok()?).ok()
}

/// What L2 holds when a kernel of `footprint` bytes starts, a share `written` of them its output.
fn warmth(on: &Machine, core: &Core, footprint: f64, written: f64) -> Warmth {
    match on.residency {
        Residency::Cold => Warmth::COLD,
        Residency::Rotating { copies } => {
            let capacity = core.shared.l2_capacity as f64;
            Warmth::rotating(f64::from(copies) * footprint, capacity, core.core.l2_ways, written)
        }
    }
}

fn warmth_of(on: &Machine, core: &Core, problem: &GemmProblem, products: f64) -> Warmth {
    let (footprint, written) = (problem.footprint(), problem.written());
    warmth(on, core, products * footprint, written / footprint)
}

fn simulated(core: &Core, report: &Report, sigma: Option<f64>) -> Simulated {
    Simulated {
        device: report.time,
        hbm: Bytes::new(report.hbm_bytes as f64),
        l2: Bytes::new(report.l2_bytes as f64),
        bound: bound(core, report),
        sigma,
    }
}

/// The fullest of cube, vector unit, device memory and L2.
fn bound(core: &Core, report: &Report) -> Bound {
    let cycles = report.cycles.max(1) as f64;
    let shares = [
        (report.utilisation(Pipe::M), Bound::Matrix),
        (report.utilisation(Pipe::V), Bound::Vector),
        (report.hbm_bytes as f64 / cycles / core.shared.hbm, Bound::Hbm),
        (report.l2_bytes as f64 / cycles / core.shared.l2_read, Bound::L2),
    ];
    shares.into_iter().fold((0.0, Bound::Latency), |a, b| if b.0 > a.0 { b } else { a }).1
}
