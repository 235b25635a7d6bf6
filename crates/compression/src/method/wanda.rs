//! Pruning by weight times activation: Wanda (arXiv 2306.11695).

use crate::Matrix;
use crate::forward::InputStatistics;

use super::Pattern;
use super::pattern::prune_row;

/// Zeroes the weights of the lowest score `|W_ij|·‖X_j‖₂` (eq. 1), compared within each output row.
///
/// # Errors
/// Rows that are no whole number of runs; statistics of another width.
pub fn wanda(weights: &mut Matrix, inputs: &InputStatistics, pattern: Pattern) -> Result<(), String> {
    pattern.check(weights.cols)?;
    inputs.check(weights.cols)?;
    let norms = inputs.norms();
    let mut scores = vec![0.0; weights.cols];
    for row in weights.data.chunks_exact_mut(weights.cols.max(1)) {
        for ((score, weight), norm) in scores.iter_mut().zip(&*row).zip(&norms) {
            *score = weight.abs() * norm;
        }
        prune_row(row, &scores, pattern);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::wanda;
    use crate::Matrix;
    use crate::forward::InputStatistics;
    use crate::method::Pattern;

    #[test]
    fn a_loud_channel_saves_its_small_weight() {
        let mut weights = Matrix { rows: 1, cols: 4, data: vec![1.0, 2.0, 3.0, 4.0] };
        // Norms 8, 1, 1, 1: scores 8, 2, 3, 4.
        let inputs = Matrix { rows: 1, cols: 4, data: vec![8.0, 1.0, -1.0, 1.0] };
        let inputs = InputStatistics::of(&inputs);
        wanda(&mut weights, &inputs, Pattern::TWO_OF_FOUR).unwrap();
        assert_eq!(weights.data, [1.0, 0.0, 0.0, 4.0]);
    }
}
