//! The commands, one file each.

pub(crate) mod calibrate;
pub(crate) mod chip;
pub(crate) mod compare;
pub(crate) mod compress;
pub(crate) mod cost;
pub(crate) mod estimate;
pub(crate) mod export_control;
pub(crate) mod fleet;
pub(crate) mod kernel;
pub(crate) mod model;
pub(crate) mod plan;
mod replica;
mod service;
pub(crate) mod simulate;
pub(crate) mod train;
pub(crate) mod validate;

use vitruvian_diagnostics::Diagnostics;

use crate::answer::Answer;
use crate::arguments::Command;

/// The one place that knows all commands.
pub(crate) fn run(command: &Command) -> Result<Answer, Diagnostics> {
    match command {
        Command::Compare(arguments) => compare::run(arguments),
        Command::Estimate(arguments) => estimate::run(arguments),
        Command::Plan(arguments) => plan::run(arguments),
        Command::Simulate(arguments) => simulate::run(arguments),
        Command::Train(arguments) => train::run(arguments),
        Command::Compress(arguments) => compress::run(arguments),
        Command::Cost(command) => cost::run(command),
        Command::Fleet(command) => fleet::run(command),
        Command::ExportControl(command) => export_control::run(command),
        Command::Chip(command) => chip::run(command),
        Command::Model(command) => model::run(command),
        Command::Kernel(command) => kernel::run(command),
        Command::Validate(command) => validate::run(command),
        Command::Calibrate(arguments) => calibrate::run(arguments),
    }
}
