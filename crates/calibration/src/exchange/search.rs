//! Robust least squares in a box: Levenberg–Marquardt on logarithms, then a pattern search over the kinks that the
//! choice of the cheapest algorithm makes.

use levenberg_marquardt::{LeastSquaresProblem, LevenbergMarquardt};
use nalgebra::storage::Owned;
use nalgebra::{DMatrix, DVector, Dyn};

use super::knobs::Range;

/// Log ratios beyond this count by their magnitude rather than by their square (soft L1).
const ROBUST_SCALE: f64 = 0.1;
/// Weight of a figure's distance from its start (in logarithms), so that one without measurements stays there.
const PRIOR: f64 = 0.3;
/// Relative step of a numerical derivative.
const STEP: f64 = 1e-4;

/// What is minimised: values in their ranges, and the log ratios that they give.
pub(super) struct Search<'a> {
    pub ranges: Vec<Range>,
    pub log_ratios: &'a dyn Fn(&[f64]) -> Vec<f64>,
}

/// The best values found.
pub(super) fn minimise(search: &Search) -> Vec<f64> {
    let starts = search.ranges.iter().map(|range| range.start.ln());
    let at = DVector::from_iterator(search.ranges.len(), starts);
    let model = Model { search, at };
    let (model, _) = LevenbergMarquardt::new().with_patience(20).with_ftol(1e-8).minimize(model);
    let at = pattern_search(&model, model.at.clone());
    model.values(&at)
}

struct Model<'a> {
    search: &'a Search<'a>,
    at: DVector<f64>,
}

impl Model<'_> {
    fn values(&self, at: &DVector<f64>) -> Vec<f64> {
        let within = |(x, range): (&f64, &Range)| x.exp().clamp(range.lower, range.upper);
        let bounded = at.iter().zip(&self.search.ranges).map(within);
        bounded.collect()
    }

    /// Sign times the root of twice the soft-L1 loss of each log ratio, then the pull towards the start and the bounds.
    fn residuals_at(&self, at: &DVector<f64>) -> DVector<f64> {
        let measured = (self.search.log_ratios)(&self.values(at)).into_iter().map(|ratio| {
            let scaled = ratio / ROBUST_SCALE;
            ratio.signum() * ROBUST_SCALE * (2.0 * ((1.0 + scaled * scaled).sqrt() - 1.0)).sqrt()
        });
        let pull = |(x, range): (&f64, &Range)| PRIOR * ROBUST_SCALE * (x - range.start.ln());
        let pull = at.iter().zip(&self.search.ranges).map(pull);
        let all: Vec<f64> = measured.chain(pull).collect();
        DVector::from_vec(all)
    }
}

impl LeastSquaresProblem<f64, Dyn, Dyn> for Model<'_> {
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, Dyn>;
    type ParameterStorage = Owned<f64, Dyn>;

    fn set_params(&mut self, at: &DVector<f64>) {
        self.at.clone_from(at);
    }

    fn params(&self) -> DVector<f64> {
        self.at.clone()
    }

    fn residuals(&self) -> Option<DVector<f64>> {
        Some(self.residuals_at(&self.at))
    }

    fn jacobian(&self) -> Option<DMatrix<f64>> {
        let here = self.residuals_at(&self.at);
        let columns: Vec<DVector<f64>> = (0..self.at.len())
            .map(|axis| {
                let mut moved = self.at.clone();
                moved[axis] += STEP;
                (self.residuals_at(&moved) - &here) / STEP
            })
            .collect();
        Some(DMatrix::from_columns(&columns))
    }
}

/// Steps along each axis while they help, then halves them.
fn pattern_search(model: &Model, mut at: DVector<f64>) -> DVector<f64> {
    let mut least = model.residuals_at(&at).norm_squared();
    let mut step = 0.3;
    while step > 0.01 {
        let before = least;
        for (axis, direction) in (0..at.len()).flat_map(|axis| [(axis, step), (axis, -step)]) {
            let mut moved = at.clone();
            moved[axis] += direction;
            let cost = model.residuals_at(&moved).norm_squared();
            if cost < least {
                (least, at) = (cost, moved);
            }
        }
        if least > before * 0.9999 {
            step *= 0.5;
        }
    }
    at
}
