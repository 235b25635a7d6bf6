//! Scales for rounding to nearest: from the range of the weights, or from a search that clips it.

use crate::format::{Shape, quantise_with, scales_of};
use crate::{Matrix, Quantised, Scale, Scheme};

/// How far a clip search shrinks the range of the weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClipSearch {
    /// Shrinkages tried, the whole range included.
    pub steps: usize,
    /// Smallest share of the range tried.
    pub smallest: f32,
    /// The exponent p of `Σ|w − q|^p`: 2 for least squares, 2.4 as in GPTQ's code.
    pub exponent: f32,
}

impl Default for ClipSearch {
    fn default() -> Self {
        Self { steps: 41, smallest: 0.6, exponent: 2.0 }
    }
}

/// Rounds to nearest, each range of weights clipped where `Σ|w − q|^p` is least.
///
/// The range `[low, high]` becomes `[c·low, c·high]` for c from 1 down to the smallest share; of equal errors the larger range
/// stays. Never worse in that norm than the scales of the whole range.
///
/// # Errors
/// As [`scales_of`].
pub fn round_clipped(weights: &Matrix, scheme: &Scheme, search: ClipSearch) -> Result<Quantised, String> {
    let scales = clipped_scales(weights, scheme, search)?;
    quantise_with(weights, scheme, scales)
}

/// The scales of [`round_clipped`].
///
/// # Errors
/// As [`scales_of`].
pub fn clipped_scales(weights: &Matrix, scheme: &Scheme, search: ClipSearch) -> Result<Vec<Scale>, String> {
    let whole = scales_of(weights, scheme)?;
    let shape = scheme.granularity.shape(weights.rows, weights.cols)?;
    let absmax = weights.data.iter().fold(0.0f32, |most, weight| most.max(weight.abs()));
    let global = scheme.global(absmax);
    let found = whole.iter().enumerate().map(|(index, &whole)| {
        let own = rectangle(weights, &shape, index);
        clipped_scale(&own, (scheme, global), whole, search)
    });
    Ok(found.collect())
}

/// The weights that share a scale.
pub(super) fn rectangle(weights: &Matrix, shape: &Shape, index: usize) -> Vec<f32> {
    let (down, across) = (index / shape.across * shape.block_rows, index % shape.across * shape.block_cols);
    let rows = down..(down + shape.block_rows).min(weights.rows);
    let right = (across + shape.block_cols).min(weights.cols);
    rows.flat_map(|row| weights.row(row)[across..right].iter().copied()).collect()
}

fn clipped_scale(own: &[f32], (scheme, global): (&Scheme, f32), whole: Scale, search: ClipSearch) -> Scale {
    let low = own.iter().copied().fold(0.0, f32::min);
    let high = own.iter().copied().fold(0.0, f32::max);
    let error = |scale: Scale| -> f64 {
        own.iter().map(|&w| power((w - scale.round_trip(scheme.grid, w)).abs(), search.exponent)).sum()
    };
    let mut best = (error(whole), whole);
    for step in 1..search.steps {
        let share = 1.0 - (1.0 - search.smallest) * step as f32 / (search.steps - 1) as f32;
        let scale = scheme.scale(low * share, high * share, global);
        let error = error(scale);
        if error < best.0 {
            best = (error, scale);
        }
    }
    best.1
}

fn power(error: f32, exponent: f32) -> f64 {
    f64::from(if exponent == 2.0 { error * error } else { error.powf(exponent) })
}

#[cfg(test)]
mod tests {
    use super::{ClipSearch, round_clipped};
    use crate::{Granularity, Grid, Matrix, Scheme, quantise};

    fn squared_error(a: &Matrix, b: &Matrix) -> f32 {
        a.data.iter().zip(&b.data).map(|(a, b)| (a - b) * (a - b)).sum()
    }

    #[test]
    fn clipping_an_outlier_pays_and_nothing_gets_worse() {
        // One weight of 2 among many within ±1: a step of 2/7.5 is twice what the others need.
        let mut weights = Matrix::from_fn(2, 256, |row, col| ((row * 256 + col) as f32 * 0.37).sin());
        weights.data[7] = 2.0;
        let scheme = Scheme::symmetric(Grid::Int4, Granularity::Channel);
        let plain = quantise(&weights, &scheme).unwrap().dequantise();
        let clipped = round_clipped(&weights, &scheme, ClipSearch::default()).unwrap().dequantise();
        assert!(squared_error(&weights, &clipped) < 0.8 * squared_error(&weights, &plain));
    }

    #[test]
    fn weights_on_the_grid_stay() {
        let weights = Matrix::from_fn(1, 16, |_, col| col as f32 - 8.0);
        let scheme = Scheme::asymmetric(Grid::Int4, Granularity::Channel);
        let kept = round_clipped(&weights, &scheme, ClipSearch::default()).unwrap().dequantise();
        assert_eq!(weights, kept);
    }
}
