//! Attention of one sequence, head by head.

use crate::Matrix;
use crate::algebra::{linear, product};

/// Queries that read a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mask {
    /// Those at it and after it.
    Causal,
    /// All.
    None,
}

/// `softmax(Q·Kᵀ/√d)·V` for every head: queries of `heads` and keys and values of `groups` heads side by side, each `width`
/// wide, a row a token. Head h reads keys of group `h·groups/heads`.
pub(super) fn attend(q: &Matrix, k: &Matrix, v: &Matrix, heads: usize, groups: usize, mask: Mask) -> Matrix {
    let width = q.cols / heads;
    let scale = 1.0 / (width as f32).sqrt();
    let mut out = Matrix::zeros(q.rows, q.cols);
    for head in 0..heads {
        let group = head * groups / heads;
        let mut scores = linear(&columns(q, head * width, width), &columns(k, group * width, width));
        for (row, scores) in scores.data.chunks_exact_mut(k.rows).enumerate() {
            let seen = if mask == Mask::Causal { row + 1 } else { scores.len() };
            softmax(&mut scores[..seen], scale);
            scores[seen..].fill(0.0);
        }
        let mixed = product(&scores, &columns(v, group * width, width));
        for row in 0..out.rows {
            out.row_mut(row)[head * width..(head + 1) * width].copy_from_slice(mixed.row(row));
        }
    }
    out
}

fn columns(matrix: &Matrix, start: usize, width: usize) -> Matrix {
    let data =
        (0..matrix.rows).flat_map(|row| matrix.row(row)[start..start + width].iter().copied()).collect();
    Matrix { rows: matrix.rows, cols: width, data }
}

/// In place: `exp(scale·x − max) / Σ`.
fn softmax(scores: &mut [f32], scale: f32) {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    scores.iter_mut().for_each(|score| *score = (scale * (*score - largest)).exp());
    let sum: f32 = scores.iter().sum();
    scores.iter_mut().for_each(|score| *score /= sum);
}

/// Rotary positions in the half-split order of Hugging Face checkpoints: in each head, elements i and i + d/2 turn by
/// `position · base^(−2i/d)` (arXiv 2104.09864, eq. 34).
pub(super) fn rotate_positions(matrix: &mut Matrix, width: usize, inverse_frequencies: &[f32]) {
    let half = width / 2;
    for row in 0..matrix.rows {
        let turns: Vec<(f32, f32)> = inverse_frequencies.iter().map(|f| (row as f32 * f).sin_cos()).collect();
        for head in matrix.row_mut(row).chunks_exact_mut(width) {
            let (first, second) = head.split_at_mut(half);
            for ((a, b), (sin, cos)) in first.iter_mut().zip(second).zip(&turns) {
                (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
            }
        }
    }
}

/// `x·W ᵀ + b`.
pub(super) fn affine(x: &Matrix, weights: &Matrix, bias: Option<&[f32]>) -> Matrix {
    let mut out = linear(x, weights);
    if let Some(bias) = bias {
        for row in out.data.chunks_exact_mut(bias.len().max(1)) {
            row.iter_mut().zip(bias).for_each(|(value, bias)| *value += bias);
        }
    }
    out
}

/// `a ← a + b`.
pub(super) fn add(a: &mut Matrix, b: &Matrix) {
    a.data.iter_mut().zip(&b.data).for_each(|(a, b)| *a += b);
}

#[cfg(test)]
mod tests {
    use super::{Mask, attend, rotate_positions};
    use crate::Matrix;

    #[test]
    fn equal_keys_average_what_may_be_seen() {
        let ones = Matrix::from_fn(3, 4, |_, _| 1.0);
        let values = Matrix::from_fn(3, 2, |row, _| row as f32);
        // Two heads of two, one group: token t sees the mean of 0 … t.
        let out = attend(&ones, &Matrix::from_fn(3, 2, |_, _| 1.0), &values, 2, 1, Mask::Causal);
        assert_eq!(out.data, [0.0, 0.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0]);
        let out = attend(&ones, &Matrix::from_fn(3, 2, |_, _| 1.0), &values, 2, 1, Mask::None);
        assert!(out.data.iter().all(|value| (value - 1.0).abs() < 1e-6));
    }

    #[test]
    fn positions_turn_pairs_half_a_head_apart() {
        let mut x = Matrix { rows: 2, cols: 2, data: vec![1.0, 0.0, 1.0, 0.0] };
        rotate_positions(&mut x, 2, &[1.0]);
        // (cos 1, sin 1) at position 1.
        let expected = [1.0, 0.0, 1f32.cos(), 1f32.sin()];
        assert!(x.data.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6));
    }
}
