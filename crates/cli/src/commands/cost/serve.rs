//! `vitruvian cost serve`: what a served token costs.

use clap::Args;
use vitruvian::ownership::ServeStudy;
use vitruvian::present::ownership as present;
use vitruvian::study::Phase;
use vitruvian_diagnostics::Diagnostics;

use super::money::MoneyArgs;
use crate::answer::Answer;
use crate::commands::replica::ReplicaArgs;

/// Arguments of `cost serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    replica: ReplicaArgs,
    #[command(flatten)]
    money: MoneyArgs,
    /// What a million input tokens are sold for, such as "0.27 USD"
    #[arg(long, value_name = "MONEY", help_heading = "Money")]
    input_price: Option<String>,
    /// What a million output tokens are sold for, such as "1.10 USD"
    #[arg(long, value_name = "MONEY", help_heading = "Money")]
    output_price: Option<String>,
    /// Show every price and assumption with its date, span and source
    #[arg(long)]
    sources: bool,
}

/// Answers the question.
pub(crate) fn run(arguments: &ServeArgs) -> Result<Answer, Diagnostics> {
    let study = ServeStudy {
        estimate: arguments.replica.study(Phase::Both)?,
        assumptions: arguments.money.assumptions(),
        input_price: arguments.input_price.clone(),
        output_price: arguments.output_price.clone(),
    };
    let answer = vitruvian::ownership::serve(&study)?;
    Ok(Answer::new(present::serve(&answer, arguments.sources), &answer))
}
