//! Exchange rates: a catalog file may give a price as its source did, in another currency.

use toml::de::{DeTable, DeValue};
use vitruvian_quantity::Money;

/// The file that holds the rates, with their sources.
static RATES: &str = include_str!("../../../../catalog/currencies.toml");

/// What one unit of a currency is worth, and who says so.
#[derive(Clone, Debug, PartialEq)]
pub struct ExchangeRate {
    /// Three letters: `"CNY"`.
    pub currency: String,
    /// US dollars for one unit.
    pub dollars: f64,
    /// The day or year it holds for.
    pub date: String,
    /// The source, by its name in `catalog/sources.toml`.
    pub source: String,
    /// How far it can be trusted.
    pub grade: String,
    /// How it was come by.
    pub note: String,
}

/// The rates of the catalog, in alphabetical order.
pub fn exchange_rates() -> Vec<ExchangeRate> {
    let Ok(rates) = DeTable::parse(RATES) else { return Vec::new() };
    let mut all: Vec<ExchangeRate> =
        rates.get_ref().iter().filter_map(|(name, rate)| read(name.get_ref(), rate.get_ref())).collect();
    all.sort_by(|a, b| a.currency.cmp(&b.currency));
    all
}

fn read(currency: &str, rate: &DeValue<'_>) -> Option<ExchangeRate> {
    let text = |key: &str| Some(rate.get(key)?.get_ref().as_str()?.to_owned());
    Some(ExchangeRate {
        currency: currency.to_owned(),
        dollars: text("value")?.parse::<Money>().ok()?.get(),
        date: text("date").unwrap_or_default(),
        source: text("source").unwrap_or_default(),
        grade: text("grade").unwrap_or_default(),
        note: text("note").unwrap_or_default(),
    })
}

/// An amount such as `"90000 CNY"` in US dollars; nothing if the currency has no rate.
pub(crate) fn dollars(text: &str) -> Option<f64> {
    let (amount, currency) = text.trim().split_once(' ')?;
    let amount: f64 = amount.parse().ok()?;
    Some(amount * rate(currency)?).filter(|dollars| dollars.is_finite())
}

/// US dollars for one unit of a currency; nothing if the catalog has no rate for it.
pub fn rate(currency: &str) -> Option<f64> {
    exchange_rates().into_iter().find(|rate| rate.currency == currency).map(|rate| rate.dollars)
}

/// The currencies that have a rate, sorted.
pub fn names() -> Vec<String> {
    exchange_rates().into_iter().map(|rate| rate.currency).collect()
}
