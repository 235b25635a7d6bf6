//! The answer of `cost die`, as plain data.

use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::Range;

/// What a good chip costs to make.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct DieAnswer {
    /// The chip, by name.
    pub chip: String,
    /// The name a person reads.
    pub title: String,
    /// Yield model.
    pub model: String,
    /// Seed of the simulation.
    pub seed: u64,
    /// Chips simulated.
    pub samples: u32,
    /// One entry a process, in the order asked.
    pub processes: Vec<OnProcess>,
    /// Bill of materials that analysts estimate, where the chip's file gives one.
    pub materials_usd: Option<f64>,
    /// Price of the chip, where its file gives one.
    pub price_usd: Option<f64>,
    /// Exchange rates that were used: US dollars for one unit.
    pub rates: Vec<RateUsed>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// An exchange rate.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RateUsed {
    /// Currency.
    pub currency: String,
    /// US dollars for one unit.
    pub usd: f64,
    /// Day and grade, or `given`.
    pub origin: String,
}

/// The cost on one process.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct OnProcess {
    /// Name in the catalog.
    pub process: String,
    /// The name a person reads.
    pub title: String,
    /// Area of a compute die.
    pub area_mm2: f64,
    /// Its width.
    pub width_mm: f64,
    /// Its height.
    pub height_mm: f64,
    /// Candidates a wafer: exact count at the best shift.
    pub dies_per_wafer: u32,
    /// The usual formula, as a check.
    pub dies_per_wafer_formula: f64,
    /// Share of dies without any defect.
    pub whole_die_yield: f64,
    /// Share of dies that can be used, with cores to spare.
    pub die_yield: Range,
    /// Defects a cm².
    pub defect_density_per_cm2: Range,
    /// One good compute die.
    pub good_die_usd: Range,
    /// One good chip: package, memory and test included.
    pub chip_usd: Range,
    /// What it is made of.
    pub parts: Vec<Part>,
    /// Share of dies by what they can be sold as.
    pub bins: Vec<BinShare>,
    /// How far each input moves the cost, the furthest first.
    pub sensitivity: Vec<Sensitivity>,
    /// What each quoted yield would mean, where the process has such.
    pub quoted_yields: Vec<Quoted>,
    /// Where each input comes from.
    pub inputs: Vec<InputUsed>,
}

/// A part of the cost.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Part {
    /// What.
    pub part: String,
    /// Cost of it in one good chip.
    pub usd: Range,
    /// Share of the typical cost.
    pub share: f64,
}

/// What dies can be sold as.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct BinShare {
    /// Good cores needed.
    pub cores: u32,
    /// Chips that need so many.
    pub chips: Vec<String>,
    /// Share of dies whose best bin this is.
    pub share: f64,
    /// Share of dies with at least so many.
    pub at_least: f64,
    /// Dies a wafer with at least so many.
    pub dies_per_wafer: f64,
    /// Cost of a good die if only such are sold.
    pub good_die_usd: f64,
}

/// How far one input moves the cost.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Sensitivity {
    /// Which.
    pub input: String,
    /// Its unit.
    pub unit: String,
    /// One in ten lies below.
    pub low: f64,
    /// One in ten lies above.
    pub high: f64,
    /// Cost of a chip at its low end.
    pub at_low_usd: f64,
    /// Cost of a chip at its high end.
    pub at_high_usd: f64,
    /// Share of the sum of squared swings.
    pub share: f64,
}

/// What a quoted yield would mean.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Quoted {
    /// Share of good dies.
    pub good: f64,
    /// Defects a cm² by inverting the yield model.
    pub defect_density_per_cm2: f64,
    /// Share of dies that could be used, with cores to spare.
    pub die_yield: f64,
    /// Cost of a good die.
    pub good_die_usd: f64,
    /// Who says so.
    pub source: String,
    /// How far it can be trusted.
    pub grade: String,
}

/// Where an input comes from.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct InputUsed {
    /// Which.
    pub input: String,
    /// Its unit.
    pub unit: String,
    /// One in ten lies below.
    pub low: f64,
    /// What is used.
    pub typical: f64,
    /// One in ten lies above.
    pub high: f64,
    /// Day or year.
    pub date: String,
    /// Who says so.
    pub source: String,
    /// How far it can be trusted.
    pub grade: String,
    /// What others say.
    pub alternatives: Vec<String>,
}
