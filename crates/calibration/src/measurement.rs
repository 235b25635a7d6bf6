//! One measured row as operators whose times add up to it.

use std::fmt;

use vitruvian_cost::{Family, Precision};
use vitruvian_model::Operator;
use vitruvian_quantity::Seconds;

/// Which profile a measurement informs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    /// Operator family.
    pub family: Family,
    /// Number formats.
    pub precision: Precision,
}

/// A measured time of one or more operators in a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// The profile it informs.
    pub slot: Slot,
    /// What was executed, one after the other.
    pub operators: Vec<Operator>,
    /// How long it took.
    pub time: Seconds,
    /// Shapes that would be known together: `"n=4096 k=7168"`. A fit is judged on families it has not seen.
    pub shape: String,
    /// The software that was measured, if the table says: name and version.
    pub software: Option<Software>,
    /// Line of a CSV file, or row of a parquet file, counted from one.
    pub line: u32,
}

/// Software whose kernels were measured.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Software {
    /// Name in lower case: `"vllm"`.
    pub name: String,
    /// Version as the table states it.
    pub version: String,
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.family, self.precision)
    }
}
