//! `vitruvian cost serve`: what a served token costs.

use clap::Args;
use vitruvian::EstimateStudy;
use vitruvian::ownership::{Fleet, ServeAnswers, ServeStudy};
use vitruvian::present::ownership as present;
use vitruvian::study::Phase;
use vitruvian_diagnostics::{Diagnostics, all};
use vitruvian_quantity::Seconds;

use super::money::MoneyArgs;
use crate::answer::Answer;
use crate::commands::replica::ReplicaArgs;
use crate::inputs;

/// Arguments of `cost serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    replica: ReplicaArgs,
    /// Another chip to hold beside, in the same layout or with a search of its own; may be repeated
    #[arg(long, value_name = "CHIP")]
    against: Vec<String>,
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
    let first = study(arguments)?;
    let others = all(arguments.against.iter().map(|chip| inputs::chip_input(chip)))?;
    let others = others.into_iter().map(|chip| ServeStudy {
        estimate: EstimateStudy { chip, ..first.estimate.clone() },
        ..first.clone()
    });
    let studies: Vec<ServeStudy> = std::iter::once(first.clone()).chain(others).collect();
    let chips = all(studies.iter().map(vitruvian::ownership::serve))?;
    let answers = ServeAnswers { chips };
    Ok(Answer::new(present::serve(&answers, arguments.sources), &answers))
}

fn study(arguments: &ServeArgs) -> Result<ServeStudy, Diagnostics> {
    Ok(ServeStudy {
        estimate: arguments.replica.study(Phase::Both)?,
        fleet: arguments.chips.map(|chips| Fleet { chips, ttft: arguments.ttft, tpot: arguments.tpot }),
        assumptions: arguments.money.assumptions(),
        input_price: arguments.input_price.clone(),
        output_price: arguments.output_price.clone(),
    })
}
