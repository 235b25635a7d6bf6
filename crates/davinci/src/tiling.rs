//! The fastest legal tiling of a GEMM.
//!
//! Candidates come from a [`Menu`]; buffers rule some out by inequalities ([`legality`]); a closed form ranks the rest
//! ([`estimate`]); the best few are simulated.

mod candidates;
mod estimate;
mod legality;

use vitruvian_diagnostics::{Diagnostic, Diagnostics};

pub use candidates::{FewRows, Menu, candidates};
pub use estimate::estimate;
pub use legality::{Inequality, inequalities, is_legal};

use crate::kernels::gemm::{self, GemmProblem, GemmTiling};
use crate::machine::Machine;
use crate::timing::{Options, Report, simulate};

/// What a search found, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The fastest tiling.
    pub tiling: GemmTiling,
    /// Its run.
    pub report: Report,
    /// Its use of each buffer.
    pub legality: Vec<Inequality>,
    /// Candidates of the menu.
    pub considered: usize,
    /// Those that fit the buffers.
    pub legal: usize,
    /// Those simulated, fastest first, with their cycles.
    pub simulated: Vec<(GemmTiling, u64)>,
}

/// Finds the fastest legal tiling.
///
/// # Errors
/// If no tiling of the menu fits the buffers.
pub fn search(
    machine: &Machine,
    problem: &GemmProblem,
    menu: &Menu,
    options: Options,
) -> Result<Found, Diagnostics> {
    let considered = candidates(machine, problem, menu);
    let mut legal: Vec<GemmTiling> =
        considered.iter().copied().filter(|t| is_legal(machine, problem, t)).collect();
    let total = legal.len();
    legal.sort_by_cached_key(|tiling| estimate(machine, problem, tiling, options.warmth) as u64);
    legal.truncate(menu.simulate);
    let mut runs = Vec::with_capacity(legal.len());
    for tiling in legal {
        let kernel = gemm::kernel(machine, problem, &tiling);
        let report = simulate(machine, &kernel, options).map_err(|fault| internal(&fault.to_string()))?;
        runs.push((tiling, report));
    }
    runs.sort_by_key(|(_, report)| report.cycles);
    let simulated = runs.iter().map(|(tiling, report)| (*tiling, report.cycles)).collect();
    let (tiling, report) = runs.into_iter().next().ok_or_else(|| nothing_fits(machine, problem))?;
    let legality = inequalities(machine, problem, &tiling);
    Ok(Found { tiling, report, legality, considered: considered.len(), legal: total, simulated })
}

fn nothing_fits(machine: &Machine, problem: &GemmProblem) -> Diagnostics {
    let message = format!("no tiling of {problem} fits the buffers of {}", machine.chip);
    Diagnostics(vec![Diagnostic::error("tiling-none", message)])
}

fn internal(fault: &str) -> Diagnostics {
    Diagnostics(vec![Diagnostic::error("tiling-fault", format!("a generated kernel does not run: {fault}"))])
}
