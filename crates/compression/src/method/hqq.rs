//! Half-quadratic quantisation: zero points from the weights alone (HQQ, Badri and Shaji, mobiusml.github.io/hqq_blog, 2023).
//!
//! Minimises `‖W − s·(Q − z)‖_p^p` with p < 1, which cares little for outliers, by splitting off the error E:
//! ```text
//! Q  = round(W/s + z)
//! E  = shrink(W − s·(Q − z)),  shrink(x) = sign(x)·max(0, |x| − |x|^(p−1)/β)
//! z  = mean over the group of Q − (W − E)/s;   β ← κ·β
//! ```
//! until the error no longer falls.

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
    /// What becomes of zero points between whole numbers.
    pub zeros: Zeros,
}

/// What becomes of zero points between whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zeros {
    /// They stay, as in the published method: needs a kernel that takes real zero points.
    Real,
    /// They are rounded, which every checkpoint layout with zero points holds.
    Whole,
}

impl Default for Hqq {
    fn default() -> Self {
        Self { exponent: 0.7, beta: 10.0, growth: 1.01, steps: 20, zeros: Zeros::Whole }
    }
}

/// Quantises with zero points found by half-quadratic splitting.
///
/// # Errors
/// A scheme without zero points; else as [`scales_of`].
pub fn hqq(weights: &Matrix, scheme: &Scheme, figures: Hqq) -> Result<Quantised, String> {
    if scheme.symmetry != Symmetry::Asymmetric {
        return Err("HQQ moves zero points, and this format has none".to_owned());
    }
    let shape = scheme.granularity.shape(weights.rows, weights.cols)?;
    let mut scales = scales_of(weights, scheme)?;
    for (index, scale) in scales.iter_mut().enumerate() {
        *scale = moved(&rectangle(weights, &shape, index), scheme, *scale, figures);
    }
    quantise_with(weights, scheme, scales)
}

/// The scale with the best zero point seen.
fn moved(own: &[f32], scheme: &Scheme, start: Scale, figures: Hqq) -> Scale {
    let error = |scale: Scale| -> f64 {
        own.iter().map(|&w| f64::from((w - scale.round_trip(scheme.grid, w)).abs())).sum()
    };
    let start = if figures.zeros == Zeros::Real { unrounded(own, scheme, start) } else { start };
    let settled = |zero: f32| if figures.zeros == Zeros::Whole { scheme.grid.round(zero) } else { zero };
    let (mut best, mut now, mut beta) = ((error(start), start), start, figures.beta);
    for _ in 0..figures.steps {
        let zero =
            own.iter().map(|&w| f64::from(wanted_zero(w, scheme, now, beta, figures.exponent))).sum::<f64>();
        now.zero = (zero / own.len() as f64) as f32;
        beta *= figures.growth;
        let candidate = Scale { zero: settled(now.zero), ..now };
        let error = error(candidate);
        if error >= best.0 && figures.zeros == Zeros::Real {
            break;
        }
        if error < best.0 {
            best = (error, candidate);
        }
    }
    best.1
}

/// The first zero point, where the smallest weight lies at the end of the grid.
fn unrounded(own: &[f32], scheme: &Scheme, scale: Scale) -> Scale {
    let low = own.iter().copied().fold(0.0, f32::min);
    Scale { zero: scheme.grid.min() - low / scale.scale, ..scale }
}

/// The zero point that one weight asks for.
fn wanted_zero(weight: f32, scheme: &Scheme, scale: Scale, beta: f32, exponent: f32) -> f32 {
    let rounded = scale.quantise(scheme.grid, weight);
    let error = shrink(weight - scale.dequantise(rounded), beta, exponent);
    rounded - (weight - error) / scale.scale
}

fn shrink(x: f32, beta: f32, exponent: f32) -> f32 {
    let kept = x.abs() - x.abs().powf(exponent - 1.0) / beta;
    if x == 0.0 { 0.0 } else { x.signum() * kept.max(0.0) }
}

#[cfg(test)]
mod tests {
    use super::{Hqq, Zeros, hqq, shrink};
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
        for zeros in [Zeros::Real, Zeros::Whole] {
            let figures = Hqq { zeros, ..Hqq::default() };
            let moved = error(hqq(&weights, &scheme, figures).unwrap().dequantise());
            assert!(moved <= plain, "{moved} {plain}");
        }
        assert!(hqq(&weights, &Scheme::symmetric(Grid::Int4, Granularity::Channel), Hqq::default()).is_err());
    }
}
