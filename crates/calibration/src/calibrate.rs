//! From measured tables to the profiles of one chip.

use std::collections::BTreeMap;

use vitruvian_cost::profile::{Errors, Stack};
use vitruvian_cost::{Family, Library, Precision, Profile, ProfileSet, Residency};
use vitruvian_diagnostics::Diagnostics;
use vitruvian_hardware::Chip;
use vitruvian_model::Operator;

use crate::cross;
use crate::fit::{Effort, Problem, fit, with_libraries};
use crate::measurement::{Measurement, Slot, Software};
use crate::score::{Pair, Score, calibrated_sigma};
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
/// Every fit starts from the priors of `generic.toml`, never from what was fitted before, so that the same tables give
/// the same profiles. Vector work comes first: rows of matrix products may contain some. Where products contain
/// quantisation and no vector kernel was measured, both are fitted together.
///
/// # Errors
/// A library without profiles for some family.
pub fn calibrate(
    chip: &Chip,
    library: &Library,
    tables: &[Table],
    options: &Options,
) -> Result<Calibration, Diagnostics> {
    let priors = library.priors().profiles(chip, None)?;
    let mut calibration = Calibration { fits: Vec::new(), profiles: library.profiles(chip, None)? };
    let sets = measured_sets(tables, options);
    for ((_, software), (slot, rows)) in &sets {
        let stack = software.map_or_else(|| options.stack.clone(), stack);
        let slots = slots_for(*slot, rows, tables);
        let blank = |slot: Slot| blank(chip, slot, &priors, &stack, options);
        let mut started = calibration.profiles.clone();
        for slot in &slots {
            started.place(&blank(*slot));
        }
        let rows_seen = thinned(rows, options.rows);
        let problem =
            Problem { chip, profiles: &started, slots: &slots, rows: &rows_seen, effort: Effort::Thorough };
        let fitted = judged(&problem, rows);
        for fit in &fitted {
            calibration.profiles.place(&fit.profile);
        }
        calibration.fits.extend(fitted);
    }
    Ok(calibration)
}

/// Least sigma of vector work: tables time one kind of kernel out of twelve, and the model that fits static quantisation
/// within 5 % is 14 % off on dynamic quantisation (H100, H200).
const VECTOR_SIGMA: f64 = 0.15;
/// Widening of sigma where no shape family could be left out. Where some could, held-out residuals of tables with few
/// families were up to twice those in the fit.
const UNJUDGED: f64 = 2.0;
/// Least sigma of anything else: no measurement repeats better.
const LEAST_SIGMA: f64 = 0.01;

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

fn stack(software: &Software) -> Stack {
    Stack { software: software.name.clone(), version: software.version.clone() }
}

/// The slot, and that of the vector work in its rows where no table measures vector work alone.
fn slots_for(slot: Slot, rows: &[&Measurement], tables: &[Table]) -> Vec<Slot> {
    let vector = Slot { family: Family::Vector, precision: Precision::VECTOR };
    let informed = tables.iter().flat_map(|table| &table.measurements).any(|row| row.slot == vector);
    let contains = |row: &&Measurement| row.operators.iter().any(|op| matches!(op, Operator::Vector(_)));
    let together = slot.family == Family::Gemm && !informed && rows.iter().any(contains);
    if together { vec![slot, vector] } else { vec![slot] }
}

/// A profile of the chip's own that holds the prior's values.
fn blank(
    chip: &Chip,
    slot: Slot,
    priors: &ProfileSet,
    stack: &Stack,
    options: &Options,
) -> Profile<Vec<f64>> {
    Profile {
        chip: chip.name.clone(),
        precision: slot.precision,
        stack: stack.clone(),
        residency: options.residency,
        cap: Some(chip.power.cap),
        source: options.source.clone(),
        borrowed_from: None,
        ..priors.profile(slot.family, slot.precision)
    }
}

/// An even selection of at most so many rows.
fn thinned<'a>(rows: &[&'a Measurement], most: usize) -> Vec<&'a Measurement> {
    let step = rows.len().div_ceil(most.max(1)).max(1);
    rows.iter().step_by(step).copied().collect()
}

fn judged(problem: &Problem, rows: &[&Measurement]) -> Vec<Fit> {
    let fitted = fit(problem);
    let libraries = with_libraries(problem.profiles, &fitted, problem.slots);
    let folds = cross::held_out(&Problem { profiles: &libraries, ..*problem });
    let held_out: Vec<Pair> = folds.iter().flatten().copied().collect();
    let in_fit = cross::pairs(problem, &fitted, rows);
    let sigma =
        if held_out.is_empty() { UNJUDGED * calibrated_sigma(&in_fit) } else { calibrated_sigma(&held_out) };
    let (in_fit, held_out) = (Score::of(&in_fit), Score::of(&held_out));
    let least = |slot: &Slot| if slot.family == Family::Vector { VECTOR_SIGMA } else { LEAST_SIGMA };
    let profile = |slot: &Slot| Profile {
        sigma: sigma.max(least(slot)),
        points: rows.len() as u32,
        in_fit: Some(errors(&in_fit, None)),
        held_out: (held_out.n > 0).then(|| errors(&held_out, Some(cross::coverage(&folds)))),
        ..fitted.profile(slot.family, slot.precision)
    };
    problem.slots.iter().map(|slot| Fit { profile: profile(slot), in_fit, held_out }).collect()
}

fn errors(score: &Score, within: Option<f64>) -> Errors {
    Errors {
        mean: score.mean_abs_pct_error / 100.0,
        median: score.median_abs_pct_error / 100.0,
        p90: score.p90_abs_pct_error / 100.0,
        within,
    }
}
