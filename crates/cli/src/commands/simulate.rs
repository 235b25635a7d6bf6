//! `vitruvian simulate`: a deployment under traffic.

mod pool;
mod traffic;

use std::path::PathBuf;

use clap::Args;
use vitruvian::present::simulate as present;
use vitruvian::simulate::{PoolStudy, Simulated};
use vitruvian::study::Degrees;
use vitruvian::{SimulateStudy, simulate};
use vitruvian_diagnostics::{Diagnostic, Diagnostics, both};
use vitruvian_quantity::Seconds;
use vitruvian_report::{Block, Page, columns, html};

use super::service::ServiceArgs;
use crate::answer::{Answer, OutputFile};
use crate::{inputs, io};
use pool::PoolArg;
use traffic::TrafficArgs;

/// Arguments of `simulate`.
#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// Chip: a name of the catalog (`chip list`) or a TOML file
    #[arg(long, default_value = "h20", value_name = "CHIP", conflicts_with_all = ["prefill", "decode"])]
    chip: String,
    /// Number of chips
    #[arg(long, default_value_t = 8, value_name = "N", conflicts_with_all = ["prefill", "decode"])]
    chips: u32,
    /// Tensor-parallel degree of a replica; without any degree, the layout of most throughput at the mean lengths
    #[arg(long, value_name = "N")]
    tp: Option<u32>,
    /// Pipeline-parallel degree of a replica
    #[arg(long, value_name = "N")]
    pp: Option<u32>,
    /// Data-parallel attention degree of a replica
    #[arg(long, value_name = "N")]
    dp: Option<u32>,
    /// Expert-parallel degree of a replica
    #[arg(long, value_name = "N")]
    ep: Option<u32>,
    /// Chips that prefill: `h20,chips=8,tp=4`, with pp, dp, ep, engine and precision as needed
    #[arg(long, value_name = "POOL", requires = "decode", help_heading = "Disaggregation")]
    prefill: Option<PoolArg>,
    /// Chips that decode, written alike
    #[arg(long, value_name = "POOL", requires = "prefill", help_heading = "Disaggregation")]
    decode: Option<PoolArg>,
    /// The side that shows the first token: prefill, or decode once the cache has arrived
    #[arg(long, value_name = "SIDE", help_heading = "Disaggregation")]
    first_token: Option<String>,
    /// Send a cache when its prompt is done instead of layer by layer
    #[arg(long, help_heading = "Disaggregation")]
    whole_transfer: bool,
    #[command(flatten)]
    service: ServiceArgs,
    #[command(flatten)]
    traffic: TrafficArgs,
    /// Time to first token at most, such as 2s; what meets it counts as goodput
    #[arg(long, value_name = "TIME")]
    ttft: Option<Seconds>,
    /// Time per output token at most, such as 50ms
    #[arg(long, value_name = "TIME")]
    tpot: Option<Seconds>,
    /// How requests find their replica: least-loaded, round-robin or prefix-aware
    #[arg(long, value_name = "RULE")]
    routing: Option<String>,
    /// Scheduler: vllm, vllm-v0, sglang or mindie; without it, the engine's own
    #[arg(long, value_name = "NAME")]
    scheduler: Option<String>,
    /// Compute every prompt whole, whatever earlier ones left in the cache
    #[arg(long)]
    no_prefix_cache: bool,
    /// Speculative decoding: `3:0.8` for three drafts each accepted with 0.8, or `0.85,0.6,0.4` one by one
    #[arg(long, value_name = "DRAFTS")]
    speculate: Option<String>,
    /// Exponent of the power law by which tokens choose experts; without it, the engine's own
    #[arg(long, value_name = "EXPONENT")]
    expert_skew: Option<f64>,
    /// Most tokens of one step; without it, the engine's default
    #[arg(long, value_name = "TOKENS")]
    chunk: Option<u32>,
    /// Most running sequences of a data-parallel group; without it, the engine's default
    #[arg(long, value_name = "SEQUENCES")]
    max_sequences: Option<u32>,
    /// Longest sequence that is served; without it, the model's own
    #[arg(long, value_name = "TOKENS")]
    context: Option<u32>,
    /// Requests at the start that are served but not measured
    #[arg(long, default_value_t = 0, value_name = "N")]
    warmup: u32,
    /// Seed of everything that is drawn
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// Write a row a request, as Parquet if the name ends so, else as CSV
    #[arg(long, value_name = "FILE")]
    per_request: Option<PathBuf>,
    /// Write every step as a trace for the Perfetto UI
    #[arg(long, value_name = "FILE")]
    steps: Option<PathBuf>,
    /// Write one self-contained HTML page with figures over time
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

/// Answers the question.
pub(crate) fn run(arguments: &SimulateArgs) -> Result<Answer, Diagnostics> {
    let study = study(arguments)?;
    io::catch_interrupts();
    let mut counter = io::Counter::new("requests answered:");
    let run = simulate(&study, &mut |finished, all| {
        counter.at(finished, all);
        !io::interrupted()
    });
    counter.done();
    let run = run?;
    let page = Page {
        blocks: present::tables(&run.answer).into_iter().map(Block::Table).collect(),
        ..Page::default()
    };
    let mut answer = Answer { infeasible: run.answer.finished == 0, ..Answer::new(page, &run.answer) };
    add_files(&mut answer, arguments, &run)?;
    Ok(answer)
}

fn study(arguments: &SimulateArgs) -> Result<SimulateStudy, Diagnostics> {
    let (pools, service) = both(pools(arguments), arguments.service.service())?;
    Ok(SimulateStudy {
        traffic: arguments.traffic.traffic()?,
        service,
        pools,
        ttft: arguments.ttft,
        tpot: arguments.tpot,
        routing: arguments.routing.clone(),
        no_prefix_cache: arguments.no_prefix_cache,
        speculation: arguments.speculate.clone(),
        first_token: arguments.first_token.clone(),
        whole_transfer: arguments.whole_transfer,
        scheduler: arguments.scheduler.clone(),
        chunk: arguments.chunk,
        max_sequences: arguments.max_sequences,
        context: arguments.context,
        expert_skew: arguments.expert_skew,
        warmup: arguments.warmup,
        seed: arguments.seed,
        steps: arguments.steps.is_some(),
    })
}

fn pools(arguments: &SimulateArgs) -> Result<Vec<PoolStudy>, Diagnostics> {
    if let (Some(prefill), Some(decode)) = (&arguments.prefill, &arguments.decode) {
        let (prefill, decode) = both(prefill.pool(), decode.pool())?;
        return Ok(pool::pair(prefill, decode));
    }
    let chip = inputs::chip_input(&arguments.chip)?;
    let degrees = [arguments.tp, arguments.pp, arguments.dp, arguments.ep];
    Ok(vec![PoolStudy { chip, chips: arguments.chips, layout: layout(degrees), ..PoolStudy::default() }])
}

/// The degrees that are given, the others one; nothing if none is.
fn layout(degrees: [Option<u32>; 4]) -> Option<Degrees> {
    let [tp, pp, dp, ep] = degrees.map(|degree| degree.unwrap_or(1));
    degrees.iter().any(Option::is_some).then_some(Degrees { tp, pp, dp, ep })
}

fn add_files(answer: &mut Answer, arguments: &SimulateArgs, run: &Simulated) -> Result<(), Diagnostics> {
    if let Some(path) = &arguments.report {
        answer
            .files
            .push(OutputFile { path: path.clone(), contents: html::render(&present::page(&run.answer)) });
    }
    if let (Some(path), Some(steps)) = (&arguments.steps, &run.steps) {
        answer.traces.push((path.clone(), present::trace(&run.answer, steps)));
    }
    if let Some(path) = &arguments.per_request {
        let rows = present::request_columns(run);
        let bytes = if path.extension().is_some_and(|extension| extension == "parquet") {
            columns::parquet(&rows).map_err(|error| Diagnostic::error("parquet", error.to_string()))?
        } else {
            columns::csv(&rows).into_bytes()
        };
        answer.traces.push((path.clone(), bytes));
    }
    Ok(())
}
