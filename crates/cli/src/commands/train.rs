//! `vitruvian train`: how long a training step takes, and which layout is best.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use vitruvian::TrainStudy;
use vitruvian::present::train as present;
use vitruvian::train::study::{PlanSpec, RunSpec};
use vitruvian_diagnostics::{Diagnostic, Diagnostics, both};
use vitruvian_quantity::{Bytes, Seconds};
use vitruvian_report::launch_training::Stack;
use vitruvian_report::{Block, Page, html};

use crate::answer::{Answer, OutputFile};
use crate::inputs;

/// Arguments of `train`.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "switches of a command line")]
pub(crate) struct TrainArgs {
    /// Chip: a name of the catalog (`chip list`) or a TOML file
    #[arg(long, default_value = "h100-sxm", value_name = "CHIP")]
    chip: String,
    /// The model: a name of the catalog (`model list`), a config.json, or a folder that holds one
    #[arg(long, default_value = "llama-3.1-70b", value_name = "MODEL")]
    model: String,
    /// Number of chips; without it, what the layout takes
    #[arg(long, value_name = "N")]
    chips: Option<u32>,
    /// Tokens of a sequence
    #[arg(long, default_value_t = 8192, value_name = "TOKENS")]
    seq: u32,
    /// Sequences of a step
    #[arg(long, default_value_t = 256, value_name = "SEQUENCES")]
    global_batch: u32,
    /// Products in bf16, fp16, fp8, fp8-block (DeepSeek-V3's recipe) or int8
    #[arg(long, default_value = "bf16", value_name = "RECIPE")]
    precision: String,
    /// Training stack; without it, the first that runs on the chip
    #[arg(long, value_name = "STACK")]
    stack: Option<String>,
    /// Node the chips sit in; without it, the one they are usually sold in
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    /// Memory of a chip that the job may take; without it, all
    #[arg(long, value_name = "SIZE")]
    memory: Option<Bytes>,
    /// Routing forced to be even, as benchmarks do
    #[arg(long)]
    balanced: bool,
    /// Search even though degrees are given: those stay, the others are tried
    #[arg(long)]
    search: bool,
    #[command(flatten)]
    plan: PlanArgs,
    #[command(flatten)]
    run: RunArgs,
    /// Numbers of chips of a scaling curve
    #[arg(long, value_delimiter = ',', value_name = "N,N")]
    scaling: Vec<u32>,
    /// Memory of every pipeline device
    #[arg(long)]
    devices: bool,
    /// Draw one step, a row a pipeline device
    #[arg(long)]
    timeline: bool,
    /// Write the time line of one step as a trace for the Perfetto UI
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Write one self-contained HTML page
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Print the flags that launch the layout
    #[arg(long, value_enum, value_name = "STACK")]
    emit: Option<Emit>,
}

/// The layout: without any degree, the best is searched.
#[derive(Debug, Args)]
#[command(next_help_heading = "Layout")]
struct PlanArgs {
    /// Tensor parallel
    #[arg(long, value_name = "N")]
    tp: Option<u32>,
    /// Pipeline parallel
    #[arg(long, value_name = "N")]
    pp: Option<u32>,
    /// Context parallel
    #[arg(long, value_name = "N")]
    cp: Option<u32>,
    /// Data parallel; without it, what is left of the chips
    #[arg(long, value_name = "N")]
    dp: Option<u32>,
    /// Expert parallel
    #[arg(long, value_name = "N")]
    ep: Option<u32>,
    /// Tensor parallel inside an expert
    #[arg(long, value_name = "N")]
    etp: Option<u32>,
    /// Model chunks of a device (virtual pipeline)
    #[arg(long, value_name = "N")]
    chunks: Option<u32>,
    /// Layers of each virtual stage, first to last; without it, as even as possible
    #[arg(long, value_delimiter = ',', value_name = "N,N")]
    layers: Vec<u32>,
    /// Sequences of a micro-batch
    #[arg(long, value_name = "SEQUENCES")]
    micro_batch: Option<u32>,
    /// 1f1b (interleaved over chunks), zb-h1, zb-2p or dualpipe
    #[arg(long, value_name = "SCHEDULE")]
    schedule: Option<String>,
    /// none, selective, elementwise, up-projection, every-second or full
    #[arg(long, value_name = "WHAT")]
    recompute: Option<String>,
    /// Layers of a device that full recomputation runs again; without it, all
    #[arg(long, value_name = "N")]
    recompute_layers: Option<u32>,
    /// none, zero-1, zero-2 or zero-3 (FSDP)
    #[arg(long, value_name = "WHAT")]
    sharding: Option<String>,
    /// Keep norms whole on every TP rank
    #[arg(long)]
    no_sequence_parallel: bool,
    /// ring or ulysses
    #[arg(long, value_name = "HOW")]
    context: Option<String>,
    /// Exchanges to hide: gradients, parameters, tensor, pipeline, experts, or none
    #[arg(long, value_delimiter = ',', value_name = "WHAT")]
    overlap: Option<Vec<String>>,
    /// What lives on the host: none, optimizer or activations
    #[arg(long, value_name = "WHAT")]
    offload: Option<String>,
    /// Let 16-bit weights be the upper halves of their FP32 master copies (MindSpeed's --reuse-fp32-param)
    #[arg(long)]
    reuse_master: bool,
    /// flash or unfused; without it, the stack's own
    #[arg(long, value_name = "KERNEL")]
    attention: Option<String>,
}

/// The run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Run")]
struct RunArgs {
    /// Tokens to train on, such as 15T or 300B: adds days, failures, energy and cost
    #[arg(long, value_name = "TOKENS")]
    tokens: Option<String>,
    /// Mean time between failures of one chip; without it, the catalog's
    #[arg(long, value_name = "TIME")]
    mtbf: Option<Seconds>,
    /// Time from a failure to the next step; without it, the catalog's
    #[arg(long, value_name = "TIME")]
    restart: Option<Seconds>,
    /// Time between checkpoints; without it, the best
    #[arg(long, value_name = "TIME")]
    checkpoint_every: Option<Seconds>,
    /// Region whose tariff and prices hold: cn or us
    #[arg(long, default_value = "cn", value_name = "REGION")]
    region: String,
}

/// Stacks whose flags can be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Emit {
    /// Megatron-LM, core 0.16
    MegatronLm,
    /// MindSpeed-LLM 2.0
    MindspeedLlm,
    /// torchtitan 0.3
    Torchtitan,
}

/// Answers the question.
pub(crate) fn run(arguments: &TrainArgs) -> Result<Answer, Diagnostics> {
    let answer = vitruvian::train(&study(arguments)?)?;
    let mut blocks = vec![Block::Table(present::table(&answer))];
    blocks.extend(present::plans(&answer).map(Block::Table));
    blocks.extend(present::devices(&answer).filter(|_| arguments.devices).map(Block::Table));
    blocks.extend(present::scaling(&answer).map(Block::Table));
    if arguments.timeline {
        blocks.extend(present::timeline(&answer, TIMELINE_COLUMNS).map(Block::Code));
    }
    let stack = arguments.emit.map(|emit| match emit {
        Emit::MegatronLm => Stack::Megatron,
        Emit::MindspeedLlm => Stack::MindSpeed,
        Emit::Torchtitan => Stack::Torchtitan,
    });
    blocks.extend(stack.and_then(|stack| vitruvian::train::launch(&answer, stack)).map(Block::Code));
    let page =
        |path: &PathBuf| OutputFile { path: path.clone(), contents: html::render(&present::page(&answer)) };
    let files = arguments.report.iter().map(page).collect();
    let trace = |path: &PathBuf| (path.clone(), present::perfetto(&answer));
    let traces = arguments.trace.iter().map(trace).collect();
    let infeasible = answer.plans.is_empty();
    Ok(Answer { files, traces, infeasible, ..Answer::new(Page { blocks, ..Page::default() }, &answer) })
}

/// Width of a drawn step.
const TIMELINE_COLUMNS: usize = 88;

fn study(arguments: &TrainArgs) -> Result<TrainStudy, Diagnostics> {
    let node = arguments.node.as_deref().map(inputs::node_input).transpose();
    let named = both(inputs::chip_input(&arguments.chip), inputs::model_input(&arguments.model));
    let tokens = arguments.run.tokens.as_deref().map(tokens).transpose();
    let (((chip, model), node), tokens) = both(both(named, node), tokens)?;
    let plan = spec(&arguments.plan);
    let run = tokens.map(|tokens| RunSpec {
        tokens,
        mtbf: arguments.run.mtbf,
        restart: arguments.run.restart,
        interval: arguments.run.checkpoint_every,
    });
    Ok(TrainStudy {
        chip,
        model,
        node,
        chips: arguments.chips,
        stack: arguments.stack.clone(),
        precision: Some(arguments.precision.clone()),
        sequence: arguments.seq,
        global_batch: arguments.global_batch,
        search: arguments.search || !plan.has_degrees(),
        plan,
        memory: arguments.memory,
        balanced: arguments.balanced,
        run,
        region: Some(arguments.run.region.clone()),
        timeline: arguments.timeline || arguments.trace.is_some() || arguments.report.is_some(),
        scaling: arguments.scaling.clone(),
    })
}

fn spec(arguments: &PlanArgs) -> PlanSpec {
    let own = arguments;
    PlanSpec {
        tp: own.tp,
        cp: own.cp,
        pp: own.pp,
        dp: own.dp,
        ep: own.ep,
        etp: own.etp,
        chunks: own.chunks,
        layers: own.layers.clone(),
        micro_batch: own.micro_batch,
        schedule: own.schedule.clone(),
        recompute: own.recompute.clone(),
        recompute_layers: own.recompute_layers,
        sharding: own.sharding.clone(),
        sequence_parallel: own.no_sequence_parallel.then_some(false),
        context: own.context.clone(),
        overlap: own.overlap.clone(),
        offload: own.offload.clone(),
        attention: own.attention.clone(),
        reuse_master: own.reuse_master,
    }
}

/// `15T`, `300B`, `1e12`.
fn tokens(text: &str) -> Result<f64, Diagnostics> {
    let suffixes = [("T", 1e12), ("B", 1e9), ("M", 1e6)];
    let (number, scale) = suffixes
        .iter()
        .find_map(|(suffix, scale)| Some((text.strip_suffix(suffix)?, *scale)))
        .unwrap_or((text, 1.0));
    let value = number.trim().parse::<f64>().map(|number| number * scale);
    value.map_err(|_| {
        let message = format!("`{text}` is no number of tokens");
        Diagnostic::error("tokens", message).help("such as 15T, 300B or 1e12").into()
    })
}
