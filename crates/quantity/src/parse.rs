//! `"4.0 TB/s"` to a quantity.

use std::error::Error;
use std::fmt;

use crate::unit::Quantity;

/// Why a text is not a quantity.
#[derive(Clone, Debug, PartialEq)]
pub enum ParseError {
    /// The text does not begin with a number.
    NotANumber {
        /// What the quantity measures.
        kind: &'static str,
        /// The text.
        text: String,
    },
    /// There is a number and nothing behind it.
    NoUnit {
        /// What the quantity measures.
        kind: &'static str,
        /// The text.
        text: String,
        /// The units that would do.
        units: Vec<&'static str>,
    },
    /// The unit is not one of this quantity.
    WrongUnit {
        /// What the quantity measures.
        kind: &'static str,
        /// The unit found.
        unit: String,
        /// The units that would do.
        units: Vec<&'static str>,
    },
    /// The number is infinite or not a number.
    NotFinite {
        /// What the quantity measures.
        kind: &'static str,
        /// The text.
        text: String,
    },
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotANumber { kind, text } => write!(f, "expected {kind}, found `{text}`"),
            Self::NoUnit { kind, text, units } => {
                write!(f, "`{text}` has no unit: {kind} is written with one of {}", units.join(", "))
            }
            Self::WrongUnit { kind, unit, units } => {
                write!(f, "`{unit}` is not a unit of {kind}: use one of {}", units.join(", "))
            }
            Self::NotFinite { kind, text } => write!(f, "`{text}` is too large for {kind}"),
        }
    }
}

impl Error for ParseError {}

pub(crate) fn quantity<Q: Quantity>(text: &str) -> Result<Q, ParseError> {
    let text = text.trim();
    let (number, unit) = split(text);
    let owned = || text.to_owned();
    let value: f64 = number.parse().map_err(|_| ParseError::NotANumber { kind: Q::KIND, text: owned() })?;
    let units = || Q::UNITS.iter().map(|(name, _)| *name).collect();
    if unit.is_empty() {
        return Err(ParseError::NoUnit { kind: Q::KIND, text: owned(), units: units() });
    }
    let Some((_, size)) = Q::UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(ParseError::WrongUnit { kind: Q::KIND, unit: unit.to_owned(), units: units() });
    };
    let base = value * size;
    if base.is_finite() {
        Ok(Q::from_base(base))
    } else {
        Err(ParseError::NotFinite { kind: Q::KIND, text: owned() })
    }
}

/// Splits `"1.5e3 GB/s"` into the number and the unit. An `e` belongs to the number only before a digit or sign.
fn split(text: &str) -> (&str, &str) {
    let bytes = text.as_bytes();
    let mut end = 0;
    while end < bytes.len() {
        let after = bytes.get(end + 1).copied().unwrap_or(b' ');
        let is_exponent =
            matches!(bytes[end], b'e' | b'E') && (after.is_ascii_digit() || after == b'-' || after == b'+');
        let is_sign =
            matches!(bytes[end], b'-' | b'+') && (end == 0 || matches!(bytes[end - 1], b'e' | b'E'));
        if !(bytes[end].is_ascii_digit() || bytes[end] == b'.' || is_exponent || is_sign) {
            break;
        }
        end += 1;
    }
    (&text[..end], text[end..].trim())
}

#[cfg(test)]
mod tests {
    use crate::{Bytes, BytesPerSecond, ParseError, Seconds};

    #[test]
    fn decimal_and_binary_prefixes_differ() {
        assert_eq!("1 GB".parse(), Ok(Bytes::new(1e9)));
        assert_eq!("1 GiB".parse(), Ok(Bytes::new(1_073_741_824.0)));
    }

    #[test]
    fn a_space_is_optional_and_exponents_work() {
        assert_eq!("50ms".parse(), Ok(Seconds::new(0.05)));
        assert_eq!("4.0e0 TB/s".parse(), Ok(BytesPerSecond::new(4e12)));
        assert_eq!("-1 s".parse(), Ok(Seconds::new(-1.0)));
    }

    #[test]
    fn network_bits_are_an_eighth() {
        assert_eq!("400 Gb/s".parse(), Ok(BytesPerSecond::new(50e9)));
    }

    #[test]
    fn a_missing_or_wrong_unit_names_those_that_would_do() {
        let missing = "4".parse::<BytesPerSecond>().unwrap_err();
        assert!(matches!(missing, ParseError::NoUnit { .. }));
        let wrong = "4 TB".parse::<BytesPerSecond>().unwrap_err().to_string();
        assert!(wrong.starts_with("`TB` is not a unit of a bandwidth: use one of B/s"), "{wrong}");
    }

    #[test]
    fn overflow_and_words_are_refused() {
        assert!(matches!("1e400 s".parse::<Seconds>(), Err(ParseError::NotFinite { .. })));
        assert!(matches!("fast".parse::<Seconds>(), Err(ParseError::NotANumber { .. })));
        assert!(matches!("nan s".parse::<Seconds>(), Err(ParseError::NotANumber { .. })));
    }
}
