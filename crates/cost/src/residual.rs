//! The `measured` fidelity: how far measured times are from the tile model, interpolated between measured shapes.
//!
//! What is interpolated is ln(measured/tile) over the logarithm of the shape. For products that is the logarithm of
//! utilisation (arXiv 2601.06288); for attention over a cache, whose tile time is linear in sequences times length, the time
//! stays linear between points of equal residual. On a measured shape the answer is the measurement; away from all
//! measured shapes the correction fades and the tile model answers alone.

mod shape;

use rustc_hash::FxHashMap;
use vitruvian_model::Operator;

use crate::family::Family;
use crate::precision::Precision;
pub use shape::{FEATURES, Shape};

/// Residuals of a chip's imported tables, by family and precision.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Residuals {
    tables: FxHashMap<(Family, Precision), Vec<Line>>,
    sigma: f64,
}

/// Residuals of shapes that differ in one size only: rows of a product, tokens of a context.
#[derive(Clone, Debug, PartialEq)]
struct Line {
    fixed: [f64; FEATURES],
    /// Logarithm of the size to base two, and ln(measured/tile); ascending.
    points: Vec<(f64, f64)>,
}

/// What a table says about one shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correction {
    /// What to add to the logarithm of the tile model's time.
    pub log_ratio: f64,
    /// One on a measured shape, zero far from all.
    pub trust: f64,
    /// Scatter of the table around its own interpolation.
    pub scatter: f64,
}

/// Distance in octaves at which a measured shape counts 1/e.
const REACH: f64 = 1.0;
/// Lines that are mixed.
const NEIGHBOURS: usize = 4;
/// Distances closer than this are the same shape.
const SAME: f64 = 1e-6;

impl Correction {
    /// No table, no correction.
    pub const NONE: Self = Self { log_ratio: 0.0, trust: 0.0, scatter: 0.0 };

    /// The table's scatter where it is trusted, the profile's sigma where not.
    pub fn sigma(&self, profile: f64) -> f64 {
        (self.trust * self.scatter.powi(2) + (1.0 - self.trust) * profile.powi(2)).sqrt()
    }
}

impl Residuals {
    /// From operators and ln(measured/tile) of each; operators that occur twice count with their mean.
    ///
    /// Operators without a shape to interpolate over (collectives) are left out.
    pub fn of(measured: &[(Operator, f64)]) -> Self {
        let placed = measured.iter().filter_map(|(operator, log_ratio)| {
            Some((Family::of(operator)?, Shape::of(operator)?, *log_ratio))
        });
        let mut placed: Vec<((Family, Precision), Shape, f64)> = placed.collect();
        placed.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.order(&b.1)));
        let mut tables: FxHashMap<(Family, Precision), Vec<Line>> = FxHashMap::default();
        for run in placed.chunk_by(|a, b| a.0 == b.0 && a.1.fixed == b.1.fixed) {
            tables.entry(run[0].0).or_default().push(Line::of(run));
        }
        let sigma = scatter(&tables);
        Self { tables, sigma }
    }

    /// The correction for an operator: a mix of the nearest lines, each interpolated along its size.
    pub fn at(&self, operator: &Operator) -> Correction {
        let found = Family::of(operator).and_then(|slot| self.tables.get(&slot));
        let (Some(lines), Some(shape)) = (found, Shape::of(operator)) else { return Correction::NONE };
        let near = nearest(lines, &shape);
        let Some((closest, _)) = near.first().copied() else { return Correction::NONE };
        let weight = |distance: f64| 1.0 / (distance.powi(2) + SAME);
        let total: f64 = near.iter().map(|(distance, _)| weight(*distance)).sum();
        let mixed: f64 = near.iter().map(|(distance, log_ratio)| weight(*distance) * log_ratio).sum();
        let trust = (-(closest / REACH).powi(2)).exp();
        Correction { log_ratio: trust * mixed / total, trust, scatter: self.sigma }
    }
}

/// Distance and residual of the closest lines, closest first.
fn nearest(lines: &[Line], shape: &Shape) -> Vec<(f64, f64)> {
    let mut near: Vec<(f64, &Line)> = Vec::with_capacity(NEIGHBOURS + 1);
    for line in lines {
        let distance = line.squared_distance(shape);
        if near.len() < NEIGHBOURS || near.last().is_some_and(|(farthest, _)| distance < *farthest) {
            let at = near.partition_point(|(other, _)| *other <= distance);
            near.insert(at, (distance, line));
            near.truncate(NEIGHBOURS);
        }
    }
    near.into_iter().map(|(squared, line)| (squared.sqrt(), line.at(shape.running))).collect()
}

impl Line {
    /// From residuals in the order of their running size; equal sizes count with their mean.
    fn of(run: &[((Family, Precision), Shape, f64)]) -> Self {
        let mean = |same: &[((Family, Precision), Shape, f64)]| {
            (same[0].1.running, same.iter().map(|row| row.2).sum::<f64>() / same.len() as f64)
        };
        let points = run.chunk_by(|a, b| a.1.running == b.1.running).map(mean).collect();
        Self { fixed: run[0].1.fixed, points }
    }

    /// Squared octaves between the fixed sizes, and to the nearer end of the running one where it lies outside.
    fn squared_distance(&self, shape: &Shape) -> f64 {
        let fixed: f64 = self.fixed.iter().zip(&shape.fixed).map(|(a, b)| (a - b).powi(2)).sum();
        let (first, last) = self.ends();
        fixed + (first.0 - shape.running).max(shape.running - last.0).max(0.0).powi(2)
    }

    /// A line has at least the point it was made of.
    fn ends(&self) -> ((f64, f64), (f64, f64)) {
        let first = self.points.first().copied().unwrap_or_default();
        (first, self.points.last().copied().unwrap_or(first))
    }

    /// Linear between points, constant beyond them.
    fn at(&self, running: f64) -> f64 {
        let above = self.points.partition_point(|point| point.0 < running);
        let (first, last) = self.ends();
        if above == 0 {
            return first.1;
        }
        match (self.points.get(above - 1), self.points.get(above)) {
            (Some(a), Some(b)) => between(*a, *b, running),
            _ => last.1,
        }
    }
}

fn between(a: (f64, f64), b: (f64, f64), at: f64) -> f64 {
    a.1 + (b.1 - a.1) * (at - a.0) / (b.0 - a.0)
}

/// Spread of each inner point around the line through its neighbours: the 80th percentile over the normal quantile.
fn scatter(tables: &FxHashMap<(Family, Precision), Vec<Line>>) -> f64 {
    let windows = tables.values().flatten().flat_map(|line| line.points.windows(3));
    let mut off: Vec<f64> = windows.map(|w| (w[1].1 - between(w[0], w[2], w[1].0)).abs()).collect();
    off.sort_by(f64::total_cmp);
    off.get(off.len() * 4 / 5).map_or(0.0, |off| off / 1.2816)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitruvian_model::operator::Gemm;
    use vitruvian_model::{Scheme, Sparsity};

    fn gemm(m: u32, n: u32) -> Operator {
        Operator::Gemm(Gemm { m, n, k: 1024, batch: 1, scheme: Scheme::Bf16, sparsity: Sparsity::Dense })
    }

    fn table() -> Residuals {
        Residuals::of(&[(gemm(16, 512), 0.1), (gemm(64, 512), 0.3), (gemm(16, 4096), -0.2)])
    }

    #[test]
    fn a_measured_shape_gets_its_own_residual() {
        assert!((table().at(&gemm(16, 512)).log_ratio - 0.1).abs() < 1e-4);
        assert!((table().at(&gemm(16, 4096)).log_ratio + 0.2).abs() < 1e-4);
    }

    #[test]
    fn between_two_sizes_the_residual_is_linear_in_the_logarithm() {
        // 32 is half way from 16 to 64 in octaves: (0.1 + 0.3)/2
        assert!((table().at(&gemm(32, 512)).log_ratio - 0.2).abs() < 1e-4);
    }

    #[test]
    fn far_away_the_correction_fades() {
        let far = table().at(&gemm(65_536, 512));
        assert!(far.log_ratio.abs() < 1e-6 && far.trust < 1e-6);
        assert_eq!(far.sigma(0.3), 0.3 * (1.0 - far.trust).sqrt());
        let other = Operator::Gemm(Gemm {
            m: 16,
            n: 512,
            k: 1024,
            batch: 1,
            scheme: Scheme::W8A16,
            sparsity: Sparsity::Dense,
        });
        assert_eq!(table().at(&other), Correction::NONE);
    }

    #[test]
    fn repeated_shapes_count_with_their_mean() {
        let twice = Residuals::of(&[(gemm(16, 512), 0.1), (gemm(16, 512), 0.2)]);
        assert!((twice.at(&gemm(16, 512)).log_ratio - 0.15).abs() < 1e-9);
    }
}
