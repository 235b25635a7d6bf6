//! What export rules say of a chip, by day.

pub mod answer;
mod assemble;

use vitruvian_diagnostics::{Diagnostics, SourceText, both};
use vitruvian_economics::export_control::classify::Subject;
use vitruvian_economics::export_control::facts::BaseDies;
use vitruvian_economics::export_control::{
    Collection, Facts, classify, collection, facts, timeline as changes,
};
use vitruvian_hardware::{Chip, catalog};
use vitruvian_quantity::{Area, BytesPerSecond};

use crate::setup::load_chip;
use crate::study::Input;
pub use answer::{CheckAnswer, ChipsAnswer, MemoryAnswer, RulesAnswer, TimelineAnswer};

/// What do the rules say of a chip on a day?
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CheckStudy {
    /// The chip.
    pub chip: Input,
    /// The day, as `2023-11-17`; nothing for the last that the collection knows.
    pub date: Option<String>,
    /// Whether bills count as if they were rules.
    pub proposed: bool,
    /// Whether logic dies below memory stacks count.
    pub base_dies: bool,
    /// Rules of the user's own: texts of files, with the paths that a person knows them by.
    pub rules: Vec<(String, String)>,
}

/// What changed for a chip, and when?
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimelineStudy {
    /// The chip.
    pub chip: Input,
    /// Whether bills are listed.
    pub proposed: bool,
}

/// Which rules are there?
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RulesStudy {
    /// Only those in force on this day.
    pub date: Option<String>,
    /// Only this one.
    pub rule: Option<String>,
}

/// Does the rule on memory catch a stack that is sold by itself?
#[derive(Clone, Debug, PartialEq)]
pub struct MemoryStudy {
    /// Bandwidth of the stack.
    pub bandwidth: BytesPerSecond,
    /// Area of the stack.
    pub area: Area,
    /// The day.
    pub date: Option<String>,
}

/// Classifies a chip.
///
/// # Errors
/// An unknown chip or a mistake in its file, a day that is none or out of range.
pub fn check(study: &CheckStudy) -> Result<CheckAnswer, Diagnostics> {
    let mut collection = collection()?;
    for (path, text) in &study.rules {
        collection.add(&SourceText::new(path.as_str(), text.as_str()))?;
    }
    let ((chip, notes), day) =
        both(load_chip(&study.chip), collection.day(study.date.as_deref()).map_err(Into::into))?;
    let base_dies = if study.base_dies { BaseDies::Included } else { BaseDies::Excluded };
    let account = facts(&chip, &collection.definitions, base_dies);
    let subject = Subject { name: &chip.name, facts: &account.facts };
    let findings = classify(&collection, subject, day);
    let case = assemble::Case {
        collection: &collection,
        chip: &chip,
        account: &account,
        day,
        findings: &findings,
        proposed: study.proposed,
    };
    Ok(assemble::check(&case, notes))
}

/// Classifies every chip of the catalog on a day; without one, on the last that the collection knows.
///
/// # Errors
/// A day that is none or out of range.
pub fn chips(date: Option<&str>) -> Result<ChipsAnswer, Diagnostics> {
    let collection = collection()?;
    let day = collection.day(date)?;
    let line = |name: &str| -> Result<answer::ChipLine, Diagnostics> {
        let chip = catalog::chip(name)?;
        let facts = chip_facts(&chip, &collection);
        let findings = classify(&collection, Subject { name, facts: &facts }, day);
        Ok(assemble::line(&chip, &facts, &findings))
    };
    let lines: Vec<answer::ChipLine> = catalog::names().map(line).collect::<Result<_, _>>()?;
    Ok(assemble::chips(&collection, day, lines))
}

/// The time line of a chip.
///
/// # Errors
/// An unknown chip or a mistake in its file.
pub fn timeline(study: &TimelineStudy) -> Result<TimelineAnswer, Diagnostics> {
    let collection = collection()?;
    let (chip, notes) = load_chip(&study.chip)?;
    let facts = chip_facts(&chip, &collection);
    let subject = Subject { name: &chip.name, facts: &facts };
    let changes = changes(&collection, subject, chip.vendor.name());
    Ok(assemble::timeline(&collection, &chip, &changes, study.proposed, notes))
}

fn chip_facts(chip: &Chip, collection: &Collection) -> Facts {
    facts(chip, &collection.definitions, BaseDies::default()).facts
}

/// The rules of the collection.
///
/// # Errors
/// An unknown rule, a day that is none or out of range.
pub fn rules(study: &RulesStudy) -> Result<RulesAnswer, Diagnostics> {
    let collection = collection()?;
    let day = study.date.as_deref().map(|text| collection.day(Some(text))).transpose();
    let only = study.rule.as_deref().map(|id| collection.rule(id).cloned()).transpose();
    let (day, only) = both(day.map_err(Into::into), only.map_err(Into::into))?;
    Ok(assemble::rules(&collection, day, only.as_ref()))
}

/// Classifies a memory stack that is sold by itself.
///
/// # Errors
/// A bandwidth or area that is not positive, a day that is none or out of range.
pub fn memory(study: &MemoryStudy) -> Result<MemoryAnswer, Diagnostics> {
    let collection = collection()?;
    let day = collection.day(study.date.as_deref());
    let positive = assemble::positive(study);
    let (day, ()) = both(day.map_err(Into::into), positive)?;
    Ok(assemble::memory(&collection, study, day))
}
