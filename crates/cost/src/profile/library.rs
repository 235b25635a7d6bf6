//! All known profiles, and the set of one chip among them.

use vitruvian_diagnostics::{Diagnostic, SourceText};
use vitruvian_hardware::Chip;

use super::lineage::{self, Lineage};
use super::{Checked, Profile, ProfileSet, Slot, Table, file};
use crate::family::Family;
use crate::parameters::Parameters;
use crate::precision::Precision;

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../catalog/profiles/", $name, ".toml")))),+]
    };
}

/// Name and text of each profile file of the catalog.
const CATALOG: &[(&str, &str)] =
    embedded!["generic", "a100-sxm", "h100-sxm", "h200-sxm", "h800-sxm", "h20", "ascend-910b2"];
const LINEAGE: &str = include_str!("../../../../catalog/profiles/lineage.toml");

/// Profiles of many chips, and how they may be borrowed.
#[derive(Clone, Debug, PartialEq)]
pub struct Library {
    profiles: Vec<Profile<Vec<f64>>>,
    lineage: Lineage,
}

impl Library {
    /// The profiles of the catalog.
    ///
    /// # Errors
    /// Mistakes in the embedded files, which a test rules out.
    pub fn catalog() -> Checked<Self> {
        let mut profiles = Vec::new();
        for (name, text) in CATALOG {
            profiles.extend(file::read(&SourceText::new(format!("catalog:profiles/{name}"), *text))?);
        }
        Ok(Self { profiles, lineage: Lineage::read(&SourceText::new("catalog:profiles/lineage", LINEAGE))? })
    }

    /// Adds the profiles of a user's file; they take the place of those for the same chip, family and precision.
    ///
    /// # Errors
    /// Every mistake in the file; nothing is added then.
    pub fn add(&mut self, source: &SourceText) -> Checked<()> {
        let added = file::read(source)?;
        let replaced = |old: &Profile<Vec<f64>>| {
            added
                .iter()
                .any(|new| (&new.chip, new.family, new.precision) == (&old.chip, old.family, old.precision))
        };
        self.profiles.retain(|old| !replaced(old));
        self.profiles.extend(added);
        Ok(())
    }

    /// The same without a chip's own profiles: what would be said of it if it had never been measured.
    #[must_use]
    pub fn without(&self, chip: &str) -> Self {
        let profiles = self.profiles.iter().filter(|profile| profile.chip != chip).cloned().collect();
        Self { profiles, lineage: self.lineage.clone() }
    }

    /// The priors alone, which nothing was fitted to.
    #[must_use]
    pub fn priors(&self) -> Self {
        let profiles =
            self.profiles.iter().filter(|profile| profile.chip == lineage::GENERIC).cloned().collect();
        Self { profiles, lineage: self.lineage.clone() }
    }

    /// The chip's own profiles, in the order they stand in.
    pub fn own<'a>(&'a self, chip: &'a str) -> impl Iterator<Item = &'a Profile<Vec<f64>>> + 'a {
        self.profiles.iter().filter(move |profile| profile.chip == chip)
    }

    /// The profiles that answer for a chip: its own, else those of its closest relatives, wider.
    ///
    /// Among equally close ones those of the named software come first, then those that stand first.
    ///
    /// # Errors
    /// Where no relative has a profile of some family.
    pub fn profiles(&self, chip: &Chip, software: Option<&str>) -> Checked<ProfileSet> {
        let reached = self.lineage.reach(chip);
        let near: Vec<Near> = self
            .profiles
            .iter()
            .filter_map(|profile| {
                reached.get(&profile.chip).map(|variance| Near { profile, variance: *variance })
            })
            .collect();
        let search = Search { chip, near, lineage: &self.lineage, software };
        Ok(ProfileSet {
            chip: chip.name.clone(),
            gemm: search.table(Family::Gemm)?,
            grouped_gemm: search.table(Family::GroupedGemm)?,
            prefill_attention: search.table(Family::PrefillAttention)?,
            decode_attention: search.table(Family::DecodeAttention)?,
            mla_decode: search.table(Family::MlaDecode)?,
            indexer: search.table(Family::Indexer)?,
            linear_attention: search.table(Family::LinearAttention)?,
            vector: search.table(Family::Vector)?,
        })
    }
}

/// A profile within reach of a chip, and the squared widening on the way.
struct Near<'a> {
    profile: &'a Profile<Vec<f64>>,
    variance: f64,
}

/// What is searched for the profiles of one chip.
struct Search<'a> {
    chip: &'a Chip,
    near: Vec<Near<'a>>,
    lineage: &'a Lineage,
    software: Option<&'a str>,
}

impl Search<'_> {
    fn table<P: Parameters>(&self, family: Family) -> Checked<Table<P>> {
        let near: Vec<&Near> = self.near.iter().filter(|near| near.profile.family == family).collect();
        let profiles =
            near.iter().map(|near| near.profile.with(P::from_values(&near.profile.parameters))).collect();
        let slots = Precision::all(family).into_iter().map(|asked| self.slot(asked, &near));
        let slots: Option<Vec<Slot>> = slots.collect();
        let none = || {
            Diagnostic::error("profile-none", format!("no {family} profile answers for {}", self.chip.name))
        };
        Ok(Table { profiles, slots: slots.ok_or_else(none)? })
    }

    /// The closest profile for a precision.
    fn slot(&self, asked: Precision, near: &[&Near]) -> Option<Slot> {
        let distance = |near: &Near| {
            let other = self.software.is_some_and(|software| software != near.profile.stack.software);
            (near.variance + self.lineage.between(asked, near.profile.precision), other)
        };
        let (index, (variance, _)) = near
            .iter()
            .map(|near| distance(near))
            .enumerate()
            .min_by(|(_, a), (_, b)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))?;
        let fitted = near[index].profile;
        let borrowed = fitted.chip != self.chip.name || fitted.precision != asked;
        Some(Slot {
            profile: index,
            sigma: fitted.sigma.hypot(variance.sqrt()),
            widening: variance.sqrt(),
            borrowed,
        })
    }
}
