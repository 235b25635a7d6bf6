//! Work of the vector cores round an int8 product: activations to int8 before it, sums back to numbers behind it.

use vitruvian_davinci::isa::Type;
use vitruvian_davinci::kernels::gemm::{GemmProblem, GemmTiling};
use vitruvian_davinci::kernels::rows::{RowShape, dequantise, quantise};
use vitruvian_davinci::timing::{Options, Warmth, simulate};
use vitruvian_davinci::{Kernel, Machine as Core};
use vitruvian_model::operator::{VectorKind, VectorOp};
use vitruvian_quantity::{Dtype, Seconds};

use super::{Simulated, simulated, warmth};
use crate::timing::Machine;

/// Rows that are run whole; more take their time in proportion.
const MOST_ROWS: u32 = 8192;

/// Share of the bytes of a quantisation that it writes: one of three a number.
const WRITTEN: f64 = 1.0 / 3.0;

/// The kernel that quantises activations; nothing for other work, or where a row does not fit UB.
pub(super) fn quantisation(op: &VectorOp, on: &Machine, core: &Core) -> Option<Simulated> {
    let ty = match op.dtype {
        _ if op.kind != VectorKind::Quantise => return None,
        Dtype::Bf16 => Type::Bf16,
        Dtype::Fp16 => Type::F16,
        _ => return None,
    };
    let footprint = 3.0 * f64::from(op.rows) * f64::from(op.width);
    let warmth = warmth(on, core, footprint, WRITTEN);
    let run = |rows: u32| run(core, &quantise(core, RowShape { rows, width: op.width, ty }).ok()?, warmth);
    in_proportion(op.rows, run)
}

/// Scaling of the sums of a product, block by block behind it, through L2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scaling {
    /// All blocks.
    all: Simulated,
    /// The last block of each core, which nothing hides.
    last: Seconds,
}

impl Scaling {
    pub(super) fn of(core: &Core, problem: &GemmProblem, tiling: &GemmTiling) -> Option<Self> {
        let columns = problem.n.div_ceil(tiling.n);
        let blocks = problem.m.div_ceil(tiling.m) * columns;
        let shape = |rows: u32| RowShape { rows, width: tiling.n, ty: Type::Bf16 };
        let rows =
            |rows| in_proportion(rows, |rows| run(core, &dequantise(core, shape(rows)).ok()?, Warmth::HOT));
        let last = problem.m.min(tiling.m) * blocks.min(core.cube_cores);
        Some(Self { all: rows(problem.m * columns)?, last: rows(last)?.device })
    }

    /// The product and its scaling: the slower of the two, and the last blocks.
    pub(super) fn behind(self, product: Simulated) -> Simulated {
        let hidden = self.all.device - self.last;
        let device = if product.device < hidden { hidden } else { product.device };
        Simulated { device: device + self.last, l2: product.l2 + self.all.l2, ..product }
    }
}

fn run(core: &Core, kernel: &Kernel, warmth: Warmth) -> Option<Simulated> {
    Some(simulated(core, &simulate(core, kernel, Options { warmth, trace: false }).ok()?, None))
}

fn in_proportion(rows: u32, run: impl Fn(u32) -> Option<Simulated>) -> Option<Simulated> {
    let whole = run(rows.clamp(1, MOST_ROWS))?;
    let times = f64::from(rows) / f64::from(rows.clamp(1, MOST_ROWS));
    Some(Simulated { device: whole.device * times, hbm: whole.hbm * times, l2: whole.l2 * times, ..whole })
}
