//! From a text to a [`Sheet`]: walks the spanned TOML tree and collects every mistake on the way.

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use vitruvian_diagnostics::{Diagnostic, SourceText, Span};
use vitruvian_quantity::Dtype;

use crate::file::fault;
use crate::file::figure::{self, TableDefaults};
use crate::file::key::{Key, Kind};
use crate::file::sheet::{Kin, Place, Sheet};
use crate::file::written::found;

/// What is being read, and what was found on the way.
pub(super) struct Reader<'a, T: 'static> {
    pub(super) keys: &'static [Key<T>],
    /// As a diagnostic says it: "chip".
    pub(super) what: &'static str,
    pub(super) source: &'a SourceText,
    pub(super) faults: Vec<Diagnostic>,
}

/// Reads one file, without those it extends. The sheet holds what could be read.
pub(super) fn sheet<T>(
    keys: &'static [Key<T>],
    what: &'static str,
    source: &SourceText,
) -> (Sheet<T>, Vec<Diagnostic>) {
    let (document, errors) = DeTable::parse_recoverable(source.text());
    let faults = errors.iter().map(|error| fault::syntax(source, error)).collect();
    let mut reader = Reader { keys, what, source, faults };
    let mut sheet = Sheet { keys, name: None, extends: None, lineage: Vec::new(), entries: Vec::new() };
    if reader.faults.is_empty() {
        reader.table(document.get_ref(), "", &TableDefaults::default(), &mut sheet);
    }
    (sheet, reader.faults)
}

impl<T> Reader<'_, T> {
    /// A place in the text being read.
    pub(super) fn place(&self, span: std::ops::Range<usize>) -> Place {
        Place { source: self.source.clone(), span: Span::from(span) }
    }

    fn table(&mut self, table: &DeTable<'_>, prefix: &str, above: &TableDefaults, sheet: &mut Sheet<T>) {
        let defaults = if prefix.is_empty() { above.clone() } else { figure::table_defaults(self, table) };
        for (name, value) in table {
            let path = if prefix.is_empty() {
                name.get_ref().to_string()
            } else {
                format!("{prefix}.{}", name.get_ref())
            };
            match (prefix, name.get_ref().as_ref()) {
                ("", "name") => sheet.name = self.text(&path, value).map(|(text, _)| text),
                ("", "extends") => sheet.extends = self.text(&path, value),
                (_, "source" | "grade" | "note") if !prefix.is_empty() => {}
                _ => self.item(&path, name.span(), value, &defaults, sheet),
            }
        }
    }

    fn item(
        &mut self,
        path: &str,
        name: std::ops::Range<usize>,
        value: &Spanned<DeValue<'_>>,
        defaults: &TableDefaults,
        sheet: &mut Sheet<T>,
    ) {
        if let Some((key, dtype)) = self.find(path) {
            sheet.entries.extend(figure::entry(self, key, dtype, value, defaults));
            return;
        }
        let capacity = self.find(&format!("{path}.capacity"));
        match (value.get_ref(), capacity) {
            (DeValue::Table(table), capacity) if self.is_table(path) => match capacity {
                Some((key, dtype)) if table.contains_key("value") => {
                    sheet.entries.extend(figure::entry(self, key, dtype, value, defaults));
                }
                _ => self.table(table, path, defaults, sheet),
            },
            // `l2 = "384 MiB"` is short for `l2.capacity`.
            (_, Some((key, dtype))) => sheet.entries.extend(figure::entry(self, key, dtype, value, defaults)),
            (other, None) if self.is_table(path) => {
                let place = self.place(value.span());
                self.faults.push(fault::not_a_table(path, found(other), &place));
            }
            _ => self.unknown(path, name),
        }
    }

    fn unknown(&mut self, path: &str, name: std::ops::Range<usize>) {
        let place = self.place(name);
        let mut known: Vec<String> = self.keys.iter().flat_map(Key::paths).collect();
        known.extend(["name".to_owned(), "extends".to_owned()]);
        self.faults.push(fault::unknown_key(path, self.what, &known, &place));
    }

    fn text(&mut self, path: &str, value: &Spanned<DeValue<'_>>) -> Option<(String, Place)> {
        let place = self.place(value.span());
        if let DeValue::String(text) = value.get_ref() {
            return Some((text.to_string(), place));
        }
        self.faults.push(fault::wrong_type(path, Kind::Text, found(value.get_ref()), &place));
        None
    }

    fn find(&self, path: &str) -> Option<(&'static Key<T>, Option<Dtype>)> {
        let exact = self.keys.iter().find(|key| key.path == path && key.dtype_table().is_none());
        if let Some(key) = exact {
            return Some((key, None));
        }
        let (table, name) = path.rsplit_once('.')?;
        let dtype: Dtype = name.parse().ok()?;
        let key = self.keys.iter().find(|key| key.dtype_table() == Some(table))?;
        Some((key, Some(dtype)))
    }

    fn is_table(&self, path: &str) -> bool {
        self.keys.iter().any(|key| key.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
    }
}

/// Names the kin of a sheet's figures after it was merged into a child.
pub(super) fn as_inherited<T>(sheet: &mut Sheet<T>) {
    for entry in &mut sheet.entries {
        entry.kin = Kin::Inherited;
    }
}
