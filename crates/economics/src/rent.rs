//! What chips are rented for.

use serde::Deserialize;
use vitruvian_diagnostics::{Diagnostic, SourceText};

use crate::currency::Exchange;
use crate::manufacture::Spread;

static CATALOG: &str = include_str!("../../../catalog/rents.toml");

/// Hours of a mean month.
const HOURS_A_MONTH: f64 = 730.0;

/// One quoted rent, in US dollars an hour and chip.
#[derive(Clone, Debug, PartialEq)]
pub struct Rent {
    /// US dollars an hour and chip.
    pub per_chip_hour: Spread,
    /// As written: `"25000 CNY a server-month"`.
    pub written: String,
    /// The day or year it holds for.
    pub date: String,
    /// Who says so.
    pub source: String,
    /// How far it can be trusted.
    pub grade: String,
}

#[derive(Deserialize)]
struct File {
    rent: Vec<Quote>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Quote {
    chips: Vec<String>,
    value: String,
    low: Option<String>,
    high: Option<String>,
    per: Per,
    date: String,
    source: String,
    grade: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Per {
    ChipHour,
    ServerHour,
    ServerMonth,
}

/// The rents quoted for a chip (by its name, or those of the chips that its file extends), the one to use first; a server
/// has `server` chips.
///
/// # Errors
/// A currency without a rate.
pub fn rents(names: &[&str], server: f64, exchange: &Exchange) -> Result<Vec<Rent>, Diagnostic> {
    let quotes = read()?.rent;
    let about = |quote: &&Quote| quote.chips.iter().any(|chip| names.contains(&chip.as_str()));
    quotes.iter().filter(about).map(|quote| rent(quote, server, exchange)).collect()
}

fn rent(quote: &Quote, server: f64, exchange: &Exchange) -> Result<Rent, Diagnostic> {
    let (share, word) = match quote.per {
        Per::ChipHour => (1.0, "chip-hour"),
        Per::ServerHour => (1.0 / server, "server-hour"),
        Per::ServerMonth => (1.0 / server / HOURS_A_MONTH, "server-month"),
    };
    let dollars = |text: &str| exchange.dollars(text).map(|money| money.get() * share);
    let typical = dollars(&quote.value)?;
    let end = |text: &Option<String>| text.as_deref().map_or(Ok(typical), dollars);
    Ok(Rent {
        per_chip_hour: Spread { low: end(&quote.low)?, typical, high: end(&quote.high)? },
        written: format!("{} a {word}", quote.value),
        date: quote.date.clone(),
        source: quote.source.clone(),
        grade: quote.grade.clone(),
    })
}

fn read() -> Result<File, Diagnostic> {
    toml::from_str(CATALOG).map_err(|error| {
        let source = SourceText::new("catalog/rents.toml", CATALOG);
        let span = error.span().unwrap_or_default().into();
        Diagnostic::error("rents-file", "the catalog of rents cannot be read").at(
            &source,
            span,
            error.message(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_month_is_shared_by_its_chips_and_hours() {
        let exchange = Exchange::new::<&str>(&[]).unwrap();
        let all = rents(&["ascend-910b2"], 8.0, &exchange).unwrap();
        let month = all.iter().find(|rent| rent.written.contains("month")).unwrap();
        // 25000 × 0.1389 / 8 / 730
        assert!((month.per_chip_hour.typical - 25_000.0 * 0.1389 / 8.0 / 730.0).abs() < 1e-12);
    }

    #[test]
    fn the_h800_is_first_what_deepseek_assumed() {
        let exchange = Exchange::new::<&str>(&[]).unwrap();
        assert_eq!(rents(&["h800-sxm"], 8.0, &exchange).unwrap()[0].per_chip_hour, Spread::certain(2.0));
        assert!(rents(&["l20"], 8.0, &exchange).unwrap().is_empty());
    }
}
