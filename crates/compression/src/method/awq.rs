//! Protecting the weights of loud channels by scaling them up: AWQ (arXiv 2306.00978).

use crate::forward::InputStatistics;
use crate::{Matrix, Scheme, quantise};

use super::smooth::scale_columns;

/// Points of the search over the exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Awq {
    /// Exponents tried: k / points for k from 0, so that no scaling at all is one of them.
    pub points: usize,
}

impl Default for Awq {
    fn default() -> Self {
        Self { points: 20 }
    }
}

/// What the search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    /// A factor for each input channel: weights are multiplied by it, activations divided.
    pub factors: Vec<f32>,
    /// The exponent a.
    pub exponent: f32,
    /// Output error `Σ‖(W − Q(W·s)/s)·X‖²` over the matrices, at that exponent.
    pub error: f64,
    /// The same without scaling.
    pub error_unscaled: f64,
}

/// Factors for matrices that read the same input.
///
/// `s_j = (mean|X_j|)^a`, divided by `√(max s · min s)`, with the a that minimises the output error after rounding to nearest
/// (eqs. 4 and 5). The error is of the linear layers themselves, from the Gram matrix of their input; the published code takes
/// that of the block they belong to. Exponent 0 is tried first and wins ties: never worse than rounding to nearest on the
/// calibration inputs.
///
/// # Errors
/// Matrices or statistics of different widths; statistics without a Gram matrix; what [`quantise`] refuses.
pub fn awq(
    weights: &[&Matrix],
    inputs: &InputStatistics,
    scheme: &Scheme,
    search: Awq,
) -> Result<Scaling, String> {
    weights.iter().try_for_each(|matrix| inputs.check(matrix.cols))?;
    let mut best: Option<Scaling> = None;
    let mut error_unscaled = 0.0;
    for point in 0..search.points.max(1) {
        let exponent = point as f32 / search.points.max(1) as f32;
        let factors = factors(&inputs.abs_mean(), exponent);
        let error = weights
            .iter()
            .try_fold(0.0, |sum, matrix| Ok::<_, String>(sum + error(matrix, inputs, scheme, &factors)?))?;
        if point == 0 {
            error_unscaled = error;
        }
        if best.as_ref().is_none_or(|best| error < best.error) {
            best = Some(Scaling { factors, exponent, error, error_unscaled });
        }
    }
    best.ok_or_else(|| "no exponent to try".to_owned())
}

/// Factors of one exponent.
fn factors(mean: &[f32], exponent: f32) -> Vec<f32> {
    let raised: Vec<f32> = mean.iter().map(|mean| mean.powf(exponent).max(1e-4)).collect();
    let largest = raised.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let smallest = raised.iter().copied().fold(f32::MAX, f32::min);
    let middle = (largest * smallest).sqrt();
    raised.iter().map(|factor| factor / middle).collect()
}

/// Output error of one matrix, rounded to nearest in scaled form.
fn error(
    weights: &Matrix,
    inputs: &InputStatistics,
    scheme: &Scheme,
    factors: &[f32],
) -> Result<f64, String> {
    let mut kept = weights.clone();
    scale_columns(&mut kept, factors);
    kept = quantise(&kept, scheme)?.dequantise();
    let inverse: Vec<f32> = factors.iter().map(|factor| 1.0 / factor).collect();
    scale_columns(&mut kept, &inverse);
    kept.data.iter_mut().zip(&weights.data).for_each(|(kept, weight)| *kept -= weight);
    inputs.output_energy(&kept)
}

#[cfg(test)]
mod tests {
    use super::{Awq, awq};
    use crate::forward::InputStatistics;
    use crate::{Granularity, Grid, Matrix, Scheme};

    #[test]
    fn a_loud_channel_is_scaled_up() {
        // Its weights are a quarter as large as the others, so that they can grow without a larger step.
        let weights = Matrix::from_fn(16, 32, |row, col| {
            ((row * 32 + col) as f32 * 1.7).sin() * if col == 5 { 0.25 } else { 1.0 }
        });
        let loud = Matrix::from_fn(64, 32, |token, col| {
            ((token * 32 + col) as f32 * 0.9).cos() * if col == 5 { 40.0 } else { 1.0 }
        });
        let scheme = Scheme::symmetric(Grid::Int4, Granularity::Channel);
        let found = awq(&[&weights], &InputStatistics::of(&loud), &scheme, Awq::default()).unwrap();
        assert!(found.exponent > 0.0 && found.error < 0.7 * found.error_unscaled, "{found:?}");
        assert!(found.factors[5] > 2.0 * found.factors[6]);
    }
}
