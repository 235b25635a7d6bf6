//! `vitruvian cost rent`: the bill of a rented fleet.

use clap::Args;
use vitruvian::ownership::RentStudy;
use vitruvian::present::ownership as present;
use vitruvian_diagnostics::Diagnostics;
use vitruvian_quantity::Seconds;

use crate::answer::Answer;
use crate::inputs;

/// Arguments of `cost rent`.
#[derive(Debug, Args)]
pub(crate) struct RentArgs {
    /// A name of the catalog, or a TOML file
    #[arg(value_name = "CHIP")]
    chip: String,
    /// Servers rented, on the mean; without it and `--chips`, one
    #[arg(long, value_name = "SERVERS", allow_negative_numbers = true)]
    nodes: Option<f64>,
    /// Chips rented, on the mean
    #[arg(long, value_name = "CHIPS", allow_negative_numbers = true)]
    chips: Option<f64>,
    /// For how long, such as 24h or 30d
    #[arg(long = "for", default_value = "24h", value_name = "TIME")]
    time: Seconds,
    /// Rent of one chip and hour, such as "2 USD"; without it, what the catalog quotes first
    #[arg(long, value_name = "MONEY")]
    rent: Option<String>,
    /// US dollars for one unit of a currency, such as CNY=0.139; may be repeated
    #[arg(long = "rate", value_name = "CURRENCY=USD")]
    rates: Vec<String>,
    /// Input tokens processed in that time, such as 608e9
    #[arg(long, default_value_t = 0.0, value_name = "TOKENS", allow_negative_numbers = true)]
    input_tokens: f64,
    /// Share of them that the prefix cache served
    #[arg(long, default_value_t = 0.0, value_name = "SHARE", allow_negative_numbers = true)]
    cached_share: f64,
    /// Output tokens generated in that time, such as 168e9
    #[arg(long, default_value_t = 0.0, value_name = "TOKENS", allow_negative_numbers = true)]
    output_tokens: f64,
}

/// Answers the question.
pub(crate) fn run(arguments: &RentArgs) -> Result<Answer, Diagnostics> {
    let study = RentStudy {
        chip: inputs::chip_input(&arguments.chip)?,
        nodes: arguments.nodes,
        chips: arguments.chips,
        hours: arguments.time.in_unit("h"),
        rent: arguments.rent.clone(),
        rates: arguments.rates.clone(),
        input_tokens: arguments.input_tokens,
        cached_share: arguments.cached_share,
        output_tokens: arguments.output_tokens,
    };
    let answer = vitruvian::ownership::rent(&study)?;
    Ok(Answer::new(present::rent(&answer), &answer))
}
