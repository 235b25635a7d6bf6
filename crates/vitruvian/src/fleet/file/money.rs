//! Amounts of money in the currencies of the catalog and of the file.

use toml::de::{DeTable, DeValue};
use vitruvian_diagnostics::Span;
use vitruvian_hardware::catalog::currency;
use vitruvian_quantity::Money;

use super::fault::Faults;

/// Rates that the file gives, before those of the catalog.
#[derive(Default)]
pub(super) struct Rates(Vec<(String, f64)>);

impl Rates {
    /// Reads `[currencies]`: US dollars for one unit of each.
    pub(super) fn read(document: &DeTable<'_>, faults: &mut Faults<'_>) -> Self {
        let mut rates = Self::default();
        let Some(table) = document.get("currencies").and_then(|value| value.get_ref().as_table()) else {
            return rates;
        };
        for (name, value) in table {
            let number = match value.get_ref() {
                DeValue::Float(float) => float.to_string().parse::<f64>().ok(),
                DeValue::Integer(integer) => integer.to_string().parse::<f64>().ok(),
                _ => None,
            };
            match number.filter(|rate| rate.is_finite() && *rate > 0.0) {
                Some(rate) => rates.0.push((name.get_ref().to_string(), rate)),
                None => faults.add(
                    "currency-rate",
                    format!(
                        "`currencies.{}` must be US dollars for one unit, more than zero",
                        name.get_ref()
                    ),
                    Span::from(value.span()),
                    None,
                ),
            }
        }
        rates
    }

    /// An amount in US dollars; the fault is noted otherwise.
    pub(super) fn dollars(&self, path: &str, text: &str, span: Span, faults: &mut Faults<'_>) -> Option<f64> {
        if let Ok(money) = text.parse::<Money>() {
            return not_negative(path, money.get(), span, faults);
        }
        let Some((amount, currency)) = text.trim().rsplit_once(' ') else {
            let help = Some(format!("write for example \"{} USD\"", text.trim()));
            faults.add("unit-missing", format!("`{path}` has no currency: `{text}`"), span, help);
            return None;
        };
        let Ok(amount) = amount.trim().parse::<f64>() else {
            faults.add("wrong-type", format!("`{path}` is an amount of money, found `{text}`"), span, None);
            return None;
        };
        let own = self.0.iter().find(|(name, _)| name == currency).map(|(_, rate)| *rate);
        let Some(rate) = own.or_else(|| currency::rate(currency)) else {
            let message = format!("there is no rate for the currency `{currency}`");
            let help = format!(
                "give US dollars for one {currency} under `[currencies]`, or use one of {}",
                self.known().join(", ")
            );
            faults.add("currency-unknown", message, span, Some(help));
            return None;
        };
        not_negative(path, amount * rate, span, faults)
    }

    fn known(&self) -> Vec<String> {
        let mut all = vec!["USD".to_owned(), "kUSD".to_owned(), "MUSD".to_owned()];
        all.extend(currency::names());
        all.extend(self.0.iter().map(|(name, _)| name.clone()).filter(|name| currency::rate(name).is_none()));
        all
    }
}

fn not_negative(path: &str, dollars: f64, span: Span, faults: &mut Faults<'_>) -> Option<f64> {
    if dollars.is_finite() && dollars >= 0.0 {
        return Some(dollars);
    }
    faults.add("out-of-range", format!("`{path}` must be zero or more"), span, None);
    None
}
