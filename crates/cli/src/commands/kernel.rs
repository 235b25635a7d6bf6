//! `vitruvian kernel`: a program or kernel on the simulated Da Vinci core.

mod present;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use vitruvian_davinci::answer::{self, Answer as Run};
use vitruvian_davinci::isa::Type;
use vitruvian_davinci::kernels::attention::Attention;
use vitruvian_davinci::kernels::gemm::{GemmProblem, Weights};
use vitruvian_davinci::tiling::Menu;
use vitruvian_davinci::timing::{Options, Warmth};
use vitruvian_davinci::{CoreTiming, Machine};
use vitruvian_diagnostics::Diagnostics;

use crate::answer::Answer;
use crate::{inputs, io};

pub(crate) use present::Shown;

/// What to run.
#[derive(Debug, Subcommand)]
pub(crate) enum KernelCommand {
    /// Run a `.dv` program
    Run(RunArgs),
    /// Find the fastest tiling of a matrix product and run it
    Gemm(GemmArgs),
    /// Run fused attention of whole sequences
    Attention(AttentionArgs),
    /// List the kernels there are
    List,
}

/// What every kernel takes.
#[derive(Debug, Args)]
struct Common {
    /// Chip: a name of the catalog (`chip list`) or a TOML file
    #[arg(long, default_value = "ascend-910b2", value_name = "CHIP")]
    chip: String,
    /// Change the machine: `l0c=256KiB,hbm=3.2TB/s,gm_l1=256`
    #[arg(long, value_name = "KEY=VALUE,...")]
    what_if: Option<String>,
    /// What L2 holds at the start
    #[arg(long, value_enum, default_value_t, value_name = "STATE")]
    l2: L2State,
    /// Write a trace for the Perfetto UI
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Draw the pipes of the first group of cores over time
    #[arg(long)]
    timeline: bool,
}

/// What L2 holds at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum L2State {
    /// Nothing of the kernel
    #[default]
    Cold,
    /// All of its inputs
    Hot,
}

/// Arguments of `kernel run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The program
    #[arg(value_name = "FILE.dv")]
    file: PathBuf,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `kernel gemm`.
#[derive(Debug, Args)]
pub(crate) struct GemmArgs {
    /// Rows of C
    #[arg(long)]
    m: u32,
    /// Columns of C
    #[arg(long)]
    n: u32,
    /// Depth
    #[arg(long)]
    k: u32,
    /// Type of A and B
    #[arg(long, value_enum, default_value_t, value_name = "TYPE")]
    dtype: DtypeArg,
    /// Whether B is stored as NZ fractals
    #[arg(long)]
    nz: bool,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `kernel attention`.
#[derive(Debug, Args)]
pub(crate) struct AttentionArgs {
    /// Sequences
    #[arg(long, default_value_t = 1)]
    batch: u32,
    /// Query heads
    #[arg(long)]
    heads: u32,
    /// Key-value heads; without it, as many as query heads
    #[arg(long)]
    kv_heads: Option<u32>,
    /// Tokens a sequence, a multiple of 128
    #[arg(long)]
    seq: u32,
    /// Width of a head, 64 or 128
    #[arg(long, default_value_t = 128)]
    dim: u32,
    /// Every token sees every other
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    common: Common,
}

/// Types that the cube multiplies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum DtypeArg {
    #[default]
    Bf16,
    Fp16,
    Fp32,
    Int8,
}

/// Runs one of them.
pub(crate) fn run(command: &KernelCommand) -> Result<Answer, Diagnostics> {
    match command {
        KernelCommand::Run(arguments) => program(arguments),
        KernelCommand::Gemm(arguments) => gemm(arguments),
        KernelCommand::Attention(arguments) => attention(arguments),
        KernelCommand::List => Ok(present::list()),
    }
}

fn program(arguments: &RunArgs) -> Result<Answer, Diagnostics> {
    let machine = machine(&arguments.common)?;
    let run = answer::program(&machine, &io::read_text(&arguments.file)?, options(&arguments.common))?;
    Ok(shown(&machine, &run, &arguments.common))
}

fn gemm(arguments: &GemmArgs) -> Result<Answer, Diagnostics> {
    let machine = machine(&arguments.common)?;
    let weights = if arguments.nz { Weights::Nz } else { Weights::RowsOfN };
    let problem = GemmProblem {
        weights,
        ..GemmProblem::new(arguments.m, arguments.n, arguments.k, arguments.dtype.ty())
    };
    let run = answer::gemm(&machine, &problem, &Menu::full(), options(&arguments.common))?;
    Ok(shown(&machine, &run, &arguments.common))
}

fn attention(arguments: &AttentionArgs) -> Result<Answer, Diagnostics> {
    let machine = machine(&arguments.common)?;
    let AttentionArgs { batch, heads, seq, dim, .. } = *arguments;
    let kv_heads = arguments.kv_heads.unwrap_or(heads);
    let problem = Attention { batch, heads, kv_heads, seq, dim, ty: Type::Bf16, causal: !arguments.full };
    let run = answer::attention(&machine, &problem, options(&arguments.common))?;
    Ok(shown(&machine, &run, &arguments.common))
}

fn machine(common: &Common) -> Result<Machine, Diagnostics> {
    let chip = inputs::chip(&common.chip)?.chip;
    let machine = Machine::new(&chip, CoreTiming::of(chip.architecture)?)?;
    answer::what_if(&machine, common.what_if.as_deref().unwrap_or_default())
}

fn options(common: &Common) -> Options {
    let warmth = if common.l2 == L2State::Hot { Warmth::HOT } else { Warmth::COLD };
    Options { warmth, trace: common.timeline || common.trace.is_some() }
}

fn shown(machine: &Machine, run: &Run, common: &Common) -> Answer {
    let mut answer = present::run(machine, run, common.timeline);
    if let Some(path) = &common.trace {
        answer.traces.push((path.clone(), answer::perfetto(&run.kernel, &run.report.events, machine.clock)));
    }
    answer
}

impl DtypeArg {
    fn ty(self) -> Type {
        match self {
            Self::Bf16 => Type::Bf16,
            Self::Fp16 => Type::F16,
            Self::Fp32 => Type::F32,
            Self::Int8 => Type::S8,
        }
    }
}
