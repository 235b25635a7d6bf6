//! A key of a fleet file, declared once.

/// One key: what may stand there and what it means.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// One value, or a list with one value a quarter.
    pub(super) series: bool,
    pub(super) required: bool,
    pub(super) meaning: &'static str,
}

/// What kind of value a key takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// Free text.
    Text,
    /// A list of texts.
    Texts,
    /// A whole number, within bounds.
    Count(u32, u32),
    /// A number, within bounds.
    Number(f64, f64),
    /// An amount of money in a currency that has a rate, of at most so many US dollars.
    Money(f64),
    /// A power.
    Power,
    /// A time.
    Time,
    /// A quarter of the plan.
    Quarter,
    /// One of a list of words.
    Word(&'static [&'static str]),
}

/// A table of the file.
pub(super) struct Section {
    pub(super) name: &'static str,
    /// Whether there may be several: `[[demand]]`.
    pub(super) list: bool,
    pub(super) required: bool,
    pub(super) keys: &'static [Key],
    pub(super) inner: &'static [Section],
    pub(super) meaning: &'static str,
}

impl Key {
    /// A key that may be left out.
    pub(super) const fn new(name: &'static str, kind: Kind, meaning: &'static str) -> Self {
        Self { name, kind, series: false, required: false, meaning }
    }

    /// The same, but it must be given.
    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The same, but it may have one value a quarter.
    pub(super) const fn series(mut self) -> Self {
        self.series = true;
        self
    }
}

impl Kind {
    /// As a diagnostic says it.
    pub(super) fn article(self) -> String {
        match self {
            Self::Text => "a text".to_owned(),
            Self::Texts => "a list of texts".to_owned(),
            Self::Count(low, high) => format!("a whole number from {low} to {high}"),
            Self::Number(low, f64::INFINITY) => format!("a number of at least {low}"),
            Self::Number(low, high) => format!("a number from {low} to {high}"),
            Self::Money(_) => "an amount of money, such as \"1.2 MUSD\" or \"90000 CNY\"".to_owned(),
            Self::Power => "a power, such as \"2 MW\"".to_owned(),
            Self::Time => "a time, such as \"50 ms\"".to_owned(),
            Self::Quarter => "a quarter, such as \"2026-Q1\"".to_owned(),
            Self::Word(words) => format!("one of {}", words.join(", ")),
        }
    }
}
