//! One figure: a bare value, or a table with `value`, `source`, `grade`, `note` and `alternatives`.

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use vitruvian_quantity::Dtype;

use crate::file::key::{Key, Kind};
use crate::file::read::Reader;
use crate::file::sheet::{Entry, Kin, Place};
use crate::file::value::Value;
use crate::file::written::{found, written};
use crate::file::{checked, fault};
use crate::provenance::{Alternative, Grade, Provenance};

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
        DeValue::Table(table) => {
            (bare_value(reader, key, &path, item, table)?, provenance(reader, key, &path, table))
        }
        _ => (item, default_provenance(reader, defaults)),
    };
    let place = reader.place(bare.span());
    let value = checked_value(reader, key, &path, bare, &place)?;
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

fn alternatives<T>(
    reader: &mut Reader<'_, T>,
    key: &Key<T>,
    path: &str,
    table: &DeTable<'_>,
) -> Vec<Alternative> {
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
    checked_value(reader, key, path, bare, &place)?;
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

/// The value, if it is what the key takes; the fault is noted otherwise.
fn checked_value<T>(
    reader: &mut Reader<'_, T>,
    key: &Key<T>,
    path: &str,
    bare: &Spanned<DeValue<'_>>,
    place: &Place,
) -> Option<Value> {
    let value =
        checked::value(&checked::Expected { path, kind: key.kind, range: key.range, place }, bare.get_ref());
    value.map_err(|fault| reader.faults.push(fault)).ok()
}
