//! Half-quadratic quantisation: zero points or scales from the weights alone (HQQ, Badri and Shaji,
//! mobiusml.github.io/hqq_blog, 2023).
//!
//! Minimises `‖W − s·(Q − z)‖_p^p` with p < 1, which cares little for outliers, by splitting off the error E:
//! ```text
//! Q  = round(W/s + z)
//! E  = shrink(W − s·(Q − z)),  shrink(x) = sign(x)·max(0, |x| − |x|^(p−1)/β)
//! z  = mean over the group of Q − (W − E)/s;   β ← κ·β
//! ```
//! The published method moves real zero points. A zero point that is a whole number cannot move without its grid staying where
//! it was, and most formats have none: there the same splitting moves the scale, to the least squares of `W − E` on `Q − z`.

use crate::format::{quantise_with, scales_of};
use crate::{Matrix, Quantised, Scale, Scheme, Symmetry};

use super::rounding::rectangle;

/// Figures of the iteration, as in the published code.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hqq {
    /// p of the norm.
    pub exponent: f32,
    /// First β.
    pub beta: f32,
    /// κ: growth of β in a step.
    pub growth: f32,
    /// Most steps.
    pub steps: usize,
    /// What is moved.
    pub moves: Moves,
}

/// What an iteration moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moves {
    /// Zero points, to real numbers, as published: needs a kernel and a checkpoint layout that take them.
    Zeros,
    /// Scales: every layout holds the result.
    Scales,
}

impl Default for Hqq {
    fn default() -> Self {
        Self { exponent: 0.7, beta: 10.0, growth: 1.01, steps: 20, moves: Moves::Scales }
    }
}

/// Quantises with scales or zero points found by half-quadratic splitting. The mean absolute error of the weights is never
/// larger than with those of the range.
///
/// # Errors
/// Zero points to move in a scheme without them; else as [`scales_of`].
pub fn hqq(weights: &Matrix, scheme: &Scheme, figures: Hqq) -> Result<Quantised, String> {
    if figures.moves == Moves::Zeros && scheme.symmetry != Symmetry::Asymmetric {
        return Err("there are no zero points to move in this format".to_owned());
    }
    let shape = scheme.granularity.shape(weights.rows, weights.cols)?;
    let absmax = weights.data.iter().fold(0.0f32, |most, weight| most.max(weight.abs()));
    let global = scheme.global(absmax);
    let mut scales = scales_of(weights, scheme)?;
    for (index, scale) in scales.iter_mut().enumerate() {
        let group = Group { own: rectangle(weights, &shape, index), scheme, global, figures };
        *scale = group.settled(*scale);
    }
    quantise_with(weights, scheme, scales)
}

/// Weights that share a scale.
struct Group<'a> {
    own: Vec<f32>,
    scheme: &'a Scheme,
    global: f32,
    figures: Hqq,
}

impl Group<'_> {
    /// The best scale seen.
    fn settled(&self, range: Scale) -> Scale {
        let mut now = if self.figures.moves == Moves::Zeros { self.unrounded(range) } else { range };
        let (mut best, mut beta) = ((self.error(range), range), self.figures.beta);
        for _ in 0..self.figures.steps {
            let error = self.error(now);
            if error < best.0 {
                best = (error, now);
            }
            now = self.moved(now, beta);
            beta *= self.figures.growth;
        }
        best.1
    }

    fn error(&self, scale: Scale) -> f64 {
        self.own.iter().map(|&w| f64::from((w - scale.round_trip(self.scheme.grid, w)).abs())).sum()
    }

    /// The first zero point, where the smallest weight lies at the end of the grid.
    fn unrounded(&self, scale: Scale) -> Scale {
        let low = self.own.iter().copied().fold(0.0, f32::min);
        Scale { zero: self.scheme.grid.min() - low / scale.scale, ..scale }
    }

    /// One step.
    fn moved(&self, scale: Scale, beta: f32) -> Scale {
        let parts = self.own.iter().map(|&weight| {
            let rounded = scale.quantise(self.scheme.grid, weight);
            let error = shrink(weight - scale.dequantise(rounded), beta, self.figures.exponent);
            (f64::from(weight - error), f64::from(rounded))
        });
        let (zero, step) = (f64::from(scale.zero), f64::from(scale.scale));
        match self.figures.moves {
            Moves::Zeros => {
                let sum: f64 = parts.map(|(clean, rounded)| rounded - clean / step).sum();
                Scale { zero: (sum / self.own.len() as f64) as f32, ..scale }
            }
            Moves::Scales => {
                let add = |(up, down), (clean, q): (f64, f64)| {
                    (up + clean * (q - zero), down + (q - zero) * (q - zero))
                };
                let (up, down) = parts.fold((0.0, 0.0), add);
                let found = Scale { scale: (up / down) as f32, ..scale };
                let usable = found.scale.is_finite() && found.scale > 0.0;
                if usable { self.scheme.scales.store(found, self.scheme.grid, self.global) } else { scale }
            }
        }
    }
}

fn shrink(x: f32, beta: f32, exponent: f32) -> f32 {
    let kept = x.abs() - x.abs().powf(exponent - 1.0) / beta;
    if x == 0.0 { 0.0 } else { x.signum() * kept.max(0.0) }
}

#[cfg(test)]
mod tests {
    use super::{Hqq, Moves, hqq, shrink};
    use crate::{Granularity, Grid, Matrix, Scheme, quantise};

    #[test]
    fn small_errors_vanish_and_large_ones_shrink() {
        // 1 − 1^(−0.3)/10 = 0.9; 0.01 − 0.01^(−0.3)/10 < 0.
        assert!((shrink(-1.0, 10.0, 0.7) + 0.9).abs() < 1e-6);
        assert_eq!(shrink(0.01, 10.0, 0.7), 0.0);
    }

    #[test]
    fn the_absolute_error_never_grows() {
        let weights = Matrix::from_fn(8, 128, |row, col| {
            let x = ((row * 128 + col) as f32 * 0.731).sin();
            0.05 * x * x * x + if col == 3 { 0.2 } else { 0.0 }
        });
        let scheme = Scheme::asymmetric(Grid::Int4, Granularity::Group(64));
        let error =
            |kept: Matrix| -> f32 { weights.data.iter().zip(&kept.data).map(|(a, b)| (a - b).abs()).sum() };
        let plain = error(quantise(&weights, &scheme).unwrap().dequantise());
        for moves in [Moves::Zeros, Moves::Scales] {
            let figures = Hqq { moves, ..Hqq::default() };
            let moved = error(hqq(&weights, &scheme, figures).unwrap().dequantise());
            assert!(moved < plain, "{moved} {plain}");
        }
        let symmetric = Scheme::symmetric(Grid::Int4, Granularity::Channel);
        assert!(hqq(&weights, &symmetric, Hqq { moves: Moves::Zeros, ..Hqq::default() }).is_err());
        assert!(hqq(&weights, &symmetric, Hqq::default()).is_ok());
    }
}
