//! Pruning by magnitude: needs no activations.

use crate::Matrix;

use super::Pattern;
use super::pattern::{keep_two, lowest, prune_row};

/// Zeroes the smallest weights.
///
/// Without structure the whole matrix competes, as in the baseline of the Wanda paper (arXiv 2306.11695, section 4.1);
/// with a pattern each run does.
///
/// # Errors
/// Rows that are no whole number of runs.
pub fn magnitude(weights: &mut Matrix, pattern: Pattern) -> Result<(), String> {
    pattern.check(weights.cols)?;
    if let Pattern::Unstructured { sparsity } = pattern {
        let scores: Vec<f32> = weights.data.iter().map(|weight| weight.abs()).collect();
        let gone = (scores.len() as f64 * f64::from(sparsity)) as usize;
        lowest(&scores, gone).into_iter().for_each(|index| weights.data[index] = 0.0);
        return Ok(());
    }
    if pattern == Pattern::TWO_OF_FOUR {
        weights.data.as_chunks_mut::<4>().0.iter_mut().for_each(|run| keep_two(run, run.map(f32::abs)));
        return Ok(());
    }
    let mut scores = vec![0.0; weights.cols];
    for row in weights.data.chunks_exact_mut(weights.cols.max(1)) {
        scores.iter_mut().zip(&*row).for_each(|(score, weight)| *score = weight.abs());
        prune_row(row, &scores, pattern);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::magnitude;
    use crate::Matrix;
    use crate::method::Pattern;

    #[test]
    fn the_smallest_go() {
        let data = vec![1.0, -4.0, 2.0, 3.0, 0.1, 0.2, -0.3, 0.4];
        let mut structured = Matrix { rows: 1, cols: 8, data };
        let mut free = structured.clone();
        magnitude(&mut structured, Pattern::TWO_OF_FOUR).unwrap();
        assert_eq!(structured.data, [0.0, -4.0, 0.0, 3.0, 0.0, 0.0, -0.3, 0.4]);
        magnitude(&mut free, Pattern::Unstructured { sparsity: 0.5 }).unwrap();
        assert_eq!(free.data, [1.0, -4.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0]);
    }
}
