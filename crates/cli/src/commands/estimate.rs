//! `vitruvian estimate`: what one deployment delivers.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use vitruvian::present::estimate as present;
use vitruvian::study::Phase;
use vitruvian_diagnostics::Diagnostics;
use vitruvian_report::{Block, Page, html};

use super::replica::ReplicaArgs;
use crate::answer::{Answer, OutputFile};

/// Arguments of `estimate`.
#[derive(Debug, Args)]
pub(crate) struct EstimateArgs {
    #[command(flatten)]
    replica: ReplicaArgs,
    /// Which part of a request to cost
    #[arg(long, value_enum, default_value_t, value_name = "PHASE")]
    phase: PhaseArg,
    /// List every operator: count, shape, time, share, work, achieved rates, bound
    #[arg(long)]
    explain: bool,
    /// Write one self-contained HTML page
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

/// Which part of a request is costed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum PhaseArg {
    /// Prompts alone
    Prefill,
    /// One token for each running sequence
    Decode,
    /// Both, and the steady state of a loaded server
    #[default]
    Both,
}

/// Answers the question.
pub(crate) fn run(arguments: &EstimateArgs) -> Result<Answer, Diagnostics> {
    let answer = vitruvian::estimate(&arguments.replica.study(phase(arguments))?)?;
    let mut blocks = vec![Block::Table(present::table(&answer))];
    if arguments.explain {
        blocks.extend(present::explanation(&answer).into_iter().map(Block::Table));
    }
    let report = arguments
        .report
        .iter()
        .map(|path| OutputFile { path: path.clone(), contents: html::render(&present::page(&answer)) });
    let files = report.collect();
    Ok(Answer { files, ..Answer::new(Page { blocks, ..Page::default() }, &answer) })
}

fn phase(arguments: &EstimateArgs) -> Phase {
    match arguments.phase {
        PhaseArg::Prefill => Phase::Prefill,
        PhaseArg::Decode => Phase::Decode,
        PhaseArg::Both => Phase::Both,
    }
}
