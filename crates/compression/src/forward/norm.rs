//! Norms, row by row.

use crate::Matrix;

/// `x / √(mean x² + ε) · γ` (arXiv 1910.07467, eq. 4).
pub(super) fn rms_norm(x: &Matrix, gain: &[f32], epsilon: f32) -> Matrix {
    let mut out = x.clone();
    out.data.chunks_exact_mut(gain.len().max(1)).for_each(|row| rms_norm_row(row, gain, epsilon));
    out
}

/// One row, or one head.
pub(super) fn rms_norm_row(row: &mut [f32], gain: &[f32], epsilon: f32) {
    let square = row.iter().map(|x| x * x).sum::<f32>() / row.len() as f32;
    let factor = 1.0 / (square + epsilon).sqrt();
    row.iter_mut().zip(gain).for_each(|(x, gain)| *x *= factor * gain);
}

/// `(x − mean) / √(variance + ε) · γ + β`.
pub(super) fn layer_norm(x: &Matrix, gain: &[f32], bias: &[f32], epsilon: f32) -> Matrix {
    let mut out = x.clone();
    for row in out.data.chunks_exact_mut(gain.len().max(1)) {
        let mean = row.iter().sum::<f32>() / row.len() as f32;
        let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / row.len() as f32;
        let factor = 1.0 / (variance + epsilon).sqrt();
        for ((x, gain), bias) in row.iter_mut().zip(gain).zip(bias) {
            *x = (*x - mean) * factor * gain + bias;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{layer_norm, rms_norm};
    use crate::Matrix;

    #[test]
    fn norms_by_hand() {
        let x = Matrix { rows: 1, cols: 2, data: vec![3.0, 1.0] };
        // √((9 + 1)/2) = √5.
        let rms = rms_norm(&x, &[1.0, 2.0], 0.0);
        assert!(
            (rms.data[0] - 3.0 / 5f32.sqrt()).abs() < 1e-6 && (rms.data[1] - 2.0 / 5f32.sqrt()).abs() < 1e-6
        );
        // Mean 2, deviation 1.
        assert_eq!(layer_norm(&x, &[2.0, 1.0], &[0.5, 0.0], 0.0).data, [2.5, -1.0]);
    }
}
