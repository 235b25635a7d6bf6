//! `vitruvian fleet`: which chips to buy, when, and for which service.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use vitruvian::fleet::{files_named, is_infeasible};
use vitruvian::present::fleet as present;
use vitruvian::{FleetAnswer, FleetStudy, fleet_plan};
use vitruvian_diagnostics::{Diagnostics, all};
use vitruvian_report::{Block, Page, html};

use crate::answer::{Answer, OutputFile};
use crate::io;

/// What to do with a fleet.
#[derive(Debug, Subcommand)]
pub(crate) enum FleetCommand {
    /// Orders, placements, shadow prices and risk of a fleet file
    Plan(PlanArgs),
}

/// Arguments of `fleet plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Fleet file: demand, supply, limits, stacks, risks
    #[arg(value_name = "FILE.toml")]
    file: PathBuf,
    /// Futures to draw; without it, what the file says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    samples: Option<u32>,
    /// Seed of the futures; without it, what the file says
    #[arg(long, value_name = "SEED")]
    seed: Option<u32>,
    /// Show placements by service, and the deployments that the plan chooses from
    #[arg(long)]
    explain: bool,
    /// Write one self-contained HTML page with tables and figures
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

/// Runs one of them.
pub(crate) fn run(command: &FleetCommand) -> Result<Answer, Diagnostics> {
    match command {
        FleetCommand::Plan(arguments) => plan(arguments),
    }
}

fn plan(arguments: &PlanArgs) -> Result<Answer, Diagnostics> {
    let source = io::read_text(&arguments.file)?;
    io::progress("planning");
    let answer = fleet_plan(&FleetStudy {
        path: source.name().to_owned(),
        text: source.text().to_owned(),
        files: beside(&arguments.file, source.text())?,
        samples: arguments.samples,
        seed: arguments.seed,
    })?;
    let page = Page { blocks: blocks(arguments, &answer), ..Page::default() };
    let report = arguments
        .report
        .iter()
        .map(|path| OutputFile { path: path.clone(), contents: html::render(&present::page(&answer)) });
    Ok(Answer { files: report.collect(), infeasible: is_infeasible(&answer), ..Answer::new(page, &answer) })
}

/// The files that the fleet file names, relative to its folder.
fn beside(file: &Path, text: &str) -> Result<Vec<(String, String)>, Diagnostics> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let read = |name: String| {
        let source = io::read_text(&folder.join(&name))?;
        Ok((name, source.text().to_owned()))
    };
    all(files_named(text).into_iter().map(read))
}

fn blocks(arguments: &PlanArgs, answer: &FleetAnswer) -> Vec<Block> {
    let mut tables = vec![present::table(answer)];
    tables.extend(present::stops_table(answer));
    tables.push(present::strategy_table(answer));
    tables.push(present::shadow_table(answer));
    if arguments.explain {
        tables.push(present::placement_table(answer));
        tables.push(present::deployment_table(answer));
    }
    let mut blocks: Vec<Block> = tables.into_iter().map(Block::Table).collect();
    blocks.push(Block::Text(present::paragraph(answer)));
    blocks
}
