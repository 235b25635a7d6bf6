//! Moving the difficulty of activations into weights: SmoothQuant (arXiv 2211.10438).

use crate::Matrix;
use crate::forward::InputStatistics;

/// Smallest factor and smallest magnitude it is made from, as in the published code.
const FLOOR: f32 = 1e-5;

/// A factor for each input channel: weights are multiplied by it, activations divided.
///
/// `s_j = max|X_j|^α / max|W_j|^(1−α)` (eq. 4), the maximum over all matrices that read the same input.
///
/// # Errors
/// No matrix; matrices or statistics of different widths.
pub fn smoothquant(weights: &[&Matrix], inputs: &InputStatistics, alpha: f32) -> Result<Vec<f32>, String> {
    weights.iter().try_for_each(|matrix| inputs.check(matrix.cols))?;
    let largest = column_maxima(weights, inputs.width());
    let factor =
        |(x, w): (&f32, &f32)| (x.max(FLOOR).powf(alpha) / w.max(FLOOR).powf(1.0 - alpha)).max(FLOOR);
    Ok(inputs.abs_max.iter().zip(&largest).map(factor).collect())
}

/// Largest magnitude of each input channel over some matrices.
fn column_maxima(weights: &[&Matrix], width: usize) -> Vec<f32> {
    let mut largest = vec![0.0f32; width];
    for row in weights.iter().flat_map(|matrix| matrix.data.chunks_exact(width.max(1))) {
        largest.iter_mut().zip(row).for_each(|(largest, weight)| *largest = largest.max(weight.abs()));
    }
    largest
}

/// Multiplies each column by its factor.
pub fn scale_columns(weights: &mut Matrix, factors: &[f32]) {
    for row in weights.data.chunks_exact_mut(factors.len().max(1)) {
        row.iter_mut().zip(factors).for_each(|(weight, factor)| *weight *= factor);
    }
}

/// Divides each row by its factor: what the producer of an input must do when its readers multiply.
pub fn divide_rows(weights: &mut Matrix, factors: &[f32]) {
    let cols = weights.cols.max(1);
    for (row, factor) in weights.data.chunks_exact_mut(cols).zip(factors) {
        row.iter_mut().for_each(|weight| *weight /= factor);
    }
}

#[cfg(test)]
mod tests {
    use super::smoothquant;
    use crate::Matrix;
    use crate::forward::InputStatistics;

    #[test]
    fn half_and_half_balances_both_sides() {
        // max|X| = (16, 1), max|W| over both matrices = (1, 4): s = √16/√1 = 4 and √1/√4 = 0.5.
        let inputs = InputStatistics::of(&Matrix { rows: 2, cols: 2, data: vec![-16.0, 0.5, 3.0, 1.0] });
        let a = Matrix { rows: 1, cols: 2, data: vec![-1.0, 1.0] };
        let b = Matrix { rows: 1, cols: 2, data: vec![0.5, -4.0] };
        assert_eq!(smoothquant(&[&a, &b], &inputs, 0.5).unwrap(), [4.0, 0.5]);
    }
}
