//! `vitruvian cost serve`: what a served token costs.

use clap::Args;
use vitruvian::ownership::{Fleet, ServeStudy};
use vitruvian::present::ownership as present;
use vitruvian::study::Phase;
use vitruvian_diagnostics::Diagnostics;
use vitruvian_quantity::Seconds;

use super::money::MoneyArgs;
use crate::answer::Answer;
use crate::commands::replica::ReplicaArgs;

/// Arguments of `cost serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    replica: ReplicaArgs,
    /// Search the cheapest deployment on so many chips; layout, batch and chunk are then not yours
    #[arg(long, value_name = "N", conflicts_with_all = ["tp", "pp", "dp", "ep", "batch", "chunk"])]
    chips: Option<u32>,
    /// With --chips: mean time to first token at most, such as 2s
    #[arg(long, value_name = "TIME", requires = "chips")]
    ttft: Option<Seconds>,
    /// With --chips: mean time per output token at most, such as 50ms
    #[arg(long, value_name = "TIME", requires = "chips")]
    tpot: Option<Seconds>,
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
        fleet: arguments.chips.map(|chips| Fleet { chips, ttft: arguments.ttft, tpot: arguments.tpot }),
        assumptions: arguments.money.assumptions(),
        input_price: arguments.input_price.clone(),
        output_price: arguments.output_price.clone(),
    };
    let answer = vitruvian::ownership::serve(&study)?;
    Ok(Answer::new(present::serve(&answer, arguments.sources), &answer))
}
