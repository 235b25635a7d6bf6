//! Errors on shape families that a fit has not seen.

use std::collections::BTreeMap;

use rayon::prelude::*;
use vitruvian_cost::{Costs, Fidelity, ProfileSet};

use crate::fit::{Effort, Problem, fit};
use crate::measurement::Measurement;
use crate::score::{Pair, Score, calibrated_sigma};
use crate::validate::predict;

/// Fits to fewer rows than this search thoroughly: they are quick, and a poor start would be taken for a poor model.
const FEW: usize = 850;
/// Parts that many shape families are dealt into; fewer families are left out one at a time.
const FOLDS: usize = 10;

/// Predictions of each row by a fit to the other shape families, fold by fold.
///
/// Families are dealt into at most ten folds in the order of their names, so that neighbours fall apart. None where all
/// rows are of one family.
pub fn held_out(problem: &Problem) -> Vec<Vec<Pair>> {
    let mut families: BTreeMap<&str, Vec<&Measurement>> = BTreeMap::new();
    for row in problem.rows {
        families.entry(&row.shape).or_default().push(row);
    }
    let folds = FOLDS.min(families.len());
    if folds < 2 {
        return Vec::new();
    }
    (0..folds).into_par_iter().map(|fold| judged(problem, &families, |index| index % folds == fold)).collect()
}

fn judged(
    problem: &Problem,
    families: &BTreeMap<&str, Vec<&Measurement>>,
    out: impl Fn(usize) -> bool,
) -> Vec<Pair> {
    let side = |left_out: bool| -> Vec<&Measurement> {
        let chosen = families.values().enumerate().filter(|(index, _)| out(*index) == left_out);
        chosen.flat_map(|(_, rows)| rows.iter().copied()).collect()
    };
    let rows = side(false);
    let effort = if rows.len() < FEW { Effort::Thorough } else { Effort::Quick };
    let fitted = fit(&Problem { rows: &rows, effort, ..*problem });
    pairs(problem, &fitted, &side(true))
}

/// Predictions of rows by the given profiles; refused rows are left out.
pub fn pairs(problem: &Problem, profiles: &ProfileSet, rows: &[&Measurement]) -> Vec<Pair> {
    let costs = Costs::new(problem.chip, profiles, Fidelity::Tile);
    let predicted = rows.iter().filter_map(|row| {
        let prediction = predict(&costs, row).ok()?;
        Some(Pair { predicted: prediction.time.get(), measured: row.time.get(), sigma: prediction.sigma })
    });
    predicted.collect()
}

/// Share of measured times between P10 and P90 when each fold's sigma is calibrated on the other folds.
pub fn coverage(folds: &[Vec<Pair>]) -> f64 {
    let judged = folds.iter().enumerate().flat_map(|(out, fold)| {
        let others = folds.iter().enumerate().filter(|(index, _)| *index != out);
        let sigma =
            calibrated_sigma(&others.flat_map(|(_, pairs)| pairs.iter().copied()).collect::<Vec<_>>());
        fold.iter().map(move |pair| Pair { sigma, ..*pair })
    });
    Score::of(&judged.collect::<Vec<_>>()).share_within_p10_p90
}
