//! The value of one figure, parsed: base units, no text left to interpret.

use vitruvian_quantity::{
    Area, Bytes, BytesPerSecond, Dtype, FlopsPerSecond, Hertz, JoulesPerByte, JoulesPerFlop, Money,
    ParseError, Quantity, Seconds, Watts,
};

use crate::catalog::currency;
use crate::file::key::Kind;

/// The value of one figure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// A number, in base units where it has a unit.
    Number(f64),
    /// A text or word.
    Text(String),
    /// A yes or no.
    Flag(bool),
    /// A list of number formats.
    Dtypes(Vec<Dtype>),
}

impl Value {
    /// The number; zero for a value that is none, which the key's kind rules out.
    pub(crate) fn number(&self) -> f64 {
        if let Self::Number(number) = self { *number } else { 0.0 }
    }

    /// The text; empty for a value that is none, which the key's kind rules out.
    pub(crate) fn text(&self) -> &str {
        if let Self::Text(text) = self { text } else { "" }
    }

    /// The number formats; none for a value that is no list, which the key's kind rules out.
    pub(crate) fn dtypes(&self) -> &[Dtype] {
        if let Self::Dtypes(dtypes) = self { dtypes } else { &[] }
    }
}

macro_rules! into_quantity {
    ($($name:ident),+) => {
        $(impl From<&Value> for $name {
            fn from(value: &Value) -> Self { Self::new(value.number()) }
        })+
    };
}
into_quantity!(
    Area,
    Bytes,
    BytesPerSecond,
    FlopsPerSecond,
    Hertz,
    JoulesPerByte,
    JoulesPerFlop,
    Money,
    Seconds,
    Watts
);

impl From<&Value> for f64 {
    fn from(value: &Value) -> Self {
        value.number()
    }
}

impl From<&Value> for u32 {
    fn from(value: &Value) -> Self {
        value.number() as Self
    }
}

impl From<&Value> for bool {
    fn from(value: &Value) -> Self {
        matches!(value, Value::Flag(true))
    }
}

impl From<&Value> for String {
    fn from(value: &Value) -> Self {
        value.text().to_owned()
    }
}

/// Reads a quantity of the kind; money may also be in a currency of the catalog.
pub(crate) fn quantity(kind: Kind, text: &str) -> Result<f64, ParseError> {
    match kind {
        Kind::Time => base::<Seconds>(text),
        Kind::Size => base::<Bytes>(text),
        Kind::Bandwidth => base::<BytesPerSecond>(text),
        Kind::Rate => base::<FlopsPerSecond>(text),
        Kind::Frequency => base::<Hertz>(text),
        Kind::Power => base::<Watts>(text),
        Kind::EnergyPerFlop => base::<JoulesPerFlop>(text),
        Kind::EnergyPerByte => base::<JoulesPerByte>(text),
        Kind::Area => base::<Area>(text),
        Kind::Money => base::<Money>(text).or_else(|error| currency::dollars(text).ok_or(error)),
        _ => Err(ParseError::NotANumber { kind: kind.article(), text: text.to_owned() }),
    }
}

fn base<Q: Quantity>(text: &str) -> Result<f64, ParseError> {
    text.parse::<Q>().map(Quantity::base)
}
