//! One figure: a bare value, or a table with `value`, `source`, `grade`, `note` and `alternatives`.

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use vitruvian_quantity::Dtype;

use crate::file::fault;
use crate::file::key::{Key, Kind, Range};
use crate::file::read::Reader;
use crate::file::sheet::{Entry, Kin, Place};
use crate::file::value::{self, Value};
use crate::provenance::{Alternative, Grade, Provenance};

/// Larger base-unit numbers are refused: products of three of them must not overflow.
const LARGEST: f64 = 1e24;

/// The keys of a figure's table.
const FIGURE_KEYS: [&str; 5] = ["value", "source", "grade", "note", "alternatives"];

/// `source`, `grade` and `note` of a table, which hold for its bare values.
#[derive(Clone, Default)]
pub(super) struct TableDefaults {
    source: Option<String>,
    grade: Option<Grade>,
    note: Option<String>,
}

/// Reads what a table says of all its bare values.
pub(super) fn table_defaults<T>(reader: &mut Reader<'_, T>, table: &DeTable<'_>) -> TableDefaults {
    let source = text_of(reader, table, "source");
    let note = text_of(reader, table, "note");
    let grade = grade_of(reader, table);
    TableDefaults { source, grade, note }
}

/// Reads one figure; nothing if it is wrong, with the fault noted.
pub(super) fn entry<T>(
    reader: &mut Reader<'_, T>,
    key: &'static Key<T>,
    dtype: Option<Dtype>,
    item: &Spanned<DeValue<'_>>,
    defaults: &TableDefaults,
) -> Option<Entry<T>> {
    let path = key.path_for(dtype);
    let (bare, provenance) = match item.get_ref() {
        DeValue::Table(table) => (bare_value(reader, key, &path, item, table)?, provenance(reader, key, &path, table)),
        _ => (item, default_provenance(reader, defaults)),
    };
    let place = reader.place(bare.span());
    let value = checked(reader, key, &path, bare, &place)?;
    let written = written(bare.get_ref());
    Some(Entry { key, dtype, value, written, provenance, place, kin: Kin::Own })
}

fn bare_value<'a, 'i, T>(
    reader: &mut Reader<'_, T>,
    key: &Key<T>,
    path: &str,
    item: &Spanned<DeValue<'_>>,
    table: &'a DeTable<'i>,
) -> Option<&'a Spanned<DeValue<'i>>> {
    unknown_figure_keys(reader, path, table);
    let bare = table.get("value");
    if bare.is_none() {
        let place = reader.place(item.span());
        reader.faults.push(fault::wrong_type(path, key.kind, "a table without `value`", &place));
    }
    bare
}

fn unknown_figure_keys<T>(reader: &mut Reader<'_, T>, path: &str, table: &DeTable<'_>) {
    for (name, _) in table.iter().filter(|(name, _)| !FIGURE_KEYS.contains(&name.get_ref().as_ref())) {
        let place = reader.place(name.span());
        let known = FIGURE_KEYS.map(|key| format!("{path}.{key}"));
        let path = format!("{path}.{}", name.get_ref());
        reader.faults.push(fault::unknown_key(&path, reader.what, &known, &place));
    }
}

fn provenance<T>(reader: &mut Reader<'_, T>, key: &Key<T>, path: &str, table: &DeTable<'_>) -> Provenance {
    let source = text_of(reader, table, "source").unwrap_or_else(|| reader.source.name().to_owned());
    let grade = grade_of(reader, table).unwrap_or(Grade::User);
    let note = text_of(reader, table, "note");
    let alternatives = alternatives(reader, key, path, table);
    Provenance { source, grade, note, alternatives }
}

fn default_provenance<T>(reader: &Reader<'_, T>, defaults: &TableDefaults) -> Provenance {
    let source = defaults.source.clone().unwrap_or_else(|| reader.source.name().to_owned());
    let grade = defaults.grade.unwrap_or(Grade::User);
    Provenance { note: defaults.note.clone(), ..Provenance::new(source, grade) }
}

fn alternatives<T>(reader: &mut Reader<'_, T>, key: &Key<T>, path: &str, table: &DeTable<'_>) -> Vec<Alternative> {
    let Some(list) = table.get("alternatives") else { return Vec::new() };
    let place = reader.place(list.span());
    let DeValue::Array(items) = list.get_ref() else {
        let path = format!("{path}.alternatives");
        reader.faults.push(fault::wrong_type(&path, Kind::Text, found(list.get_ref()), &place));
        return Vec::new();
    };
    items.iter().filter_map(|item| alternative(reader, key, path, item)).collect()
}

fn alternative<T>(
    reader: &mut Reader<'_, T>,
    key: &Key<T>,
    path: &str,
    item: &Spanned<DeValue<'_>>,
) -> Option<Alternative> {
    let table = item.get_ref().as_table()?;
    let bare = bare_value(reader, key, path, item, table)?;
    let place = reader.place(bare.span());
    checked(reader, key, path, bare, &place)?;
    let source = text_of(reader, table, "source").unwrap_or_else(|| reader.source.name().to_owned());
    let grade = grade_of(reader, table).unwrap_or(Grade::User);
    Some(Alternative { value: written(bare.get_ref()), source, grade })
}

fn text_of<T>(reader: &mut Reader<'_, T>, table: &DeTable<'_>, name: &str) -> Option<String> {
    let item = table.get(name)?;
    if let DeValue::String(text) = item.get_ref() {
        return Some(text.to_string());
    }
    let place = reader.place(item.span());
    reader.faults.push(fault::wrong_type(name, Kind::Text, found(item.get_ref()), &place));
    None
}

fn grade_of<T>(reader: &mut Reader<'_, T>, table: &DeTable<'_>) -> Option<Grade> {
    let word = text_of(reader, table, "grade")?;
    let grade = Grade::ALL.into_iter().find(|grade| grade.name() == word);
    if grade.is_none() {
        let place = reader.place(table.get("grade").map_or(0..0, Spanned::span));
        reader.faults.push(fault::unknown_word("grade", &word, &Grade::ALL.map(Grade::name), &place));
    }
    grade
}

/// The value, if it is of the key's kind and in its range.
fn checked<T>(
    reader: &mut Reader<'_, T>,
    key: &Key<T>,
    path: &str,
    bare: &Spanned<DeValue<'_>>,
    place: &Place,
) -> Option<Value> {
    let value = match (key.kind, bare.get_ref()) {
        (Kind::Text, DeValue::String(text)) => Ok(Value::Text(text.to_string())),
        (Kind::Flag, DeValue::Boolean(flag)) => Ok(Value::Flag(*flag)),
        (Kind::Word(words), DeValue::String(word)) => known_word(path, word, words, place),
        (Kind::Dtypes, DeValue::Array(_)) => dtypes(path, bare.get_ref(), place),
        (Kind::Count | Kind::Number, DeValue::Integer(_) | DeValue::Float(_)) => plain(path, key, bare, place),
        (kind, DeValue::String(text)) if !kind.units().is_empty() => {
            value::quantity(kind, text).map(Value::Number).map_err(|error| fault::quantity(path, kind, &error, place))
        }
        (kind, DeValue::Integer(_) | DeValue::Float(_)) if !kind.units().is_empty() => {
            let error = value::quantity(kind, &written(bare.get_ref()));
            Err(error.err().map_or_else(
                || fault::wrong_type(path, kind, found(bare.get_ref()), place),
                |error| fault::quantity(path, kind, &error, place),
            ))
        }
        (kind, other) => Err(fault::wrong_type(path, kind, found(other), place)),
    };
    let value = value.and_then(|value| in_range(path, key.range, value, &written(bare.get_ref()), place));
    value.map_err(|fault| reader.faults.push(fault)).ok()
}

type Checked = Result<Value, vitruvian_diagnostics::Diagnostic>;

fn known_word(path: &str, word: &str, words: &'static [&'static str], place: &Place) -> Checked {
    if words.contains(&word) {
        return Ok(Value::Text(word.to_owned()));
    }
    Err(fault::unknown_word(path, word, words, place))
}

fn dtypes(path: &str, value: &DeValue<'_>, place: &Place) -> Checked {
    let items = value.as_array().into_iter().flatten();
    let parsed: Option<Result<Vec<Dtype>, String>> =
        items.map(|item| item.get_ref().as_str().map(str::parse)).collect();
    match parsed {
        Some(Ok(dtypes)) => Ok(Value::Dtypes(dtypes)),
        Some(Err(_)) | None => {
            let names = Dtype::ALL.map(Dtype::name);
            Err(fault::unknown_word(path, &written(value), &names, place))
        }
    }
}

fn plain<T>(path: &str, key: &Key<T>, bare: &Spanned<DeValue<'_>>, place: &Place) -> Checked {
    let text = written(bare.get_ref());
    let number: f64 = text.replace('_', "").parse().unwrap_or(f64::NAN);
    if !number.is_finite() {
        return Err(fault::out_of_range(path, "a finite number", text, place));
    }
    let is_count = number.fract() == 0.0 && number <= f64::from(u32::MAX);
    if key.kind == Kind::Count && !is_count {
        return Err(fault::out_of_range(path, "a whole number of at most 4294967295", text, place));
    }
    Ok(Value::Number(number))
}

fn in_range(path: &str, range: Range, value: Value, written: &str, place: &Place) -> Checked {
    let Value::Number(number) = value else { return Ok(value) };
    if range == Range::Positive && number <= 0.0 {
        return Err(fault::out_of_range(path, "more than zero", written, place));
    }
    if number < 0.0 {
        return Err(fault::out_of_range(path, "zero or more", written, place));
    }
    if number > LARGEST {
        return Err(fault::out_of_range(path, "a possible size", written, place));
    }
    Ok(value)
}

/// The value as it stands in the file, without quotes.
fn written(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(integer) => integer.to_string(),
        DeValue::Float(float) => float.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(datetime) => datetime.to_string(),
        DeValue::Array(items) => items.iter().map(|item| written(item.get_ref())).collect::<Vec<_>>().join(", "),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// What stands there instead, as a diagnostic says it.
pub(super) fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
