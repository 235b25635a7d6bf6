//! `vitruvian validate`: predictions against measurements.

pub(crate) mod operators;
mod serving;

use clap::Subcommand;
use vitruvian_diagnostics::Diagnostics;

use crate::answer::Answer;

/// What to validate.
#[derive(Debug, Subcommand)]
pub(crate) enum ValidateCommand {
    /// Predict tables of measured operator times and report the errors by family
    Operators(operators::OperatorsArgs),
    /// Predict a table of measured serving points (closed loop) and report the errors of TTFT and TPOT
    Serving(serving::ServingArgs),
}

/// Runs one of them.
pub(crate) fn run(command: &ValidateCommand) -> Result<Answer, Diagnostics> {
    match command {
        ValidateCommand::Operators(arguments) => operators::run(arguments),
        ValidateCommand::Serving(arguments) => serving::run(arguments),
    }
}
