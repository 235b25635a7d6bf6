//! `vitruvian plan`: the best deployment of the chips at hand for a traffic, and what to start for it.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use vitruvian::plan::{Chips, Confirm, PlanStudy, Planned, Rate, Recorded, Split};
use vitruvian::present::plan as present;
use vitruvian_diagnostics::{Diagnostic, Diagnostics, all, both};
use vitruvian_report::{Block, Page, html, launch};

use super::compare::{Target, target};
use super::service::ServiceArgs;
use crate::answer::{Answer, Folder, OutputFile};
use crate::{inputs, io};

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// The chips at hand, such as h20:8,ascend-910b2:16: names of the catalog or TOML files, and how many of each
    #[arg(long, value_name = "CHIP:N,…", default_value = "h20:8,ascend-910b2:8")]
    chips: String,
    #[command(flatten)]
    service: ServiceArgs,
    /// Requests per second to be served, or `max` for as many as the targets allow; without it, a trace's own rate, or `max`
    #[arg(long, value_name = "RATE", allow_negative_numbers = true, value_parser = rate)]
    rate: Option<Rate>,
    /// Trace of requests whose lengths and arrivals stand for the traffic: Azure, BurstGPT or Mooncake, CSV or JSON lines
    #[arg(long, value_name = "FILE", conflicts_with_all = ["isl", "osl"])]
    trace: Option<PathBuf>,
    /// Leave out rows of the trace that are not as they should be, and count them
    #[arg(long, requires = "trace")]
    lenient: bool,
    /// Time to first token at most, such as 2s or 500ms; `none` sets no target
    #[arg(long, default_value = "2s", value_name = "TIME", value_parser = target)]
    ttft: Target,
    /// Time per output token at most, such as 50ms; `none` sets no target
    #[arg(long, default_value = "50ms", value_name = "TIME", value_parser = target)]
    tpot: Target,
    /// What is best: goodput, throughput, cost, energy or latency
    #[arg(long, default_value = "goodput", value_name = "OBJECTIVE")]
    objective: String,
    /// How the work may be split
    #[arg(long, value_enum, default_value_t, value_name = "SPLIT")]
    split: SplitArg,
    /// How many plans to list and to simulate
    #[arg(long, default_value_t = 10, value_name = "N")]
    best: u32,
    /// Requests of one simulated run
    #[arg(long, default_value_t = 400, value_name = "N")]
    requests: u32,
    /// Share of requests that must meet the targets
    #[arg(long, default_value_t = 0.9, value_name = "SHARE", allow_negative_numbers = true)]
    attainment: f64,
    /// Seed of the simulated arrivals
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    seed: u64,
    /// Stop at the analytic model
    #[arg(long)]
    analytic: bool,
    /// Write what to start for the best plan into this new folder: scripts, configuration, a Kubernetes manifest and a
    /// benchmark with the same traffic
    #[arg(long, value_name = "DIR")]
    emit: Option<PathBuf>,
    /// Show how the search went: replicas by fate, with the nearest miss
    #[arg(long)]
    search: bool,
    /// Write one self-contained HTML page
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

/// How the work may be split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum SplitArg {
    /// Every replica serves whole requests
    Aggregated,
    /// Prefill and decode on pools of their own
    Disaggregated,
    /// Both are looked at
    #[default]
    Both,
}

/// Answers the question.
pub(crate) fn run(arguments: &PlanArgs) -> Result<Answer, Diagnostics> {
    let Planned { answer, launch } = vitruvian::plan::plan(&study(arguments)?, arguments.emit.is_some())?;
    let mut blocks = Vec::new();
    if !answer.plans.is_empty() {
        blocks.extend([Block::Table(present::table(&answer)), Block::Table(present::pools(&answer))]);
    }
    blocks.push(Block::Text(present::paragraph(&answer)));
    if arguments.search {
        blocks.push(Block::Table(present::search_table(&answer)));
    }
    let report = arguments
        .report
        .iter()
        .map(|path| OutputFile { path: path.clone(), contents: html::render(&present::page(&answer)) });
    let folder = arguments.emit.as_ref().zip(launch.as_ref());
    Ok(Answer {
        files: report.collect(),
        folder: folder.map(|(path, launch)| folder_of(path.clone(), launch)),
        infeasible: !answer.closest.is_empty(),
        ..Answer::new(Page { blocks, ..Page::default() }, &answer)
    })
}

fn folder_of(path: PathBuf, launch: &launch::Launch) -> Folder {
    let files = launch::files(launch).into_iter();
    Folder { path, files: files.map(|file| (file.name, file.text, file.executable)).collect() }
}

fn study(arguments: &PlanArgs) -> Result<PlanStudy, Diagnostics> {
    let trace = arguments.trace.as_ref().map(|path| recorded(path, arguments.lenient)).transpose();
    let inputs = both(chips(&arguments.chips), arguments.service.service());
    let ((chips, service), trace) = both(inputs, trace)?;
    let confirm = Confirm { requests: arguments.requests, seed: arguments.seed };
    Ok(PlanStudy {
        chips,
        service,
        rate: arguments.rate,
        trace,
        ttft: arguments.ttft.0,
        tpot: arguments.tpot.0,
        attainment: arguments.attainment,
        objective: Some(arguments.objective.clone()),
        most: arguments.best,
        split: match arguments.split {
            SplitArg::Aggregated => Split::Aggregated,
            SplitArg::Disaggregated => Split::Disaggregated,
            SplitArg::Both => Split::Both,
        },
        confirm: (!arguments.analytic).then_some(confirm),
    })
}

fn recorded(path: &Path, lenient: bool) -> Result<Recorded, Diagnostics> {
    let source = io::read_text(path)?;
    Ok(Recorded { path: source.name().to_owned(), text: source.text().to_owned(), lenient })
}

fn rate(text: &str) -> Result<Rate, String> {
    if text == "max" {
        return Ok(Rate::Most);
    }
    text.parse()
        .map(Rate::PerSecond)
        .map_err(|_| format!("`{text}` is no number of requests per second, nor `max`"))
}

/// `h20:8,ascend-910b2:16`. A chip's file may have a colon in its path: the last one counts.
fn chips(list: &str) -> Result<Vec<Chips>, Diagnostics> {
    all(list.split(',').map(|item| {
        let (chip, count) = item.rsplit_once(':').ok_or_else(|| {
            Diagnostic::error("chips", format!("`{item}` does not say how many chips"))
                .help(format!("write `{item}:8`"))
        })?;
        let count = count.parse().map_err(|_| {
            Diagnostic::error("chips", format!("`{count}` is no number of chips, in `{item}`"))
                .help(format!("write `{chip}:8`"))
        })?;
        Ok::<_, Diagnostics>(Chips { chip: inputs::chip_input(chip)?, count })
    }))
}
