//! Exchange rates: a catalog file may give a price as its source did, in another currency.

use toml::de::DeTable;
use vitruvian_quantity::Money;

/// The file that holds the rates, with their sources.
static RATES: &str = include_str!("../../../../catalog/currencies.toml");

/// An amount such as `"90000 CNY"` in US dollars; nothing if the currency has no rate.
pub(crate) fn dollars(text: &str) -> Option<f64> {
    let (amount, currency) = text.trim().split_once(' ')?;
    let amount: f64 = amount.parse().ok()?;
    Some(amount * rate(currency)?).filter(|dollars| dollars.is_finite())
}

/// US dollars for one unit of a currency; nothing if the catalog has no rate for it.
pub fn rate(currency: &str) -> Option<f64> {
    let rates = DeTable::parse(RATES).ok()?;
    let rate = rates.get_ref().get(currency)?.get_ref().get("value")?.get_ref().as_str()?;
    rate.parse::<Money>().ok().map(Money::get)
}

/// The currencies that have a rate, sorted.
pub fn names() -> Vec<String> {
    let rates = DeTable::parse(RATES).ok();
    let mut names: Vec<String> = rates
        .iter()
        .flat_map(|rates| rates.get_ref().keys())
        .map(|name| name.get_ref().to_string())
        .collect();
    names.sort_unstable();
    names
}
