//! `vitruvian validate`: predictions against measurements.

mod serving;

use clap::Subcommand;
use vitruvian_diagnostics::Diagnostics;

use crate::answer::Answer;

/// What to validate.
#[derive(Debug, Subcommand)]
pub(crate) enum ValidateCommand {
    /// Predict a table of measured serving points (closed loop) and report the errors of TTFT and TPOT
    Serving(serving::ServingArgs),
}

/// Runs one of them.
pub(crate) fn run(command: &ValidateCommand) -> Result<Answer, Diagnostics> {
    match command {
        ValidateCommand::Serving(arguments) => serving::run(arguments),
    }
}
