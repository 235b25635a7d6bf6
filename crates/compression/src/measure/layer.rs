//! Errors of one matrix.

use crate::Matrix;
use crate::forward::InputStatistics;

/// Errors of one matrix of weights; ratios are dimensionless.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerError {
    /// `10·log10(‖W‖² / ‖W − W'‖²)`: signal over quantisation noise of the weights; infinite where nothing changed.
    pub sqnr_db: f64,
    /// `‖X·(W − W')ᵀ‖² / ‖X·Wᵀ‖²`: relative squared error of the output on the calibration inputs.
    pub output_error: Option<f64>,
    /// `Σ(W − W')²·diag(XᵀX)`, the Hessian-weighted error, over `ΣW²·diag(XᵀX)`.
    pub hessian_error: Option<f64>,
}

/// Errors of a matrix that stands for another; those of outputs where statistics of the input are given.
///
/// # Errors
/// Matrices of different shapes; statistics of another width.
pub fn layer_error(
    weights: &Matrix,
    kept: &Matrix,
    inputs: Option<&InputStatistics>,
) -> Result<LayerError, String> {
    if (weights.rows, weights.cols) != (kept.rows, kept.cols) {
        return Err("a matrix is compared with one of another shape".to_owned());
    }
    let mut lost = weights.clone();
    lost.data.iter_mut().zip(&kept.data).for_each(|(lost, kept)| *lost -= kept);
    let with_gram = inputs.filter(|inputs| inputs.gram.is_some());
    let ratio = |lost: f64, all: f64| if all > 0.0 { lost / all } else { 0.0 };
    Ok(LayerError {
        sqnr_db: sqnr_db(weights, kept),
        output_error: with_gram
            .map(|inputs| {
                Ok::<_, String>(ratio(inputs.output_energy(&lost)?, inputs.output_energy(weights)?))
            })
            .transpose()?,
        hessian_error: inputs
            .map(|inputs| {
                Ok::<_, String>(ratio(inputs.diagonal_energy(&lost)?, inputs.diagonal_energy(weights)?))
            })
            .transpose()?,
    })
}

/// `10·log10(‖W‖² / ‖W − W'‖²)`.
pub fn sqnr_db(weights: &Matrix, kept: &Matrix) -> f64 {
    let square = |value: f32| f64::from(value) * f64::from(value);
    let signal: f64 = weights.data.iter().map(|&w| square(w)).sum();
    let noise: f64 = weights.data.iter().zip(&kept.data).map(|(w, kept)| square(w - kept)).sum();
    if noise == 0.0 { f64::INFINITY } else { 10.0 * (signal / noise).log10() }
}

#[cfg(test)]
mod tests {
    use super::layer_error;
    use crate::Matrix;
    use crate::forward::InputStatistics;

    #[test]
    fn errors_by_hand() {
        let weights = Matrix { rows: 1, cols: 2, data: vec![3.0, 1.0] };
        let kept = Matrix { rows: 1, cols: 2, data: vec![2.0, 1.0] };
        let inputs = InputStatistics::of(&Matrix { rows: 2, cols: 2, data: vec![1.0, 1.0, 0.0, 2.0] });
        let error = layer_error(&weights, &kept, Some(&inputs)).unwrap();
        // 10·log10(10 / 1).
        assert!((error.sqnr_db - 10.0).abs() < 1e-9);
        // Outputs (4, 2) and lost (1, 0): 1/20. Diagonal (1, 5): 1/(9 + 5).
        assert_eq!(error.output_error, Some(1.0 / 20.0));
        assert_eq!(error.hessian_error, Some(1.0 / 14.0));
        assert_eq!(layer_error(&weights, &weights, None).unwrap().sqnr_db, f64::INFINITY);
    }
}
