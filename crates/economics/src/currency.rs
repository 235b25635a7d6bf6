//! Exchange rates as inputs: those of the catalog, and the user's own.

use vitruvian_diagnostics::{Diagnostic, Diagnostics};
use vitruvian_hardware::catalog::exchange_rates;
use vitruvian_quantity::Money;

/// US dollars for one unit of each currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    rates: Vec<Rate>,
}

/// One rate, and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    /// Three letters: `"CNY"`.
    pub currency: String,
    /// US dollars for one unit.
    pub dollars: f64,
    /// `"2025, recalled"`, or `"given"`.
    pub origin: String,
}

impl Exchange {
    /// The rates of the catalog, with the user's own (`"CNY=0.139"`) before them.
    ///
    /// # Errors
    /// Every rate that cannot be read.
    pub fn new<S: AsRef<str>>(own: &[S]) -> Result<Self, Diagnostics> {
        let read: Vec<Result<Rate, Diagnostic>> = own.iter().map(|text| given(text.as_ref())).collect();
        let faults: Vec<Diagnostic> = read.iter().filter_map(|one| one.as_ref().err().cloned()).collect();
        if !faults.is_empty() {
            return Err(Diagnostics(faults));
        }
        let dollar = Rate { currency: "USD".to_owned(), dollars: 1.0, origin: String::new() };
        let catalog = exchange_rates().into_iter().map(|rate| Rate {
            currency: rate.currency,
            dollars: rate.dollars,
            origin: format!("{}, {}", rate.date, rate.grade),
        });
        Ok(Self { rates: read.into_iter().flatten().chain([dollar]).chain(catalog).collect() })
    }

    /// The rate of a currency.
    ///
    /// # Errors
    /// If there is none, with the currencies that have one.
    pub fn rate(&self, currency: &str) -> Result<&Rate, Diagnostic> {
        self.rates.iter().find(|rate| rate.currency == currency).ok_or_else(|| {
            let known: Vec<&str> = self.rates.iter().map(|rate| rate.currency.as_str()).collect();
            Diagnostic::error("currency", format!("there is no exchange rate for `{currency}`"))
                .help(format!("give one, as `--rate {currency}=1.23` (US dollars for one), or use {}", known.join(", ")))
        })
    }

    /// An amount such as `"90000 CNY"` in US dollars. Units such as `$` and `k$` are read too.
    ///
    /// # Errors
    /// If it is no amount of money, or its currency has no rate.
    pub fn dollars(&self, text: &str) -> Result<Money, Diagnostic> {
        let wrong = || {
            Diagnostic::error("money", format!("`{text}` is not an amount of money"))
                .help("write a number and a currency, such as \"12500 USD\" or \"90000 CNY\"")
        };
        let (amount, currency) = text.trim().split_once(' ').ok_or_else(wrong)?;
        let currency = currency.trim();
        if currency.len() == 3 && currency.bytes().all(|letter| letter.is_ascii_uppercase()) {
            let amount: f64 = amount.parse().map_err(|_| wrong())?;
            let dollars = amount * self.rate(currency)?.dollars;
            return if dollars.is_finite() { Ok(Money::new(dollars)) } else { Err(wrong()) };
        }
        text.parse().map_err(|_| wrong())
    }
}

fn given(text: &str) -> Result<Rate, Diagnostic> {
    let wrong = |why: &str| {
        Diagnostic::error("rate", format!("`{text}` is not an exchange rate: {why}"))
            .help("write US dollars for one unit, such as CNY=0.139")
    };
    let (currency, dollars) = text.split_once('=').ok_or_else(|| wrong("it has no `=`"))?;
    let letters = currency.len() == 3 && currency.bytes().all(|letter| letter.is_ascii_uppercase());
    if !letters {
        return Err(wrong("a currency is three capital letters"));
    }
    let dollars: f64 = dollars.parse().map_err(|_| wrong("what follows `=` is no number"))?;
    if currency == "USD" && dollars != 1.0 {
        return Err(wrong("one dollar is one dollar"));
    }
    if !dollars.is_finite() || dollars <= 0.0 {
        return Err(wrong("it must be more than zero"));
    }
    Ok(Rate { currency: currency.to_owned(), dollars, origin: "given".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::Exchange;

    #[test]
    fn the_users_rate_goes_before_the_catalogs() {
        let catalog = Exchange::new::<&str>(&[]).unwrap();
        // 90000 × 0.1389
        assert!((catalog.dollars("90000 CNY").unwrap().get() - 12_501.0).abs() < 1e-6);
        let own = Exchange::new(&["CNY=0.14"]).unwrap();
        assert!((own.dollars("90000 CNY").unwrap().get() - 12_600.0).abs() < 1e-6);
        assert_eq!(own.dollars("5 USD").unwrap().get(), 5.0);
    }

    #[test]
    fn a_currency_without_a_rate_is_told() {
        let catalog = Exchange::new::<&str>(&[]).unwrap();
        let told = catalog.dollars("3 XYZ").unwrap_err().to_string();
        assert!(told.contains("XYZ"), "{told}");
        assert!(catalog.dollars("many").is_err());
    }

    #[test]
    fn every_wrong_rate_is_told_at_once() {
        let faults = Exchange::new(&["CNY", "cny=1", "EUR=x", "EUR=-1", "JPY=0.007", "USD=2"]).unwrap_err();
        assert_eq!(faults.0.len(), 5);
    }
}
