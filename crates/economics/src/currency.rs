//! Exchange rates as inputs: those of the catalog, and the user's own.

use vitruvian_diagnostics::{Diagnostic, Diagnostics};
use vitruvian_hardware::Figure;
use vitruvian_hardware::catalog::currency::exchange_rates;
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
            Diagnostic::error("currency", format!("there is no exchange rate for `{currency}`")).help(
                format!(
                    "give one, as `--rate {currency}=1.23` (US dollars for one), or use {}",
                    known.join(", ")
                ),
            )
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

/// The price of a chip or node file at these rates: low, typical, high; nothing where the file gives none.
///
/// # Errors
/// A currency without a rate.
pub fn price(figures: &[Figure], exchange: &Exchange) -> Result<Option<[Money; 3]>, Diagnostic> {
    let figure = |key: &str| figures.iter().find(|figure| figure.key == key);
    let Some(typical) = figure("price.typical") else { return Ok(None) };
    let base = at_rates(typical, 1.0, exchange)?;
    let moved = typical.number.map_or(1.0, |number| base.get() / number);
    let end = |key| figure(key).map_or(Ok(base), |figure| at_rates(figure, moved, exchange));
    Ok(Some([end("price.low")?, base, end("price.high")?]))
}

/// A price as written, at these rates; one that was computed from others moves with them.
fn at_rates(figure: &Figure, moved: f64, exchange: &Exchange) -> Result<Money, Diagnostic> {
    let number = figure.number.unwrap_or(0.0);
    if figure.provenance.source == "ARITHMETIC" {
        return Ok(Money::new(number * moved));
    }
    let currency = figure.value.rsplit(' ').next().unwrap_or_default();
    let foreign =
        currency.len() == 3 && currency != "USD" && currency.bytes().all(|b| b.is_ascii_uppercase());
    if foreign { exchange.dollars(&figure.value) } else { Ok(Money::new(number)) }
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
    use super::{Exchange, price};

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
    fn prices_of_the_catalog_move_with_the_rate() {
        let chip = vitruvian_hardware::catalog::chip("ascend-910b2").unwrap();
        let own = Exchange::new(&["CNY=0.2"]).unwrap();
        let [low, typical, high] =
            price(&chip.figures, &own).unwrap().unwrap().map(vitruvian_quantity::Money::get);
        // 90000, 90000 and 120000 CNY
        assert_eq!([low, typical, high].map(f64::round), [18_000.0, 18_000.0, 24_000.0]);
        let h20 = vitruvian_hardware::catalog::chip("h20").unwrap();
        assert_eq!(price(&h20.figures, &own).unwrap().unwrap()[1].get(), 12_500.0);
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
