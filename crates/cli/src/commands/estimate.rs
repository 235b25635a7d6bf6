//! `vitruvian estimate`: what one deployment delivers.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use vitruvian::EstimateStudy;
use vitruvian::present::estimate as present;
use vitruvian::study::{Degrees, Phase};
use vitruvian_diagnostics::{Diagnostics, both};
use vitruvian_report::{Block, Page, html};

use super::service::ServiceArgs;
use crate::answer::{Answer, OutputFile};
use crate::inputs;

/// Arguments of `estimate`.
#[derive(Debug, Args)]
pub(crate) struct EstimateArgs {
    /// Chip: a name of the catalog (`chip list`) or a TOML file
    #[arg(long, default_value = "h20", value_name = "CHIP")]
    chip: String,
    #[command(flatten)]
    service: ServiceArgs,
    /// Tensor-parallel degree
    #[arg(long, default_value_t = 1, value_name = "N")]
    tp: u32,
    /// Pipeline-parallel degree
    #[arg(long, default_value_t = 1, value_name = "N")]
    pp: u32,
    /// Data-parallel attention degree
    #[arg(long, default_value_t = 1, value_name = "N")]
    dp: u32,
    /// Expert-parallel degree
    #[arg(long, default_value_t = 1, value_name = "N")]
    ep: u32,
    /// Running sequences of the replica
    #[arg(long, default_value_t = 8, value_name = "SEQUENCES")]
    batch: u32,
    /// Most tokens of one step; without it, the engine's default
    #[arg(long, value_name = "TOKENS")]
    chunk: Option<u32>,
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
    let answer = vitruvian::estimate(&study(arguments)?)?;
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

fn study(arguments: &EstimateArgs) -> Result<EstimateStudy, Diagnostics> {
    let (chip, service) = both(inputs::chip_input(&arguments.chip), arguments.service.service())?;
    Ok(EstimateStudy {
        chip,
        service,
        layout: Degrees { tp: arguments.tp, pp: arguments.pp, dp: arguments.dp, ep: arguments.ep },
        batch: arguments.batch,
        chunk: arguments.chunk,
        phase: match arguments.phase {
            PhaseArg::Prefill => Phase::Prefill,
            PhaseArg::Decode => Phase::Decode,
            PhaseArg::Both => Phase::Both,
        },
    })
}
