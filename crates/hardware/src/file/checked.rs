//! Whether a bare value is what its key takes.

use toml::de::DeValue;
use vitruvian_diagnostics::Diagnostic;
use vitruvian_quantity::Dtype;

use crate::file::fault;
use crate::file::key::{Kind, Range};
use crate::file::sheet::Place;
use crate::file::value::{self, Value};
use crate::file::written::{found, written};

/// Larger base-unit numbers are refused: products of three of them must not overflow.
const LARGEST: f64 = 1e24;

/// What is expected, and where.
pub(super) struct Expected<'a> {
    pub(super) path: &'a str,
    pub(super) kind: Kind,
    pub(super) range: Range,
    pub(super) place: &'a Place,
}

type Checked = Result<Value, Diagnostic>;

/// The value, if it is of the expected kind and in its range.
pub(super) fn value(expected: &Expected<'_>, bare: &DeValue<'_>) -> Checked {
    let has_unit = !expected.kind.units().is_empty();
    let value = match (expected.kind, bare) {
        (Kind::Text, DeValue::String(text)) => Value::Text(text.to_string()),
        (Kind::Flag, DeValue::Boolean(flag)) => Value::Flag(*flag),
        (Kind::Word(words), DeValue::String(word)) => known_word(expected, word, words)?,
        (Kind::Dtypes, DeValue::Array(_)) => dtypes(expected, bare)?,
        (Kind::Count | Kind::Number, DeValue::Integer(_) | DeValue::Float(_)) => {
            plain(expected, &written(bare))?
        }
        (_, DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_)) if has_unit => {
            quantity(expected, &written(bare))?
        }
        _ => return Err(fault::wrong_type(expected.path, expected.kind, found(bare), expected.place)),
    };
    in_range(expected, value, bare)
}

fn known_word(expected: &Expected<'_>, word: &str, words: &[&str]) -> Checked {
    if words.contains(&word) {
        return Ok(Value::Text(word.to_owned()));
    }
    Err(fault::unknown_word(expected.path, word, words, expected.place))
}

fn dtypes(expected: &Expected<'_>, list: &DeValue<'_>) -> Checked {
    let names = list.as_array().into_iter().flatten().map(|item| written(item.get_ref()));
    let dtype = |name: String| {
        name.parse().map_err(|_| {
            fault::unknown_word(expected.path, &name, &Dtype::ALL.map(Dtype::name), expected.place)
        })
    };
    names.map(dtype).collect::<Result<Vec<Dtype>, _>>().map(Value::Dtypes)
}

/// A number without its unit is told which units would do.
fn quantity(expected: &Expected<'_>, text: &str) -> Checked {
    let number = value::quantity(expected.kind, text);
    number
        .map(Value::Number)
        .map_err(|error| fault::quantity(expected.path, expected.kind, &error, expected.place))
}

fn plain(expected: &Expected<'_>, text: &str) -> Checked {
    let number: f64 = text.parse().unwrap_or(f64::NAN);
    if !number.is_finite() {
        return Err(fault::out_of_range(expected.path, "a finite number", text, expected.place));
    }
    let is_count = number.fract() == 0.0 && number <= f64::from(u32::MAX);
    if expected.kind == Kind::Count && !is_count {
        return Err(fault::out_of_range(
            expected.path,
            "a whole number of at most 4294967295",
            text,
            expected.place,
        ));
    }
    Ok(Value::Number(number))
}

fn in_range(expected: &Expected<'_>, value: Value, bare: &DeValue<'_>) -> Checked {
    let Value::Number(number) = value else { return Ok(value) };
    let wanted = match expected.range {
        Range::Positive if number <= 0.0 => "more than zero",
        Range::NotNegative if number < 0.0 => "zero or more",
        _ if number > LARGEST => "at most 1e24 in base units",
        _ => return Ok(value),
    };
    Err(fault::out_of_range(expected.path, wanted, written(bare), expected.place))
}
