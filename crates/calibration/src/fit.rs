//! Fitting parameters to measurements: robust least squares on log ratios, within bounds.
//!
//! Levenberg–Marquardt from several starts in a space without bounds, then a pattern search, because a model that takes
//! the best of a menu of tiles has kinks that derivatives do not see.

mod rows;
mod space;

use levenberg_marquardt::{LeastSquaresProblem, LevenbergMarquardt};
use nalgebra::storage::Owned;
use nalgebra::{DMatrix, DVector, Dyn};
use vitruvian_cost::ProfileSet;
use vitruvian_hardware::Chip;

use crate::measurement::{Measurement, Slot};
use rows::Rows;
use space::Space;

/// What is fitted to what.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    /// The chip that was measured.
    pub chip: &'a Chip,
    /// Profiles to start from; those that are not fitted stay as they are.
    pub profiles: &'a ProfileSet,
    /// The profiles to fit.
    pub slots: &'a [Slot],
    /// The measurements.
    pub rows: &'a [&'a Measurement],
    /// How hard to search.
    pub effort: Effort,
}

/// How hard to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Several starts and a pattern search: the fit that is kept.
    Thorough,
    /// Fewer starts, no pattern search: the many fits of a cross-validation.
    Quick,
}

/// Log ratios beyond this count by their magnitude rather than by their square (soft L1).
const ROBUST_SCALE: f64 = 0.05;
/// Starts tried beside the given profiles.
const TRIED: usize = 48;
/// Pull of the given profiles: a parameter one unit of the unbounded space away from them costs as much as this share of
/// the rows being off by the robust scale. It settles what the rows leave open and gives way where they speak.
const PULL: f64 = 0.005;
/// Scattered points from which a parameter is tried for whether it matters.
const PROBES: usize = 3;
/// Refined starts that go on with all rows.
const FINALISTS: usize = 2;
/// Rows on which starts are compared and refined before the best goes on with all.
const FEW: usize = 250;
/// A refused operator counts as a log ratio of this size, so that a fit can go on.
const REFUSED: f64 = 3.0;

/// The profiles with the fitted slots' parameters replaced by the best found.
///
/// A parameter that chooses a library is tried on both sides: no slope leads from one to the other. A descent from the given
/// values on each says which sides are searched.
pub fn fit(problem: &Problem) -> ProfileSet {
    let space = Space::of(problem.slots);
    let rows = Rows::of(problem);
    let few = rows.sample(FEW);
    let given = space.values(problem.profiles);
    let sides = if problem.effort == Effort::Thorough { space.sides(&given) } else { vec![given] };
    let sides = distinct(problem, &space, &few, sides);
    let models = sides.iter().map(|side| Model::new(problem, &space, &few, side)).collect();
    let found = likely(models).into_iter().map(|model| model.search(&rows));
    let best = found.min_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or_else(|| problem.profiles.clone(), |(_, profiles)| profiles)
}

/// Sides whose descents end within this factor of the least are searched in full: one descent does not tell them apart.
const ALIKE: f64 = 1.05;

/// The sides that a descent from the given values does not rule out.
fn likely(models: Vec<Model>) -> Vec<Model> {
    if models.len() < 2 {
        return models;
    }
    let ends: Vec<f64> = models.iter().map(|model| model.clone().descent()).collect();
    let least = ends.iter().copied().fold(f64::INFINITY, f64::min);
    models.into_iter().zip(ends).filter(|(_, end)| *end <= least * ALIKE).map(|(model, _)| model).collect()
}

/// The sides that differ in some row's time: a choice between libraries is none on a chip that has one of them alone.
fn distinct(problem: &Problem, space: &Space, rows: &Rows, sides: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let mut trial = problem.profiles.clone();
    let mut seen: Vec<Vec<Option<f64>>> = Vec::new();
    let differs = |side: &Vec<f64>| {
        space.place(&mut trial, &space.inward(side));
        let ratios = rows.log_ratios(&trial).collect();
        let new = !seen.contains(&ratios);
        seen.push(ratios);
        new
    };
    sides.into_iter().filter(differs).collect()
}

/// The given profiles with the libraries that a fit has chosen.
pub fn with_libraries(given: &ProfileSet, chosen: &ProfileSet, slots: &[Slot]) -> ProfileSet {
    let space = Space::of(slots);
    let mut profiles = given.clone();
    space.switch(&mut profiles, &space.values(chosen));
    profiles
}

/// The least-squares problem at one point of the unbounded space.
#[derive(Clone)]
struct Model<'a> {
    problem: Problem<'a>,
    space: &'a Space,
    rows: &'a Rows<'a>,
    /// Axes that change some row.
    free: Vec<usize>,
    trial: ProfileSet,
    at: DVector<f64>,
    given: DVector<f64>,
}

impl<'a> Model<'a> {
    fn new(problem: &Problem<'a>, space: &'a Space, rows: &'a Rows<'a>, start: &[f64]) -> Self {
        let given = space.inward(start);
        let trial = problem.profiles.clone();
        let mut model =
            Self { problem: *problem, space, rows, free: Vec::new(), trial, at: given.clone(), given };
        model.free = space.sliding().filter(|axis| model.matters(*axis)).collect();
        model
    }

    /// Whether a step along an axis changes any row, seen from the given values and from a few scattered points.
    fn matters(&mut self, axis: usize) -> bool {
        let points = (1..=PROBES).map(|index| self.space.scattered(index)).chain([self.given.clone()]);
        points.collect::<Vec<_>>().into_iter().any(|mut at| {
            let here = self.ratios(&at);
            at[axis] += 1.0;
            self.ratios(&at) != here
        })
    }

    fn ratios(&mut self, at: &DVector<f64>) -> Vec<Option<f64>> {
        self.place(at);
        self.rows.log_ratios(&self.trial).collect()
    }

    /// The cost that a descent from the given values ends at.
    fn descent(mut self) -> f64 {
        let given = self.given.clone();
        self.refine(&given).0
    }

    /// The least cost found and its profiles: starts on the few rows, the best of them on all.
    fn search(mut self, rows: &'a Rows<'a>) -> (f64, ProfileSet) {
        let scattered = if self.problem.effort == Effort::Thorough { 6 } else { 4 };
        let mut refined: Vec<_> =
            self.starts(scattered).into_iter().map(|start| self.refine(&start)).collect();
        refined.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.rows = rows;
        let finalists = refined.into_iter().take(FINALISTS).map(|(_, at)| self.refine(&at));
        let best = finalists.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, at)| at);
        let at = best.unwrap_or_else(|| self.given.clone());
        let at = if self.problem.effort == Effort::Thorough { self.pattern_search(at) } else { at };
        (self.cost(&at), self.trial)
    }

    fn place(&mut self, at: &DVector<f64>) {
        self.space.place(&mut self.trial, at);
        self.at.clone_from(at);
    }

    /// Sign times the root of twice the soft-L1 loss: s²·2(√(1 + (r/s)²) − 1) is what half its square adds up to.
    fn residual(ratio: Option<f64>) -> f64 {
        let Some(ratio) = ratio.filter(|ratio| ratio.is_finite()) else { return REFUSED };
        let scaled = ratio / ROBUST_SCALE;
        ratio.signum() * ROBUST_SCALE * (2.0 * ((1.0 + scaled * scaled).sqrt() - 1.0)).sqrt()
    }

    /// Those of the rows, then the pull of each parameter.
    fn all_residuals(&self) -> DVector<f64> {
        let rows = self.rows.len();
        let pull = ROBUST_SCALE * (PULL * rows as f64).sqrt();
        let pulls = (&self.at - &self.given) * pull;
        let residuals = self.rows.log_ratios(&self.trial).map(Self::residual).chain(pulls.iter().copied());
        DVector::from_iterator(rows + pulls.len(), residuals.collect::<Vec<_>>())
    }

    fn cost(&mut self, at: &DVector<f64>) -> f64 {
        self.place(at);
        self.all_residuals().norm_squared()
    }

    /// The given start and the best few of a sequence that fills the space evenly.
    fn starts(&mut self, scattered: usize) -> Vec<DVector<f64>> {
        let spread: Vec<DVector<f64>> = (1..=TRIED).map(|index| self.scattered(index)).collect();
        let mut ranked: Vec<(f64, DVector<f64>)> =
            spread.into_iter().map(|at| (self.cost(&at), at)).collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
        let best = ranked.into_iter().take(scattered).map(|(_, at)| at);
        std::iter::once(self.given.clone()).chain(best).collect()
    }

    /// A scattered point with what does not matter as given.
    fn scattered(&self, index: usize) -> DVector<f64> {
        let (spread, mut at) = (self.space.scattered(index), self.given.clone());
        for axis in &self.free {
            at[*axis] = spread[*axis];
        }
        at
    }

    fn refine(&mut self, start: &DVector<f64>) -> (f64, DVector<f64>) {
        let mut model = self.clone();
        model.place(start);
        let (model, _) = LevenbergMarquardt::new().with_patience(3).with_ftol(1e-4).minimize(model);
        let at = model.at;
        (self.cost(&at), at)
    }

    /// Steps along each axis while they help, then halves them.
    fn pattern_search(&mut self, mut at: DVector<f64>) -> DVector<f64> {
        let mut least = self.cost(&at);
        let mut step = 0.4;
        while step > 0.02 {
            let before = least;
            for axis in self.free.clone() {
                for direction in [step, -step] {
                    let mut moved = at.clone();
                    moved[axis] += direction;
                    let cost = self.cost(&moved);
                    if cost < least {
                        (least, at) = (cost, moved);
                        break;
                    }
                }
            }
            if least > before * 0.9999 {
                step *= 0.5;
            }
        }
        at
    }
}

/// Width of a forward difference: wide enough to step over a kink, narrow enough for the slope.
const DIFFERENCE: f64 = 1e-4;

impl LeastSquaresProblem<f64, Dyn, Dyn> for Model<'_> {
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, Dyn>;
    type ParameterStorage = Owned<f64, Dyn>;

    fn set_params(&mut self, moved: &DVector<f64>) {
        let mut at = self.at.clone();
        for (axis, value) in self.free.iter().zip(moved.iter()) {
            at[*axis] = *value;
        }
        self.place(&at);
    }

    fn params(&self) -> DVector<f64> {
        DVector::from_iterator(self.free.len(), self.free.iter().map(|axis| self.at[*axis]))
    }

    fn residuals(&self) -> Option<DVector<f64>> {
        Some(self.all_residuals())
    }

    fn jacobian(&self) -> Option<DMatrix<f64>> {
        let here = self.all_residuals();
        let mut moved = self.clone();
        let mut jacobian = DMatrix::zeros(here.len(), self.free.len());
        for (column, axis) in self.free.iter().enumerate() {
            let mut at = self.at.clone();
            at[*axis] += DIFFERENCE;
            moved.place(&at);
            jacobian.set_column(column, &((moved.all_residuals() - &here) / DIFFERENCE));
        }
        Some(jacobian)
    }
}
