//! `vitruvian compare`: the best deployment on each chip, side by side.

use std::path::PathBuf;

use clap::Args;
use vitruvian::present::compare as present;
use vitruvian::{CompareAnswer, CompareStudy};
use vitruvian_diagnostics::{Diagnostics, all, both};
use vitruvian_quantity::Seconds;
use vitruvian_report::{Block, Page, csv, html};

use super::service::ServiceArgs;
use crate::answer::{Answer, OutputFile};
use crate::inputs;

/// Arguments of `compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Chips: names of the catalog (`chip list`) or TOML files
    #[arg(value_name = "CHIP", default_values = ["h20", "ascend-910b2"])]
    chip: Vec<String>,
    #[command(flatten)]
    service: ServiceArgs,
    /// Number of chips of each kind, all of which are used
    #[arg(long, default_value_t = 8, value_name = "N")]
    chips: u32,
    /// Mean time to first token at most, such as 2s or 500ms; `none` sets no target
    #[arg(long, default_value = "2s", value_name = "TIME", value_parser = target)]
    ttft: Target,
    /// Mean time per output token at most, such as 50ms; `none` sets no target
    #[arg(long, default_value = "50ms", value_name = "TIME", value_parser = target)]
    tpot: Target,
    /// What is best: throughput, cost, energy or latency
    #[arg(long, default_value = "throughput", value_name = "OBJECTIVE")]
    objective: String,
    /// Show how the search went: candidates by fate, with the nearest miss
    #[arg(long)]
    search: bool,
    /// Write one self-contained HTML page with tables and figures
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Write every candidate as CSV, with what became of it
    #[arg(long, value_name = "FILE.csv")]
    all: Option<PathBuf>,
}

/// A service level, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target(pub(crate) Option<Seconds>);

pub(crate) fn target(text: &str) -> Result<Target, String> {
    if text == "none" {
        return Ok(Target(None));
    }
    text.parse()
        .map(|time| Target(Some(time)))
        .map_err(|error: vitruvian_quantity::ParseError| error.to_string())
}

/// Answers the question.
pub(crate) fn run(arguments: &CompareArgs) -> Result<Answer, Diagnostics> {
    let answer = vitruvian::compare(&study(arguments)?)?;
    let mut blocks = vec![Block::Table(present::table(&answer)), Block::Text(present::paragraph(&answer))];
    if arguments.search {
        blocks.push(Block::Table(present::search_table(&answer)));
    }
    let page = Page { blocks, ..Page::default() };
    let infeasible = answer.chips.iter().all(|chip| chip.best.is_none());
    Ok(Answer { files: files(arguments, &answer), infeasible, ..Answer::new(page, &answer) })
}

fn study(arguments: &CompareArgs) -> Result<CompareStudy, Diagnostics> {
    let chips = all(arguments.chip.iter().map(|chip| inputs::chip_input(chip)));
    let (chips, service) = both(chips, arguments.service.service())?;
    Ok(CompareStudy {
        chips,
        service,
        count: arguments.chips,
        ttft: arguments.ttft.0,
        tpot: arguments.tpot.0,
        objective: Some(arguments.objective.clone()),
        all: arguments.all.is_some(),
    })
}

fn files(arguments: &CompareArgs, answer: &CompareAnswer) -> Vec<OutputFile> {
    let report = arguments
        .report
        .iter()
        .map(|path| OutputFile { path: path.clone(), contents: html::render(&present::page(answer)) });
    let all = arguments.all.iter().map(|path| OutputFile {
        path: path.clone(),
        contents: csv::render(&present::candidate_table(answer)),
    });
    report.chain(all).collect()
}
