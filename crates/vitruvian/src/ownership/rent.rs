//! What renting chips for a while costs.

use vitruvian_diagnostics::{Diagnostic, Diagnostics};
use vitruvian_economics::Exchange;
use vitruvian_economics::rent::{Rent, rents};
use vitruvian_hardware::{Chip, Node};

use super::answer::{Assumption, RentAnswer, RentTokens};
use super::assumptions::positive;
use crate::answer::Range;
use crate::node::node;
use crate::setup::load_chip;
use crate::study::Input;

/// What do so many chips cost for so long?
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RentStudy {
    /// The chip.
    pub chip: Input,
    /// Servers rented, on the mean; or chips.
    pub nodes: Option<f64>,
    /// Chips rented, on the mean.
    pub chips: Option<f64>,
    /// Hours.
    pub hours: f64,
    /// Rent of one chip and hour, with its currency; nothing for what the catalog quotes first.
    pub rent: Option<String>,
    /// Exchange rates, such as `CNY=0.139`.
    pub rates: Vec<String>,
    /// Input tokens processed in that time.
    pub input_tokens: f64,
    /// Share of them that the cache served.
    pub cached_share: f64,
    /// Output tokens generated in that time.
    pub output_tokens: f64,
}

const MILLION: f64 = 1e6;
const SECONDS_AN_HOUR: f64 = 3600.0;

/// Costs a rented fleet.
///
/// # Errors
/// An unknown chip, one without a quoted rent, figures that cannot be, a currency without a rate.
pub fn rent(study: &RentStudy) -> Result<RentAnswer, Diagnostics> {
    check(study)?;
    let (chip, _) = load_chip(&study.chip)?;
    let node = node(&chip, None)?;
    let exchange = Exchange::new(&study.rates)?;
    let rent = quoted(study, &chip, &node, &exchange)?;
    let size = f64::from(node.size);
    let chips = study.nodes.map_or(study.chips.unwrap_or(size), |nodes| nodes * size);
    let total = |per_chip_hour: f64| per_chip_hour * chips * study.hours;
    let spread = rent.per_chip_hour;
    Ok(RentAnswer {
        chip: chip.name.clone(),
        title: chip.title.clone(),
        chips,
        hours: study.hours,
        usd_per_chip_hour: Range { p10: spread.low, p50: spread.typical, p90: spread.high },
        total_usd: total(spread.typical),
        total_range_usd: Range {
            p10: total(spread.low),
            p50: total(spread.typical),
            p90: total(spread.high),
        },
        tokens: tokens(study, total(spread.typical), chips / size),
        source: Assumption {
            key: "rent".to_owned(),
            value: rent.written,
            span: None,
            date: rent.date,
            source: rent.source,
            grade: rent.grade,
        },
    })
}

fn check(study: &RentStudy) -> Result<(), Diagnostics> {
    let mut faults = Vec::new();
    let figures = [
        ("number of servers", study.nodes.unwrap_or(1.0), f64::MIN_POSITIVE, 1e9),
        ("number of chips", study.chips.unwrap_or(1.0), f64::MIN_POSITIVE, 1e9),
        ("hours", study.hours, f64::MIN_POSITIVE, 1e7),
        ("input tokens", study.input_tokens, 0.0, 1e24),
        ("output tokens", study.output_tokens, 0.0, 1e24),
        ("cached share", study.cached_share, 0.0, 1.0),
    ];
    for (what, value, low, high) in figures {
        if !(low..=high).contains(&value) {
            faults.push(Diagnostic::error("out-of-range", format!("the {what} cannot be {value}")));
        }
    }
    if study.nodes.is_some() && study.chips.is_some() {
        let message = "servers and chips are two ways to say the same";
        faults.push(Diagnostic::error("conflict", message).help("give one of --nodes and --chips"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Diagnostics(faults)) }
}

fn quoted(study: &RentStudy, chip: &Chip, node: &Node, exchange: &Exchange) -> Result<Rent, Diagnostic> {
    if let Some(text) = &study.rent {
        return Ok(Rent {
            per_chip_hour: vitruvian_economics::manufacture::Spread::certain(positive(text, exchange)?.get()),
            written: format!("{text} a chip-hour"),
            date: String::new(),
            source: "given".to_owned(),
            grade: "user".to_owned(),
        });
    }
    let found = rents(&[chip.name.as_str()], f64::from(node.size), exchange)?.into_iter().next();
    found.ok_or_else(|| {
        Diagnostic::error("rent-missing", format!("no rent of {} is known", chip.title))
            .help("give one of a chip and hour with `--rent`, such as \"2 USD\"")
    })
}

fn tokens(study: &RentStudy, total: f64, nodes: f64) -> Option<RentTokens> {
    let (input, output) = (study.input_tokens, study.output_tokens);
    let per_node = |tokens: f64| tokens / (study.hours * SECONDS_AN_HOUR * nodes);
    (input + output > 0.0).then(|| RentTokens {
        input,
        cached: input * study.cached_share,
        output,
        input_per_s_per_node: per_node(input),
        output_per_s_per_node: per_node(output),
        all_usd_per_million: total / (input + output) * MILLION,
        all_over_output_usd_per_million: if output > 0.0 { total / output * MILLION } else { 0.0 },
    })
}
