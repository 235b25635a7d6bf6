//! `vitruvian cost`: what chips cost to make, to own and to rent, and what a token costs.

mod die;
mod money;
mod rent;
mod serve;
mod train;

use clap::Subcommand;
use vitruvian_diagnostics::Diagnostics;

use crate::answer::Answer;

/// What to cost.
#[derive(Debug, Subcommand)]
pub(crate) enum CostCommand {
    /// Make a good chip: wafer, yield, harvest, package, memory, test, on one process or several
    Die(die::DieArgs),
    /// Serve a model: owning against renting, money, energy and carbon per token
    Serve(serve::ServeArgs),
    /// Train a model: days, money, energy and carbon of a run, owned or rented
    Train(train::TrainArgs),
    /// Rent chips for a while: what the bill is, and what a token of it costs
    Rent(rent::RentArgs),
}

/// Runs one of them.
pub(crate) fn run(command: &CostCommand) -> Result<Answer, Diagnostics> {
    match command {
        CostCommand::Die(arguments) => die::run(arguments),
        CostCommand::Serve(arguments) => serve::run(arguments),
        CostCommand::Train(arguments) => train::run(arguments),
        CostCommand::Rent(arguments) => rent::run(arguments),
    }
}
