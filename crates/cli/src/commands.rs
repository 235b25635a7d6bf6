//! The commands, one file each.

pub(crate) mod chip;
pub(crate) mod model;

use vitruvian_diagnostics::Diagnostics;

use crate::answer::Answer;
use crate::arguments::Command;

/// The one place that knows all commands.
pub(crate) fn run(command: &Command) -> Result<Answer, Diagnostics> {
    match command {
        Command::Chip(command) => chip::run(command),
        Command::Model(command) => model::run(command),
    }
}
