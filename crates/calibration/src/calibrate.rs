//! From measured tables to the profiles of one chip.

use std::collections::BTreeMap;

use vitruvian_cost::profile::{Errors, Stack};
use vitruvian_cost::{Family, Precision, Profile, ProfileSet, Residency};
use vitruvian_hardware::Chip;
use vitruvian_model::Operator;
use vitruvian_quantity::Dtype;

use crate::cross;
use crate::fit::{Effort, Problem, fit};
use crate::measurement::{Measurement, Slot, Software};
use crate::score::{Score, calibrated_sigma};
use crate::table::Table;

/// What a calibration is told besides the tables.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Where the tables come from, for the profile's `source`.
    pub source: String,
    /// Software of tables that do not name it.
    pub stack: Stack,
    /// What caches held when the kernels were measured.
    pub residency: Residency,
    /// Only these families; all if empty.
    pub families: Vec<Family>,
    /// Rows of one profile that a fit looks at; an even selection of more.
    pub rows: usize,
}

/// The profiles fitted to a chip's tables.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// One for each family, precision and software that was measured.
    pub fits: Vec<Fit>,
    /// The profiles it started from with the fitted ones in place.
    pub profiles: ProfileSet,
}

/// One fitted profile and its errors.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The profile, as it goes to a file.
    pub profile: Profile<Vec<f64>>,
    /// Errors on all its rows.
    pub in_fit: Score,
    /// Errors on shape families left out.
    pub held_out: Score,
}

/// Fits a profile for each family, precision and software in the tables.
///
/// Vector work comes first: rows of matrix products may contain some. Where products contain quantisation and no
/// vector kernel was measured, both are fitted together.
pub fn calibrate(chip: &Chip, start: &ProfileSet, tables: &[Table], options: &Options) -> Calibration {
    let sets = measured_sets(tables, options);
    let mut calibration = Calibration { fits: Vec::new(), profiles: start.clone() };
    for ((_, software), (slot, rows)) in &sets {
        let stack = software.as_ref().map_or_else(|| options.stack.clone(), stack);
        let slots = slots_for(*slot, rows, &sets);
        let started = prepared(&calibration.profiles, &slots, chip, &stack, options);
        let problem = Problem {
            chip,
            profiles: &started,
            slots: &slots,
            rows: &thinned(rows, options.rows),
            effort: Effort::Thorough,
        };
        let fitted = judged(&problem, rows);
        for fit in &fitted {
            calibration.profiles.place(&fit.profile);
        }
        calibration.fits.extend(fitted);
    }
    calibration
}

/// Rows by software, vector work before the rest, and the slot that each set informs.
type Sets<'a> = BTreeMap<(Order, Option<&'a Software>), (Slot, Vec<&'a Measurement>)>;
type Order = (bool, Slot);

fn measured_sets<'a>(tables: &'a [Table], options: &Options) -> Sets<'a> {
    let mut sets: Sets = BTreeMap::new();
    let wanted = |slot: Slot| options.families.is_empty() || options.families.contains(&slot.family);
    for row in tables.iter().flat_map(|table| &table.measurements).filter(|row| wanted(row.slot)) {
        let key = ((row.slot.family != Family::Vector, row.slot), row.software.as_ref());
        sets.entry(key).or_insert_with(|| (row.slot, Vec::new())).1.push(row);
    }
    sets
}

fn stack(software: &&Software) -> Stack {
    Stack { software: software.name.clone(), version: software.version.clone() }
}

/// The slot, and that of the vector work in its rows where nothing else informs it.
fn slots_for(slot: Slot, rows: &[&Measurement], sets: &Sets) -> Vec<Slot> {
    let vector = Slot { family: Family::Vector, precision: Precision::formats(Dtype::Bf16, Dtype::Bf16) };
    let contains =
        |row: &&Measurement| row.operators.iter().any(|operator| matches!(operator, Operator::Vector(_)));
    let informed = sets.values().any(|(other, _)| *other == vector);
    let first = slot.family == Family::Gemm;
    if first && !informed && rows.iter().any(|row| contains(row)) { vec![slot, vector] } else { vec![slot] }
}

/// The profiles with one of its own for each slot, holding the values it would borrow.
fn prepared(
    profiles: &ProfileSet,
    slots: &[Slot],
    chip: &Chip,
    stack: &Stack,
    options: &Options,
) -> ProfileSet {
    let mut prepared = profiles.clone();
    for slot in slots {
        let borrowed = profiles.profile(slot.family, slot.precision);
        prepared.place(&Profile {
            chip: chip.name.clone(),
            precision: slot.precision,
            stack: stack.clone(),
            residency: options.residency,
            source: options.source.clone(),
            borrowed_from: None,
            ..borrowed
        });
    }
    prepared
}

/// An even selection of at most so many rows.
fn thinned<'a>(rows: &[&'a Measurement], most: usize) -> Vec<&'a Measurement> {
    let step = rows.len().div_ceil(most.max(1)).max(1);
    rows.iter().step_by(step).copied().collect()
}

fn judged(problem: &Problem, rows: &[&Measurement]) -> Vec<Fit> {
    let fitted = fit(problem);
    let held_out = cross::held_out(problem);
    let in_fit = cross::pairs(problem, &fitted, rows);
    let sigma = calibrated_sigma(if held_out.is_empty() { &in_fit } else { &held_out }).max(0.01);
    let (in_fit, held_out) = (Score::of(&in_fit), Score::of(&held_out));
    let profile = |slot: &Slot| Profile {
        sigma,
        points: rows.len() as u32,
        in_fit: Some(errors(&in_fit)),
        held_out: (held_out.n > 0).then(|| errors(&held_out)),
        ..fitted.profile(slot.family, slot.precision)
    };
    problem.slots.iter().map(|slot| Fit { profile: profile(slot), in_fit, held_out }).collect()
}

fn errors(score: &Score) -> Errors {
    Errors {
        mean: score.mean_abs_pct_error / 100.0,
        median: score.median_abs_pct_error / 100.0,
        p90: score.p90_abs_pct_error / 100.0,
    }
}
