//! Which tables inform which chip: the list behind `catalog/profiles` and `docs/accuracy.md`.

use serde::Deserialize;
use vitruvian_cost::profile::Stack;
use vitruvian_cost::{Profile, Residency};
use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText};

use crate::calibrate::Options;
use crate::measurement::Measurement;
use crate::table::Table;

/// Sets of tables measured alike.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The sets.
    pub set: Vec<Set>,
    /// What the fits are to reach.
    #[serde(default)]
    pub target: Vec<Target>,
}

/// The error that a family of one chip is to reach on shapes left out of the fit.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The chip.
    pub chip: String,
    /// The operator family.
    pub family: String,
    /// The number formats.
    pub precision: String,
    /// Mean absolute relative error.
    pub mean: f64,
}

/// Tables of one chip that were measured alike.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// The chip that was measured.
    pub chip: String,
    /// Paths below the folder of measured tables.
    pub tables: Vec<String>,
    /// Where they come from.
    pub source: String,
    /// Software of tables that do not name it.
    pub stack: Option<Stack>,
    /// Sets of operands that the benchmark rotated over; absent where it flushed the cache.
    pub copies: Option<u32>,
    /// Shape families that were measured otherwise than the rest.
    #[serde(default)]
    pub left_out: Vec<LeftOut>,
}

/// A shape family that informs no fit and is not judged.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// The operator family.
    pub family: String,
    /// The shape family, as the rows name it.
    pub shape: String,
    /// Why.
    pub reason: String,
}

/// Rows of one profile that a fit looks at: a thousand fit as well as two (H200 products: 5.50 % and 5.53 % on all rows).
const ROWS: usize = 1000;

impl Manifest {
    /// Reads the list.
    ///
    /// # Errors
    /// What is not TOML of this form.
    pub fn read(source: &SourceText) -> Result<Self, Diagnostics> {
        toml::from_str(source.text()).map_err(|error| {
            let span = error.span().unwrap_or(0..0).into();
            Diagnostic::error("manifest-syntax", error.message()).at(source, span, "").into()
        })
    }
}

impl Manifest {
    /// The target for a profile, if there is one.
    pub fn target_of(&self, profile: &Profile<Vec<f64>>) -> Option<f64> {
        let precision = profile.precision.to_string();
        let meant = |target: &&Target| {
            target.chip == profile.chip
                && target.family == profile.family.name()
                && target.precision == precision
        };
        self.target.iter().find(meant).map(|target| target.mean)
    }

    /// Whether a profile has a target and its error on what was held out, or else in the fit, is above it.
    pub fn misses(&self, profile: &Profile<Vec<f64>>) -> bool {
        let error = profile.held_out.or(profile.in_fit).map(|errors| errors.mean);
        self.target_of(profile).is_some_and(|target| error.is_none_or(|error| error > target))
    }
}

impl Set {
    /// The table without the rows that are left out.
    pub fn judged(&self, mut table: Table) -> Table {
        let named = |row: &Measurement| {
            self.left_out.iter().any(|out| out.family == row.slot.family.name() && out.shape == row.shape)
        };
        table.measurements.retain(|row| !named(row));
        table
    }

    /// What a calibration on these tables is told.
    pub fn options(&self) -> Options {
        Options {
            source: self.source.clone(),
            stack: self.stack.clone().unwrap_or_default(),
            residency: self.copies.map_or(Residency::Cold, |copies| Residency::Rotating { copies }),
            families: Vec::new(),
            rows: ROWS,
        }
    }
}
