//! The figures of one file, and of the files it extends.

use vitruvian_diagnostics::{SourceText, Span};
use vitruvian_quantity::Dtype;

use crate::file::key::{Key, Kind, Store};
use crate::file::value::Value;
use crate::provenance::{Figure, Grade, Provenance};

/// Where a figure stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) source: SourceText,
    pub(crate) span: Span,
}

/// Whether a figure stands in the file itself, in one that it extends, or was computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kin {
    Own,
    Inherited,
    Computed,
}

/// One figure.
pub(crate) struct Entry<T: 'static> {
    pub(crate) key: &'static Key<T>,
    pub(crate) dtype: Option<Dtype>,
    pub(crate) value: Value,
    pub(crate) written: String,
    pub(crate) provenance: Provenance,
    pub(crate) place: Place,
    pub(crate) kin: Kin,
}

/// The figures of one file.
pub(crate) struct Sheet<T: 'static> {
    pub(crate) keys: &'static [Key<T>],
    pub(crate) name: Option<String>,
    pub(crate) extends: Option<(String, Place)>,
    /// Names of the files that it extends, nearest first.
    pub(crate) lineage: Vec<String>,
    pub(crate) entries: Vec<Entry<T>>,
}

impl<T> Entry<T> {
    /// The dotted path, with the number format filled in.
    pub(crate) fn path(&self) -> String {
        self.key.path_for(self.dtype)
    }

    /// The last segment of the path.
    pub(crate) fn last(&self) -> &'static str {
        self.key.path.rsplit('.').next().unwrap_or_default()
    }

    /// The value with the unit a person reads.
    pub(crate) fn print(&self) -> String {
        self.key.kind.print(self.value.number())
    }
}

impl<T> Sheet<T> {
    /// The figure at a path of the key table.
    pub(crate) fn get(&self, path: &str) -> Option<&Entry<T>> {
        self.entries.iter().find(|entry| entry.dtype.is_none() && entry.key.path == path)
    }

    /// The number at a path.
    pub(crate) fn number(&self, path: &str) -> Option<f64> {
        self.get(path).map(|entry| entry.value.number())
    }

    /// The figure of a number format in a table: `("matrix", Bf16)`.
    pub(crate) fn get_dtype(&self, table: &str, dtype: Dtype) -> Option<&Entry<T>> {
        self.entries.iter().find(|entry| entry.dtype == Some(dtype) && entry.key.dtype_table() == Some(table))
    }

    /// Scales a figure with another that changed; the note says so.
    pub(crate) fn scale(&mut self, path: &str, factor: f64, driver: &str) {
        let entry = self.entries.iter_mut().find(|entry| entry.dtype.is_none() && entry.key.path == path);
        let Some(entry) = entry.filter(|_| factor.is_finite() && factor != 1.0) else { return };
        let scaled = entry.value.number() * factor;
        let scaled = if entry.key.kind == Kind::Count { scaled.round().max(1.0) } else { scaled };
        let note = format!("{} scaled with `{driver}`", entry.written);
        entry.value = Value::Number(scaled);
        entry.written = entry.print();
        entry.provenance = Provenance { note: Some(note), ..Provenance::new("ARITHMETIC", Grade::Derived) };
    }

    /// Drops what does not hold.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Entry<T>) -> bool) {
        self.entries.retain(keep);
    }

    /// Puts a computed figure where the key table has its path, unless the file gives it; the note shows the
    /// arithmetic.
    pub(crate) fn compute(&mut self, path: &str, number: f64, note: String, from: &str) {
        if self.get(path).is_some() {
            return;
        }
        let key = self.keys.iter().find(|key| key.path == path);
        let place = self.get(from).map(|entry| entry.place.clone());
        let (Some(key), Some(place)) = (key, place) else { return };
        let provenance = Provenance { note: Some(note), ..Provenance::new("ARITHMETIC", Grade::Derived) };
        let written = key.kind.print(number);
        let value = Value::Number(number);
        self.entries.push(Entry { key, dtype: None, value, written, provenance, place, kin: Kin::Computed });
    }

    /// Rows in the order of the key table.
    pub(crate) fn sort(&mut self) {
        let keys = self.keys;
        let rank = |entry: &Entry<T>| keys.iter().position(|key| std::ptr::eq(key, entry.key));
        self.entries.sort_by_cached_key(|entry| (rank(entry), entry.dtype));
    }

    /// The figures as plain data.
    pub(crate) fn figures(&self) -> Vec<Figure> {
        let figure = |entry: &Entry<T>| Figure {
            key: entry.path(),
            value: entry.written.clone(),
            number: if let Value::Number(number) = entry.value { Some(number) } else { None },
            provenance: entry.provenance.clone(),
        };
        self.entries.iter().map(figure).collect()
    }
}

/// Puts every value where its key says.
pub(crate) fn store<T>(sheet: &Sheet<T>, target: &mut T) {
    for entry in &sheet.entries {
        match (&entry.key.store, entry.dtype) {
            (Store::Field(field), _) => field(target, &entry.value),
            (Store::PerDtype(field), Some(dtype)) => field(target, dtype, &entry.value),
            (Store::PerDtype(_), None) | (Store::FigureOnly, _) => {}
        }
    }
}
