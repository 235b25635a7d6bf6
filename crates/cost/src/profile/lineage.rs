//! Who may lend a profile to whom, and how much wider it becomes.

use std::collections::BTreeMap;

use serde::Deserialize;
use vitruvian_diagnostics::SourceText;
use vitruvian_hardware::Chip;
use vitruvian_hardware::chip::Architecture;

use super::{Checked, file};
use crate::precision::Precision;

/// The declared relations of `catalog/profiles/lineage.toml`. Every figure is added to sigma in quadrature.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Lineage {
    /// Relatives of each chip: name and widening.
    chip: BTreeMap<String, BTreeMap<String, f64>>,
    /// Relatives of chips not named above, by core design.
    architecture: BTreeMap<String, BTreeMap<String, f64>>,
    /// Relatives of each scheme.
    scheme: BTreeMap<String, BTreeMap<String, f64>>,
    /// Widening between a user's chip and the one that its file extends.
    extended: f64,
    /// Widening from the priors of `generic.toml`, which any chip can fall back on.
    generic: f64,
    /// Widening between schemes that no entry relates.
    other_scheme: f64,
    /// Widening between formats of arithmetic.
    other_compute: f64,
    /// Widening between formats of the cache or state.
    other_stored: f64,
}

/// The chip name of the priors.
pub const GENERIC: &str = "generic";

impl Lineage {
    /// Reads the relations.
    ///
    /// # Errors
    /// What is not TOML of this form.
    pub fn read(source: &SourceText) -> Checked<Self> {
        toml::from_str(source.text()).map_err(|error| file::syntax(source, &error))
    }

    /// Chips whose profiles may answer for this one, each with the least sum of squared widenings on a path to it.
    pub fn reach(&self, chip: &Chip) -> BTreeMap<String, f64> {
        let mut reached =
            BTreeMap::from([(chip.name.clone(), 0.0), (GENERIC.to_owned(), self.generic.powi(2))]);
        if !self.chip.contains_key(&chip.name) {
            let extended = chip.lineage.iter().map(|name| (name.clone(), self.extended)).collect();
            relax(&mut reached, Some(&extended), 0.0);
            relax(&mut reached, self.architecture.get(architecture(chip.architecture)), 0.0);
        }
        // Relations form no long chains: as many rounds as there are chips settle every path.
        for _ in 0..=self.chip.len() {
            let known = reached.clone();
            for (name, variance) in &known {
                relax(&mut reached, self.chip.get(name), *variance);
            }
            if reached == known {
                break;
            }
        }
        reached
    }

    /// Squared widening from one precision of a family to another.
    pub fn between(&self, asked: Precision, fitted: Precision) -> f64 {
        match (asked, fitted) {
            (Precision::Scheme(asked), Precision::Scheme(fitted)) if asked == fitted => 0.0,
            (Precision::Scheme(asked), Precision::Scheme(fitted)) => {
                let related =
                    self.scheme.get(asked.name()).and_then(|relatives| relatives.get(fitted.name()));
                related.copied().unwrap_or(self.other_scheme).powi(2)
            }
            (Precision::Formats { compute: a, stored: b }, Precision::Formats { compute: c, stored: d }) => {
                let compute = if a == c { 0.0 } else { self.other_compute };
                let stored = if b == d { 0.0 } else { self.other_stored };
                compute.powi(2) + stored.powi(2)
            }
            _ => f64::INFINITY,
        }
    }
}

/// Lowers the variance of each relative that a path through a chip of this variance reaches sooner.
fn relax(reached: &mut BTreeMap<String, f64>, relatives: Option<&BTreeMap<String, f64>>, variance: f64) {
    for (name, widening) in relatives.into_iter().flatten() {
        let through = variance + widening.powi(2);
        let least = reached.entry(name.clone()).or_insert(through);
        *least = least.min(through);
    }
}

const fn architecture(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Ampere => "ampere",
        Architecture::Ada => "ada",
        Architecture::Hopper => "hopper",
        Architecture::Blackwell => "blackwell",
        Architecture::Cdna3 => "cdna3",
        Architecture::DaVinciCoupled => "da-vinci-coupled",
        Architecture::DaVinciSplit => "da-vinci-split",
        Architecture::DaVinci950 => "da-vinci-950",
    }
}
