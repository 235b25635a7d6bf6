//! `vitruvian kernel`: a program or kernel on the simulated Da Vinci core.

mod present;
mod products;
mod vectors;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use vitruvian_davinci::answer::{self, Answer as Run};
use vitruvian_davinci::isa::Type;
use vitruvian_davinci::kernels::attention::{Attention, Decode};
use vitruvian_davinci::kernels::rows::RowKind;
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
    Gemm(products::GemmArgs),
    /// Run the products of many experts in one launch
    GroupedGemm(products::GroupedArgs),
    /// Run a convolution as a product of patches
    Convolution(products::ConvolutionArgs),
    /// Run fused attention of whole sequences
    Attention(AttentionArgs),
    /// Run attention of one new token of each sequence over its cache
    Decode(DecodeArgs),
    /// Run softmax of each row
    Softmax(vectors::RowArgs),
    /// Run RMS norm of each row
    RmsNorm(vectors::RowArgs),
    /// Run the rotary embedding of each row
    Rope(vectors::RowArgs),
    /// Run the gated activation of each row
    Swiglu(vectors::RowArgs),
    /// Run dynamic int8 quantisation of each row
    Quantise(vectors::RowArgs),
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
    /// Time it without running it on data first, which catches races, overruns and use of what was never written
    #[arg(long)]
    unchecked: bool,
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

/// Arguments of `kernel decode`.
#[derive(Debug, Args)]
pub(crate) struct DecodeArgs {
    /// Sequences
    #[arg(long, default_value_t = 1)]
    batch: u32,
    /// Query heads
    #[arg(long)]
    heads: u32,
    /// Key-value heads; without it, as many as query heads
    #[arg(long)]
    kv_heads: Option<u32>,
    /// Cached tokens a sequence
    #[arg(long)]
    kv_len: u32,
    /// Width of a head, 64 or 128
    #[arg(long, default_value_t = 128)]
    dim: u32,
    #[command(flatten)]
    common: Common,
}

/// Runs one of them.
pub(crate) fn run(command: &KernelCommand) -> Result<Answer, Diagnostics> {
    match command {
        KernelCommand::Run(arguments) => program(arguments),
        KernelCommand::Gemm(arguments) => products::gemm(arguments),
        KernelCommand::GroupedGemm(arguments) => products::grouped(arguments),
        KernelCommand::Convolution(arguments) => products::convolution(arguments),
        KernelCommand::Attention(arguments) => attention(arguments),
        KernelCommand::Decode(arguments) => decode(arguments),
        KernelCommand::Softmax(arguments) => vectors::run(arguments, RowKind::Softmax),
        KernelCommand::RmsNorm(arguments) => vectors::run(arguments, vectors::RMS_NORM),
        KernelCommand::Rope(arguments) => vectors::run(arguments, RowKind::Rope),
        KernelCommand::Swiglu(arguments) => vectors::run(arguments, RowKind::Swiglu),
        KernelCommand::Quantise(arguments) => vectors::run(arguments, RowKind::Quantise),
        KernelCommand::List => Ok(present::list()),
    }
}

fn program(arguments: &RunArgs) -> Result<Answer, Diagnostics> {
    let machine = machine(&arguments.common)?;
    let source = io::read_text(&arguments.file)?;
    if !arguments.unchecked {
        answer::check(&machine, &source)?;
    }
    let run = answer::program(&machine, &source, options(&arguments.common))?;
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

fn decode(arguments: &DecodeArgs) -> Result<Answer, Diagnostics> {
    let machine = machine(&arguments.common)?;
    let DecodeArgs { batch, heads, kv_len, dim, .. } = *arguments;
    let kv_heads = arguments.kv_heads.unwrap_or(heads);
    let problem = Decode { batch, heads, kv_heads, kv_len, dim, ty: Type::Bf16 };
    let run = answer::decode_attention(&machine, &problem, options(&arguments.common))?;
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
