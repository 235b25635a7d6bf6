//! Where a figure comes from.

use std::fmt;

/// How far a figure can be trusted, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Vendor datasheet, white paper, or a constant in the vendor's released source.
    Datasheet,
    /// Paper, benchmark repository, or tool output.
    Measured,
    /// Arithmetic on other graded figures, which the note shows.
    Derived,
    /// Press or analyst report.
    Press,
    /// Remembered from a public datasheet, without a copy at hand to check it against.
    Recalled,
    /// Single unsourced page or forum. Never presented as fact.
    Rumour,
    /// Set by the user's own file.
    User,
}

/// Where one figure comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Provenance {
    /// The sources, by their names in `catalog/sources.toml`, separated by commas; the file, for a user's figure.
    pub source: String,
    /// How far it can be trusted.
    pub grade: Grade,
    /// Why this value was chosen, where sources disagree; or how it was derived.
    pub note: Option<String>,
    /// What other sources say.
    pub alternatives: Vec<Alternative>,
}

/// A value that another source gives for the same figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Alternative {
    /// The value as written, with its unit.
    pub value: String,
    /// The source, by name.
    pub source: String,
    /// How far it can be trusted.
    pub grade: Grade,
}

/// One figure of a chip or node file: its key, its value as written, and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Dotted key in the file: `"hbm.bandwidth"`.
    pub key: String,
    /// The value as written, with its unit: `"4.0 TB/s"`.
    pub value: String,
    /// The value in base units, if it is a number.
    pub number: Option<f64>,
    /// Where it comes from.
    pub provenance: Provenance,
}

impl Grade {
    /// All grades, best first.
    pub const ALL: [Self; 7] = [
        Self::Datasheet,
        Self::Measured,
        Self::Derived,
        Self::Press,
        Self::Recalled,
        Self::Rumour,
        Self::User,
    ];

    /// The word used in files and output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Datasheet => "datasheet",
            Self::Measured => "measured",
            Self::Derived => "derived",
            Self::Press => "press",
            Self::Recalled => "recalled",
            Self::Rumour => "rumour",
            Self::User => "user",
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Provenance {
    /// Of a source and grade, with nothing more to say.
    pub fn new(source: impl Into<String>, grade: Grade) -> Self {
        Self { source: source.into(), grade, note: None, alternatives: Vec::new() }
    }

    /// The sources' names, one by one.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.source.split(',').map(str::trim)
    }
}
