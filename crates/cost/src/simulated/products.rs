//! Matrix products, alone and of many experts.

use vitruvian_davinci::Machine as Core;
use vitruvian_davinci::isa::Type;
use vitruvian_davinci::kernels::gemm::{self, Epilogue, GemmProblem, Weights};
use vitruvian_davinci::tiling::{Menu, search};
use vitruvian_davinci::timing::{Options, simulate};
use vitruvian_model::operator::{Gemm, GroupedGemm};
use vitruvian_model::{Scheme, Sparsity};
use vitruvian_quantity::Dtype;

use super::vectors::Scaling;
use super::{Simulated, simulated, warmth_of};
use crate::execution;
use crate::timing::Machine;

/// Several products of one shape in a batch are so many launches' worth of blocks in one.
pub(super) fn gemm(op: &Gemm, on: &Machine, core: &Core) -> Option<Simulated> {
    let problem = problem((op.m, op.n, op.k), op.scheme, op.sparsity, on)?;
    if op.batch > 1 {
        return many(&vec![problem; op.batch as usize], on, core);
    }
    let by_row = op.scheme == Scheme::W8A8Dynamic;
    let problem = if by_row { sums(problem) } else { problem };
    let options = Options { warmth: warmth_of(on, core, &problem, 1.0), trace: false };
    let menu = if by_row { Menu::library_before_vectors() } else { Menu::library() };
    let found = search(core, &problem, &menu, options).ok()?;
    let product = simulated(core, &found.report, sigma(core, &problem));
    if by_row { Some(Scaling::of(core, &problem, &found.tiling)?.behind(product)) } else { Some(product) }
}

/// Scales of rows are beyond the cube core, which scales columns: its sums go to the vector cores through L2.
fn sums(problem: GemmProblem) -> GemmProblem {
    GemmProblem { epilogue: Epilogue::None, out: Type::S32, ..problem }
}

/// Every expert that is hit, with the mean rows of those: how uneven they are is the tile model's to say.
pub(super) fn grouped(op: &GroupedGemm, on: &Machine, core: &Core) -> Option<Simulated> {
    let hit = op.experts_hit().round().max(1.0);
    let rows = (op.rows() / hit).ceil().max(1.0);
    let problem = problem((rows as u32, op.n, op.k), op.scheme, op.sparsity, on)?;
    let run = many(&vec![problem; hit as usize], on, core)?;
    Some(Simulated { sigma: core.core.sigma.grouped, ..run })
}

fn many(problems: &[GemmProblem], on: &Machine, core: &Core) -> Option<Simulated> {
    let one = problems.first()?;
    let options = Options { warmth: warmth_of(on, core, one, problems.len() as f64), trace: false };
    let tiling = search(core, one, &Menu::library(), options).ok()?.tiling;
    let report = simulate(core, &gemm::grouped(core, problems, &tiling), options).ok()?;
    Some(simulated(core, &report, sigma(core, one)))
}

fn sigma(core: &Core, problem: &GemmProblem) -> Option<f64> {
    if problem.ty == Type::S8 { core.core.sigma.int8 } else { core.core.sigma.gemm }
}

/// Linear layers as the stack stores them: 16-bit weights by rows, 8-bit weights as fractals, scaled back on the way out.
fn problem(
    (m, n, k): (u32, u32, u32),
    scheme: Scheme,
    sparsity: Sparsity,
    on: &Machine,
) -> Option<GemmProblem> {
    let execution = execution::of(scheme, sparsity, on.chip).ok()?;
    let ty = match execution.multiply {
        _ if execution.dequantise.is_some() => return None,
        Dtype::Bf16 => Type::Bf16,
        Dtype::Fp16 => Type::F16,
        Dtype::Int8 => Type::S8,
        _ => return None,
    };
    let plain = GemmProblem { sparse: sparsity != Sparsity::Dense, ..GemmProblem::new(m, n, k, ty) };
    if ty == Type::S8 {
        let (weights, epilogue) = (Weights::Nz, Epilogue::Dequantise);
        return Some(GemmProblem { weights, epilogue, out: Type::F16, ..plain });
    }
    Some(plain)
}
