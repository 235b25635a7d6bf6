//! `vitruvian chip`: the catalog of chips, and files that extend it.

pub(crate) mod diff;
pub(crate) mod list;
pub(crate) mod show;

use clap::{Args, Subcommand};
use vitruvian_diagnostics::Diagnostics;

use crate::answer::Answer;

/// What to look at.
#[derive(Debug, Subcommand)]
pub(crate) enum ChipCommand {
    /// List the chips of the catalog with their main figures
    List,
    /// Show every figure of a chip
    Show(ShowArgs),
    /// Show the figures in which two chips differ
    Diff(DiffArgs),
}

/// Arguments of `chip show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// A name of the catalog, or a TOML file
    #[arg(value_name = "CHIP")]
    chip: String,
    /// Show where each figure comes from, and what other sources say
    #[arg(long)]
    sources: bool,
}

/// Arguments of `chip diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// A name of the catalog, or a TOML file
    #[arg(value_name = "CHIP")]
    from: String,
    /// A name of the catalog, or a TOML file
    #[arg(value_name = "OTHER")]
    to: String,
}

/// Runs one of them.
pub(crate) fn run(command: &ChipCommand) -> Result<Answer, Diagnostics> {
    match command {
        ChipCommand::List => list::run(),
        ChipCommand::Show(arguments) => show::run(arguments),
        ChipCommand::Diff(arguments) => diff::run(arguments),
    }
}
