//! One value of a table, and how it reads.

use serde::{Deserialize, Serialize};
use vitruvian_quantity::three;

/// A value and how it stands out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// What it says.
    pub value: Value,
    /// How it stands out.
    pub tone: Tone,
}

/// What a cell says. Numbers are in the unit of their row or column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// Nothing.
    #[default]
    Empty,
    /// Words.
    Text(String),
    /// A count, printed in full.
    Integer(i64),
    /// A number, printed to three significant digits.
    Number(f64),
    /// A number with its P10 and P90.
    Range {
        /// The estimate.
        typical: f64,
        /// One in ten falls below.
        p10: f64,
        /// One in ten falls above.
        p90: f64,
    },
    /// A part of one, printed in percent beside a bar.
    Share(f64),
}

/// How a cell or row stands out. A renderer without colour may ignore it: nothing is said by tone alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tone {
    /// It does not.
    #[default]
    Plain,
    /// A name or a total.
    Strong,
    /// A detail.
    Dim,
    /// The better of several.
    Good,
    /// A limit that is broken.
    Bad,
}

impl Cell {
    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        Value::Text(text.into()).into()
    }

    /// A count, printed in full.
    pub fn integer(value: impl Into<i64>) -> Self {
        Value::Integer(value.into()).into()
    }

    /// A number of things.
    pub fn count(things: usize) -> Self {
        Self::integer(i64::try_from(things).unwrap_or(i64::MAX))
    }

    /// A number in the unit of its row or column.
    pub fn number(value: f64) -> Self {
        Value::Number(value).into()
    }

    /// A number with its P10 and P90.
    pub fn range(typical: f64, p10: f64, p90: f64) -> Self {
        Value::Range { typical, p10, p90 }.into()
    }

    /// A part of one.
    pub fn share(part: f64) -> Self {
        Value::Share(part).into()
    }

    /// The same cell, standing out.
    #[must_use]
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }
}

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        Self { value, tone: Tone::Plain }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Self::number(value)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or_else(Self::default, Into::into)
    }
}

impl Value {
    /// Whether it is set right-aligned, digits under digits.
    pub fn is_numeric(&self) -> bool {
        !matches!(self, Self::Empty | Self::Text(_))
    }

    /// What a person reads first: the words, or the number to three significant digits.
    pub fn head(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Integer(value) => grouped(&value.to_string()),
            Self::Number(value) | Self::Range { typical: value, .. } => number(*value),
            Self::Share(part) => percent(*part),
        }
    }

    /// What follows the number: `"38.0–45.0"` of a range.
    pub fn tail(&self) -> Option<String> {
        match self {
            Self::Range { p10, p90, .. } => Some(format!("{}–{}", number(*p10), number(*p90))),
            _ => None,
        }
    }

    /// Head and tail in one line, as Markdown and sentences show them.
    pub fn one_line(&self) -> String {
        match self.tail() {
            Some(tail) => format!("{} ({tail})", self.head()),
            None => self.head(),
        }
    }
}

/// A number to three significant digits, its thousands grouped from five digits on; a dash where there is none.
///
/// Beyond what a person reads at a glance it has an exponent: `1.60e-19`.
pub fn number(value: f64) -> String {
    match value.abs() {
        size if !size.is_finite() => "–".to_owned(),
        size if size > 0.0 && !(1e-6..1e15).contains(&size) => format!("{value:.2e}"),
        _ => grouped(&three(value)),
    }
}

/// A part of one in percent: three digits at most, none pretended below a tenth of a percent.
pub fn percent(part: f64) -> String {
    if part.is_finite() { format!("{:.1}%", part * 100.0) } else { "–".to_owned() }
}

/// `12345.6` as `12,345.6`; four digits stay as they are.
fn grouped(digits: &str) -> String {
    let (sign, rest) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let (whole, fraction) = rest.find('.').map_or((rest, ""), |dot| rest.split_at(dot));
    if whole.len() < 5 || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return digits.to_owned();
    }
    let first = whole.len() % 3;
    let mut parts = vec![&whole[..first]];
    parts.extend((first..whole.len()).step_by(3).map(|start| &whole[start..start + 3]));
    parts.retain(|part| !part.is_empty());
    format!("{sign}{}{fraction}", parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_counts_all() {
        assert_eq!(Value::Number(1234.5).head(), "1230");
        assert_eq!(Value::Integer(151_936).head(), "151,936");
        assert_eq!(Value::Number(-1_234_567.0).head(), "-1,230,000");
        assert_eq!(Value::Integer(4096).head(), "4096");
    }

    #[test]
    fn extremes_have_an_exponent() {
        assert_eq!(Value::Number(1.602e-19).head(), "1.60e-19");
        assert_eq!(Value::Number(-6.022e23).head(), "-6.02e23");
        assert_eq!(Value::Number(0.000_012).head(), "0.0000120");
    }

    #[test]
    fn a_range_reads_as_estimate_and_interval() {
        let value = Value::Range { typical: 41.23, p10: 38.0, p90: 45.02 };
        assert_eq!(value.one_line(), "41.2 (38.0–45.0)");
    }

    #[test]
    fn what_is_not_a_number_is_a_dash() {
        assert_eq!(Value::Number(f64::NAN).head(), "–");
        assert_eq!(Value::Share(f64::INFINITY).head(), "–");
    }

    #[test]
    fn a_share_is_a_percentage() {
        assert_eq!(Value::Share(0.4567).head(), "45.7%");
    }
}
