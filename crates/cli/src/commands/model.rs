//! `vitruvian model`: what a `config.json` amounts to.

mod describe;
pub(crate) mod list;
pub(crate) mod show;

use clap::{Args, Subcommand};
use vitruvian_diagnostics::Diagnostics;

use crate::answer::Answer;

/// What to look at.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// List the models of the catalog
    List,
    /// Show parameters, caches and layers of a model
    Show(ShowArgs),
}

/// Arguments of `model show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// A name of the catalog, a config.json, or a folder that holds one
    #[arg(value_name = "MODEL")]
    model: String,
}

/// Runs one of them.
pub(crate) fn run(command: &ModelCommand) -> Result<Answer, Diagnostics> {
    match command {
        ModelCommand::List => list::run(),
        ModelCommand::Show(arguments) => show::run(arguments),
    }
}
