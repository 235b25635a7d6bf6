//! What `vitruvian kernel` says: pure functions from a question to plain results.

mod perfetto;
mod reason;
mod timeline;
mod what_if;

pub use perfetto::perfetto;
pub use timeline::{Lane, timeline};
pub use what_if::{WHAT_IF_KEYS, what_if};

use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText};
use vitruvian_quantity::Seconds;

use crate::asm::assemble;
use crate::functional::{GlobalMemory, execute};
use crate::isa::{Pipe, Type};
use crate::kernel::{Kernel, Role};
use crate::kernels::attention::{Attention, AttentionTiling, Decode, decode, prefill};
use crate::kernels::gemm::{self, GemmProblem};
use crate::kernels::rows::{RowKind, RowShape};
use crate::machine::Machine;
use crate::tiling::{Found, Menu, search};
use crate::timing::{Cause, Options, Report, simulate};

/// The answer for one kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What ran.
    pub kernel: Kernel,
    /// Its run.
    pub report: Report,
    /// Cycles on the device.
    pub cycles: u64,
    /// The same as time, launch included.
    pub time: Seconds,
    /// Useful operations a second, launch included.
    pub tflops: f64,
    /// Share of the dense cube peak of the type, launch included; zero where the kernel has no products.
    pub peak_share: f64,
    /// Pipes that ran anything, with the share of the run in which they were occupied.
    pub utilisation: Vec<(Pipe, f64)>,
    /// Where pipes stood still, longest first: pipe, cause, share of the run over the cores that used the pipe.
    pub stalls: Vec<(Pipe, Cause, f64)>,
    /// What bounds the kernel, and what would have to change.
    pub reason: String,
    /// For a GEMM, the search behind its tiling.
    pub search: Option<Found>,
}

/// The kernels there are: the command, what it computes.
pub const KERNELS: [(&str, &str); 11] = [
    ("run", "any program written as text (.dv)"),
    (
        "gemm",
        "C = A · B: fp16, bf16, hf32, fp32, int8, int4; split K, NZ weights, bias, fused dequantise, 4:2 sparse weights",
    ),
    ("grouped-gemm", "products of many experts in one launch"),
    ("convolution", "patches cut from the image on the way to L0A"),
    (
        "attention",
        "fused causal or full attention of whole sequences, cube and vector cores pipelined through L2",
    ),
    ("decode", "attention of one new token of each sequence over its cache"),
    ("softmax", "row by row"),
    ("rms-norm", "row by row"),
    ("rope", "rotary embedding of half-split rows"),
    ("swiglu", "gated activation"),
    ("quantise", "dynamic int8, one scale a row"),
];

/// Runs the text of a `.dv` program in time.
///
/// # Errors
/// Mistakes of the text; deadlock.
pub fn program(machine: &Machine, source: &SourceText, options: Options) -> Result<Answer, Diagnostics> {
    let kernel = assemble(source)?;
    finish(machine, kernel, Type::F16, options)
}

/// Runs the text of a `.dv` program on data, all of its inputs zero: is it allowed to do what it does?
///
/// # Errors
/// Mistakes of the text; the first race, access out of bounds or to what was never written, or deadlock, at its line.
pub fn check(machine: &Machine, source: &SourceText) -> Result<(), Diagnostics> {
    let kernel = assemble(source)?;
    let mut gm = GlobalMemory::new(&kernel);
    for tensor in kernel.tensors.iter().filter(|tensor| tensor.role == Role::Input) {
        gm.fill(&tensor.name, Type::S8, &vec![0.0; tensor.bytes as usize]);
    }
    execute(machine, &kernel, &mut gm).map_err(|fault| {
        let slot = kernel.cores.get(fault.core).map_or(0, |core| core.program);
        let program = kernel.programs.get(slot);
        let told = program.map_or_else(
            || Diagnostic::error("davinci-fault", fault.to_string()),
            |program| fault.diagnostic(program),
        );
        Diagnostics(vec![told])
    })
}

/// The fastest GEMM of a menu.
///
/// # Errors
/// If the cube does not multiply the type, or no tiling fits.
pub fn gemm(
    machine: &Machine,
    problem: &GemmProblem,
    menu: &Menu,
    options: Options,
) -> Result<Answer, Diagnostics> {
    if machine.cube_rate(problem.ty) == 0.0 {
        let message = format!("the cube of {} does not multiply {}", machine.chip, problem.ty.name());
        return Err(Diagnostics(vec![Diagnostic::error("davinci-type", message)]));
    }
    let found = search(machine, problem, menu, Options { trace: false, ..options })?;
    let kernel = gemm::kernel(machine, problem, &found.tiling);
    let answer = finish(machine, kernel, problem.ty, options)?;
    Ok(Answer { search: Some(found), ..answer })
}

/// Fused attention.
///
/// # Errors
/// If the shape is not whole tiles, or the core is coupled.
pub fn attention(machine: &Machine, problem: &Attention, options: Options) -> Result<Answer, Diagnostics> {
    let kernel = prefill(machine, problem, &AttentionTiling::default())?;
    finish(machine, kernel, problem.ty, options)
}

/// Attention of one new token of each sequence over its cache.
///
/// # Errors
/// If the shape does not fit a tile, or the core is coupled.
pub fn decode_attention(
    machine: &Machine,
    problem: &Decode,
    options: Options,
) -> Result<Answer, Diagnostics> {
    let kernel = decode(machine, problem, &AttentionTiling::decode(problem, machine.cube_cores))?;
    finish(machine, kernel, problem.ty, options)
}

/// Products with the same K and N and weights of their own in one launch, tiled as the largest of them is best tiled.
///
/// # Errors
/// If there is no row at all, or no tiling fits.
pub fn grouped_gemm(
    machine: &Machine,
    problems: &[GemmProblem],
    menu: &Menu,
    options: Options,
) -> Result<Answer, Diagnostics> {
    let Some(largest) = problems.iter().filter(|problem| problem.m > 0).max_by_key(|problem| problem.m)
    else {
        return Err(Diagnostics(vec![Diagnostic::error("davinci-empty", "no expert has a row")]));
    };
    let found = search(machine, largest, menu, Options { trace: false, ..options })?;
    let kernel = gemm::grouped(machine, problems, &found.tiling);
    let answer = finish(machine, kernel, largest.ty, options)?;
    Ok(Answer { search: Some(found), ..answer })
}

/// A kernel of the vector cores that works row by row.
///
/// # Errors
/// If a row does not fit UB.
pub fn rows(
    machine: &Machine,
    kind: RowKind,
    shape: RowShape,
    options: Options,
) -> Result<Answer, Diagnostics> {
    finish(machine, kind.kernel(machine, shape)?, shape.ty, options)
}

/// Runs a kernel and says why it takes its time.
///
/// # Errors
/// Deadlock.
pub fn finish(machine: &Machine, kernel: Kernel, ty: Type, options: Options) -> Result<Answer, Diagnostics> {
    let report = simulate(machine, &kernel, options)
        .map_err(|fault| Diagnostics(vec![Diagnostic::error("davinci-run", fault.to_string())]))?;
    let time = report.time_with_launch;
    let tflops = kernel.flops / time.get() / 1e12;
    let peak = machine.cube_peak(ty) * machine.clock.get() / 1e12;
    let multiplies = report.cores.iter().any(|core| core.pipes[Pipe::M as usize].instructions > 0);
    let used = |pipe: &Pipe| report.cores.iter().any(|core| core.pipes[*pipe as usize].instructions > 0);
    let utilisation =
        Pipe::ALL.into_iter().filter(used).map(|pipe| (pipe, report.utilisation(pipe))).collect();
    let stalls = stalls(&report);
    let reason = reason::reason(machine, &report, &stalls);
    let peak_share = if multiplies && peak > 0.0 { tflops / peak } else { 0.0 };
    let cycles = report.cycles;
    Ok(Answer { kernel, report, cycles, time, tflops, peak_share, utilisation, stalls, reason, search: None })
}

fn stalls(report: &Report) -> Vec<(Pipe, Cause, f64)> {
    let mut stalls = Vec::new();
    for pipe in Pipe::ALL {
        let cores = report.cores.iter().filter(|core| core.pipes[pipe as usize].instructions > 0).count();
        let whole = cores as f64 * report.cycles.max(1) as f64;
        let causes =
            Cause::ALL.into_iter().map(|cause| (pipe, cause, report.stall(pipe, cause) as f64 / whole));
        stalls.extend(causes.filter(|(_, _, share)| *share > 0.0));
    }
    stalls.sort_by(|a, b| b.2.total_cmp(&a.2));
    stalls
}
