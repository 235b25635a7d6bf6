//! A key of a chip or node file, declared once.

use vitruvian_quantity::{
    Area, Bytes, BytesPerSecond, Dtype, FlopsPerSecond, Hertz, JoulesPerByte, JoulesPerFlop, Money, Quantity,
    Seconds, Watts,
};

use crate::file::value::Value;

/// One key: where it stands, what may stand there, and where the value goes.
pub(crate) struct Key<T: 'static> {
    /// Dotted path: `"hbm.bandwidth"`. A path that ends in `.*` stands for one key a number format.
    pub(crate) path: &'static str,
    /// What kind of value it takes.
    pub(crate) kind: Kind,
    /// Which numbers are possible.
    pub(crate) range: Range,
    /// Whether a file that extends nothing must have it.
    pub(crate) presence: Presence,
    /// One sentence for the documentation.
    pub(crate) meaning: &'static str,
    /// Where the value goes.
    pub(crate) store: Store<T>,
}

/// What kind of value a key takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A whole number of things.
    Count,
    /// A number without unit: a ratio, or operations or bytes per cycle.
    Number,
    /// A yes or no.
    Flag,
    /// Free text.
    Text,
    /// One of a list of words.
    Word(&'static [&'static str]),
    /// A list of number formats.
    Dtypes,
    /// A time, with its unit.
    Time,
    /// A size.
    Size,
    /// A data rate.
    Bandwidth,
    /// A compute rate.
    Rate,
    /// A frequency.
    Frequency,
    /// A power.
    Power,
    /// An energy per operation.
    EnergyPerFlop,
    /// An energy per byte.
    EnergyPerByte,
    /// An area.
    Area,
    /// An amount of money.
    Money,
}

/// Which numbers are possible.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Range {
    /// More than zero.
    Positive,
    /// Zero means "has none".
    NotNegative,
}

/// Whether a file must have the key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Presence {
    /// A file that extends nothing must have it.
    Required,
    /// It may be left out.
    Optional,
}

/// Where a value goes.
pub(crate) enum Store<T> {
    /// Into one field.
    Field(fn(&mut T, &Value)),
    /// Into a table by number format.
    PerDtype(fn(&mut T, Dtype, &Value)),
    /// Only into the list of figures: it is shown and checked, nothing is computed from it.
    FigureOnly,
}

impl<T> Key<T> {
    /// A required, positive figure that goes into one field.
    pub(crate) const fn new(
        path: &'static str,
        kind: Kind,
        meaning: &'static str,
        field: fn(&mut T, &Value),
    ) -> Self {
        let store = Store::Field(field);
        Self { path, kind, range: Range::Positive, presence: Presence::Required, meaning, store }
    }

    /// One optional figure a number format; zero where the unit cannot.
    pub(crate) const fn per_dtype(
        path: &'static str,
        kind: Kind,
        meaning: &'static str,
        field: fn(&mut T, Dtype, &Value),
    ) -> Self {
        let store = Store::PerDtype(field);
        Self { path, kind, range: Range::NotNegative, presence: Presence::Optional, meaning, store }
    }

    /// A figure that is shown and checked, but from which nothing is computed.
    pub(crate) const fn shown(path: &'static str, kind: Kind, meaning: &'static str) -> Self {
        let (range, presence) = (Range::Positive, Presence::Optional);
        Self { path, kind, range, presence, meaning, store: Store::FigureOnly }
    }

    /// The same, but it may be left out.
    pub(crate) const fn optional(mut self) -> Self {
        self.presence = Presence::Optional;
        self
    }

    /// The same, but zero is allowed and means that the chip has none.
    pub(crate) const fn or_zero(mut self) -> Self {
        self.range = Range::NotNegative;
        self
    }

    /// The table that holds one figure a number format: `"matrix"` of `"matrix.*"`.
    pub(crate) fn dtype_table(&self) -> Option<&'static str> {
        self.path.strip_suffix(".*")
    }

    /// The path with the number format filled in.
    pub(crate) fn path_for(&self, dtype: Option<Dtype>) -> String {
        match (self.dtype_table(), dtype) {
            (Some(table), Some(dtype)) => format!("{table}.{dtype}"),
            _ => self.path.to_owned(),
        }
    }

    /// Every path that the key stands for.
    pub(crate) fn paths(&self) -> Vec<String> {
        match self.dtype_table() {
            Some(_) => Dtype::ALL.into_iter().map(|dtype| self.path_for(Some(dtype))).collect(),
            None => vec![self.path.to_owned()],
        }
    }
}

impl Kind {
    /// As a diagnostic says it: "a bandwidth".
    pub(crate) fn article(self) -> &'static str {
        match self {
            Self::Count => "a whole number",
            Self::Number => "a number",
            Self::Flag => "`true` or `false`",
            Self::Text => "a text",
            Self::Word(_) => "a word",
            Self::Dtypes => "a list of number formats",
            Self::Time => Seconds::KIND,
            Self::Size => Bytes::KIND,
            Self::Bandwidth => BytesPerSecond::KIND,
            Self::Rate => FlopsPerSecond::KIND,
            Self::Frequency => Hertz::KIND,
            Self::Power => Watts::KIND,
            Self::EnergyPerFlop => JoulesPerFlop::KIND,
            Self::EnergyPerByte => JoulesPerByte::KIND,
            Self::Area => Area::KIND,
            Self::Money => Money::KIND,
        }
    }

    /// The units it is written with; none for a kind without unit.
    pub(crate) fn units(self) -> &'static [(&'static str, f64)] {
        match self {
            Self::Count | Self::Number | Self::Flag | Self::Text | Self::Word(_) | Self::Dtypes => &[],
            Self::Time => Seconds::UNITS,
            Self::Size => Bytes::UNITS,
            Self::Bandwidth => BytesPerSecond::UNITS,
            Self::Rate => FlopsPerSecond::UNITS,
            Self::Frequency => Hertz::UNITS,
            Self::Power => Watts::UNITS,
            Self::EnergyPerFlop => JoulesPerFlop::UNITS,
            Self::EnergyPerByte => JoulesPerByte::UNITS,
            Self::Area => Area::UNITS,
            Self::Money => Money::UNITS,
        }
    }

    /// A base-unit number as a person reads it: `"4.00 TB/s"`.
    pub(crate) fn print(self, base: f64) -> String {
        match self {
            Self::Time => format!("{:.4}", Seconds::new(base)),
            Self::Size => format!("{:.4}", Bytes::new(base)),
            Self::Bandwidth => format!("{:.4}", BytesPerSecond::new(base)),
            Self::Rate => format!("{:.4}", FlopsPerSecond::new(base)),
            Self::Frequency => format!("{:.4}", Hertz::new(base)),
            Self::Power => format!("{:.4}", Watts::new(base)),
            Self::EnergyPerFlop => format!("{:.4}", JoulesPerFlop::new(base)),
            Self::EnergyPerByte => format!("{:.4}", JoulesPerByte::new(base)),
            Self::Area => format!("{} mm2", vitruvian_quantity::significant(base, 4)),
            Self::Money => format!("{:.4}", Money::new(base)),
            Self::Count => format!("{base:.0}"),
            _ => vitruvian_quantity::significant(base, 4),
        }
    }
}

/// A positive figure that a file must have, put into a field: `required!("cores", Count, compute.cores, "…")`.
macro_rules! required {
    ($path:literal, $kind:expr, $($field:ident).+, $meaning:literal) => {
        K::new($path, $kind, $meaning, |target, value| { target.$($field).+ = value.into(); })
    };
}

/// The same, but it may be left out.
macro_rules! optional {
    ($($row:tt)+) => { $crate::file::required!($($row)+).optional() };
}

pub(crate) use {optional, required};
