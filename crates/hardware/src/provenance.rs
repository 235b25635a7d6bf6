//! Where a figure comes from.

/// How far a figure can be trusted, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Vendor datasheet, white paper, or a constant in the vendor's released source.
    Datasheet,
    /// Paper, benchmark repository, or tool output.
    Measured,
    /// Arithmetic on other graded figures, which the source shows.
    Derived,
    /// Press or analyst report.
    Press,
    /// Single unsourced page, forum, or recollection. Never presented as fact.
    Rumour,
    /// Set by the user's own file.
    User,
}

/// Where one figure comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Provenance {
    /// The source, by name.
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
    /// Where it comes from.
    pub provenance: Provenance,
}
