//! `vitruvian validate`: predictions against measurements.

pub(crate) mod operators;
mod scenarios;
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
    /// Predict published results, one file each, and report the error of each metric
    Scenarios(scenarios::ScenariosArgs),
}

/// Runs one of them.
pub(crate) fn run(command: &ValidateCommand) -> Result<Answer, Diagnostics> {
    match command {
        ValidateCommand::Operators(arguments) => operators::run(arguments),
        ValidateCommand::Serving(arguments) => serving::run(arguments),
        ValidateCommand::Scenarios(arguments) => scenarios::run(arguments),
    }
}
