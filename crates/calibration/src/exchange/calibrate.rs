//! From measured collectives to the profile of a communication library.

use std::collections::BTreeMap;

use vitruvian_hardware::{Chip, Node};
use vitruvian_network::profile::Errors;
use vitruvian_network::{CollectiveEstimate, CollectiveProfile};

use super::knobs::{ranges, with_values};
use super::predict::{estimates, family, pair};
use super::search::{Search, minimise};
use super::{Exchange, Path};
use crate::score::{Pair, Score, calibrated_sigma};

/// What was measured on one chip in one node.
#[derive(Clone, Debug)]
pub struct Measured<'a> {
    /// The chip.
    pub chip: &'a Chip,
    /// The node, whose figures a fit leaves as they are.
    pub node: &'a Node,
    /// The measurements.
    pub exchanges: Vec<&'a Exchange>,
}

/// A profile fitted along each path that was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The profile with the fitted figures and their errors in place.
    pub profile: CollectiveProfile,
    /// Errors along each path.
    pub paths: Vec<PathFit>,
}

/// Errors of one path's fit.
#[derive(Clone, Debug, PartialEq)]
pub struct PathFit {
    /// Whose kernels.
    pub path: Path,
    /// Errors on all its rows.
    pub in_fit: Score,
    /// Errors on (pattern, group size) pairs left out, chip by chip and over all. Expert kernels, measured over one
    /// group size, leave out message sizes instead.
    pub held_out: Vec<(String, Score)>,
}

/// Fits one profile to all that was measured: the library first, since engines fall back on it.
pub fn calibrate(start: &CollectiveProfile, measured: &[Measured]) -> Fitted {
    let mut paths: Vec<Path> =
        measured.iter().flat_map(|own| own.exchanges.iter().map(|row| row.path)).collect();
    paths.sort_unstable();
    paths.dedup();
    let mut fitted = Fitted { profile: start.clone(), paths: Vec::new() };
    let mut experts = Vec::new();
    for path in paths {
        let rows = along(measured, |row| row.path == path);
        fitted.profile = fit(&fitted.profile, &rows, path);
        let in_fit = pairs(&fitted.profile, &rows);
        let held_out = held_out(&fitted.profile, &rows, path);
        let flat: Vec<Pair> = held_out.iter().flat_map(|(_, pairs)| pairs).copied().collect();
        if matches!(path, Path::LowLatency | Path::Normal) {
            experts.extend(flat.iter().copied());
        }
        note(&mut fitted.profile, path, &in_fit, &flat);
        let by_chip = held_out.iter().map(|(chip, pairs)| (chip.clone(), Score::of(pairs)));
        let held_out = by_chip.chain([("all".to_owned(), Score::of(&flat))]).collect();
        fitted.paths.push(PathFit { path, in_fit: Score::of(&in_fit), held_out });
    }
    if !experts.is_empty() {
        fitted.profile.sigma.experts = calibrated_sigma(&experts);
    }
    fitted
}

fn along<'a>(measured: &[Measured<'a>], wanted: impl Fn(&Exchange) -> bool) -> Vec<Measured<'a>> {
    let own = |own: &Measured<'a>| Measured {
        exchanges: own.exchanges.iter().copied().filter(|row| wanted(row)).collect(),
        ..*own
    };
    measured.iter().map(own).collect()
}

fn fit(start: &CollectiveProfile, measured: &[Measured], path: Path) -> CollectiveProfile {
    let ranges = ranges(path, start);
    let log_ratios = |values: &[f64]| -> Vec<f64> {
        pairs(&with_values(path, start, values), measured).iter().map(Pair::log_ratio).collect()
    };
    with_values(path, start, &minimise(&Search { ranges, log_ratios: &log_ratios }))
}

fn pairs(profile: &CollectiveProfile, measured: &[Measured]) -> Vec<Pair> {
    measured.iter().flat_map(|own| answered(profile, own)).map(|answered| pair(&answered)).collect()
}

fn answered<'a>(profile: &CollectiveProfile, own: &Measured<'a>) -> Vec<(&'a Exchange, CollectiveEstimate)> {
    estimates(own.chip, own.node, profile, &own.exchanges)
}

/// Predictions of each row by a fit to the rows of other parts, by chip.
fn held_out(fitted: &CollectiveProfile, measured: &[Measured], path: Path) -> Vec<(String, Vec<Pair>)> {
    let mut parts: Vec<Part> =
        measured.iter().flat_map(|own| own.exchanges.iter().map(|row| part(row))).collect();
    parts.sort_unstable();
    parts.dedup();
    let folds = FOLDS.min(parts.len());
    let mut judged: BTreeMap<&str, Vec<Pair>> = BTreeMap::new();
    for fold in 0..folds {
        let left_out =
            |row: &Exchange| parts.binary_search(&part(row)).is_ok_and(|index| index % folds == fold);
        let refitted = fit(fitted, &along(measured, |row| !left_out(row)), path);
        for own in along(measured, left_out) {
            let pairs = answered(&refitted, &own).iter().map(pair).collect::<Vec<_>>();
            judged.entry(&own.chip.name).or_default().extend(pairs);
        }
    }
    judged.into_iter().map(|(chip, pairs)| (chip.to_owned(), pairs)).collect()
}

/// Parts that many message sizes are dealt into; four patterns over three group sizes are left out one at a time.
const FOLDS: usize = 12;

/// What is left out together: a pattern and a group size, or a pattern and a message size of experts.
type Part = (&'static str, u64);

fn part(row: &Exchange) -> Part {
    let size = match row.path {
        Path::Library | Path::Engine(_) => u64::from(row.collective.group.size),
        Path::LowLatency | Path::Normal => row.collective.bytes,
    };
    (family(row.collective.kind), size)
}

/// Writes the number of points and the errors where the profile keeps them.
fn note(profile: &mut CollectiveProfile, path: Path, in_fit: &[Pair], held_out: &[Pair]) {
    let points = in_fit.len() as u32;
    let [in_fit, held] = [in_fit, held_out].map(|pairs| Some(errors(&Score::of(pairs))));
    match path {
        Path::Library => {
            profile.sigma.inside = calibrated_sigma(held_out);
            (profile.points, profile.in_fit, profile.held_out) = (points, in_fit, held);
        }
        Path::Engine(engine) => {
            let own =
                profile.custom.iter_mut().filter(|own| own.engines.iter().any(|name| name == engine.name()));
            for kernels in own {
                (kernels.points, kernels.in_fit, kernels.held_out) = (points, in_fit, held);
                kernels.sigma = calibrated_sigma(held_out);
            }
        }
        Path::LowLatency | Path::Normal => {}
    }
}

fn errors(score: &Score) -> Errors {
    Errors {
        mean: score.mean_abs_pct_error / 100.0,
        median: score.median_abs_pct_error / 100.0,
        p90: score.p90_abs_pct_error / 100.0,
    }
}
