//! The collective profiles of the catalog, and which of them answers for a chip.

use std::collections::BTreeMap;

use serde::Deserialize;
use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText};
use vitruvian_hardware::Chip;
use vitruvian_hardware::chip::Architecture;

use super::{CollectiveProfile, Custom, Sigma};

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../catalog/profiles/collectives/", $name, ".toml")))),+]
    };
}

/// Name and text of each file, the preferred first.
const CATALOG: &[(&str, &str)] = embedded!["nccl-hopper", "nccl-ampere", "hccl"];

/// The profiles of several libraries.
#[derive(Clone, Debug, PartialEq)]
pub struct Library {
    files: Vec<File>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Chips and core designs it answers for, with what the transfer adds to sigma in quadrature: zero where it was
    /// measured.
    answers_for: BTreeMap<String, f64>,
    profile: CollectiveProfile,
}

impl Library {
    /// The profiles of the catalog.
    ///
    /// # Errors
    /// Mistakes in the embedded files, which a test rules out.
    pub fn catalog() -> Result<Self, Diagnostics> {
        let read = |(name, text): &(&str, &str)| {
            read(&SourceText::new(format!("catalog:profiles/collectives/{name}"), *text))
        };
        Ok(Self { files: CATALOG.iter().map(read).collect::<Result<_, _>>()? })
    }

    /// Adds a user's file before those of the catalog.
    ///
    /// # Errors
    /// The first mistake in the file.
    pub fn add(&mut self, source: &SourceText) -> Result<(), Diagnostics> {
        self.files.insert(0, read(source)?);
        Ok(())
    }

    /// The profile that answers for a chip, with the all-reduce kernels of a serving engine if it brings any.
    ///
    /// # Errors
    /// If no profile answers for the chip's core design.
    pub fn profile(&self, chip: &Chip, engine: Option<&str>) -> Result<CollectiveProfile, Diagnostics> {
        Ok(self.nearest(chip)?.for_engine(engine))
    }

    /// The profile that answers for a chip, with the kernels of all engines; wider if it was measured on another design.
    ///
    /// # Errors
    /// If no profile answers for the chip's core design.
    pub fn nearest(&self, chip: &Chip) -> Result<CollectiveProfile, Diagnostics> {
        let design = design(chip.architecture);
        let widening = |file: &File| {
            let named = file.answers_for.get(&chip.name).or_else(|| file.answers_for.get(design));
            named.copied()
        };
        let answering = self.files.iter().filter_map(|file| Some((widening(file)?, file)));
        let nearest = answering.min_by(|(a, _), (b, _)| a.total_cmp(b));
        let (widening, file) = nearest.ok_or_else(|| {
            Diagnostic::error("collectives-none", format!("no collective profile answers for {design} chips"))
        })?;
        Ok(widened(&file.profile, widening))
    }
}

fn widened(profile: &CollectiveProfile, widening: f64) -> CollectiveProfile {
    let wider = |sigma: f64| sigma.hypot(widening);
    let Sigma { inside, across, experts } = profile.sigma;
    let custom = profile.custom.iter().map(|own| Custom { sigma: wider(own.sigma), ..own.clone() }).collect();
    let sigma = Sigma { inside: wider(inside), across: wider(across), experts: wider(experts) };
    CollectiveProfile { sigma, custom, borrowed: widening > 0.0, ..profile.clone() }
}

fn read(source: &SourceText) -> Result<File, Diagnostics> {
    toml::from_str(source.text()).map_err(|error| {
        let span = error.span().unwrap_or(0..0).into();
        Diagnostic::error("collectives-file", error.message()).at(source, span, "").into()
    })
}

/// The name of a core design in profile files.
const fn design(architecture: Architecture) -> &'static str {
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
