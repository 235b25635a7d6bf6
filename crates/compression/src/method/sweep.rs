//! The column sweep of the optimal brain surgeon, which GPTQ and SparseGPT share.
//!
//! Columns are settled from left to right. Settling column i from w to q (a rounded weight, or zero) costs
//! `((w − q) / U_ii)²`, and the columns to its right take back what they can: `w_j ← w_j − (w − q)/U_ii · U_ij`, with U the
//! factor of the inverse Hessian (arXiv 2210.17323, eqs. 2 and 3; arXiv 2301.00774, eq. 4). Inside a block of columns this is
//! done at once, and for the columns beyond it as one matrix product a block (the "lazy batch updates" of the former paper).

use crate::Matrix;
use crate::algebra::{Part, Turn, inverse_factor, multiply_into, transpose};
use crate::forward::InputStatistics;

/// The columns of a block while it is swept.
pub(super) struct Block<'a> {
    /// Rows of the matrix.
    pub rows: usize,
    /// First column.
    pub start: usize,
    /// Columns.
    pub width: usize,
    /// Current weights, column after column.
    pub weights: &'a [f32],
    /// U_ii of each column of the block.
    pub pivots: &'a [f32],
}

impl Block<'_> {
    /// Current weights of a column, counted from the start of the block.
    pub(super) fn column(&self, index: usize) -> &[f32] {
        &self.weights[index * self.rows..(index + 1) * self.rows]
    }
}

/// What becomes of the weights of a column.
pub(super) trait Settle {
    /// Writes the settled weights of the column `index` of the block.
    fn settle(&mut self, block: &Block<'_>, index: usize, settled: &mut [f32]);
}

/// The factor U of a damped inverse Hessian: `H = XᵀX + damping·mean(diag)·1`.
///
/// Published code has H = 2·XᵀX / samples: a factor that neither the damping, relative to the diagonal, nor the sweep sees.
/// A channel that never was active gets a diagonal of one, which leaves its weights rounded on their own.
pub(super) fn factor(inputs: &InputStatistics, order: &[usize], damping: f32) -> Result<Vec<f64>, String> {
    let gram = inputs.gram.as_ref().ok_or("second-order methods need the Gram matrix of the inputs")?;
    let n = gram.rows;
    let pairs = (0..n * n).map(|index| f64::from(gram.at(order[index / n], order[index % n])));
    let mut hessian: Vec<f64> = pairs.collect();
    for channel in hessian.iter_mut().step_by(n + 1).filter(|channel| **channel == 0.0) {
        *channel = 1.0;
    }
    let mean = hessian.iter().step_by(n + 1).sum::<f64>() / n as f64;
    hessian.iter_mut().step_by(n + 1).for_each(|channel| *channel += f64::from(damping) * mean);
    inverse_factor(hessian, n)
}

/// Settles every column; returns `Σ ((w − q)/U_ii)² / 2`, the loss that the sweep predicts.
pub(super) fn sweep(weights: &mut Matrix, factor: &[f64], width: usize, rule: &mut impl Settle) -> f64 {
    let mut loss = 0.0;
    for start in (0..weights.cols).step_by(width) {
        loss += sweep_block(weights, factor, (start, width.min(weights.cols - start)), rule);
    }
    loss
}

fn sweep_block(weights: &mut Matrix, factor: &[f64], block: (usize, usize), rule: &mut impl Settle) -> f64 {
    let (rows, cols, (start, width)) = (weights.rows, weights.cols, block);
    let steps = |row: usize, from: usize, to: usize| -> Vec<f32> {
        let row = (start + row) * cols;
        factor[row + from..row + to].iter().map(|&u| u as f32).collect()
    };
    let pivots: Vec<f32> = (0..width).map(|i| steps(i, start + i, start + i + 1)[0]).collect();
    let mut columns = take_columns(weights, start, width);
    let mut errors = vec![0.0f32; rows * width];
    let mut settled = vec![0.0f32; rows];
    for index in 0..width {
        rule.settle(&Block { rows, start, width, weights: &columns, pivots: &pivots }, index, &mut settled);
        let (done, ahead) = columns.split_at_mut((index + 1) * rows);
        let now = &mut done[index * rows..];
        let error = &mut errors[index * rows..(index + 1) * rows];
        for ((error, weight), settled) in error.iter_mut().zip(&mut *now).zip(&settled) {
            *error = (*weight - settled) / pivots[index];
            *weight = *settled;
        }
        for (column, u) in ahead.chunks_exact_mut(rows).zip(steps(index, start + index + 1, start + width)) {
            column.iter_mut().zip(&*error).for_each(|(weight, error)| *weight -= error * u);
        }
    }
    put_columns(weights, start, &columns);
    spread(
        weights,
        start + width,
        &errors,
        &(0..width).flat_map(|row| steps(row, start + width, cols)).collect::<Vec<_>>(),
    );
    errors.iter().map(|error| f64::from(error * error)).sum::<f64>() / 2.0
}

/// Columns of a matrix, each contiguous.
fn take_columns(weights: &Matrix, start: usize, width: usize) -> Vec<f32> {
    let mut columns = vec![0.0; weights.rows * width];
    for row in 0..weights.rows {
        for (index, weight) in weights.row(row)[start..start + width].iter().enumerate() {
            columns[index * weights.rows + row] = *weight;
        }
    }
    columns
}

fn put_columns(weights: &mut Matrix, start: usize, columns: &[f32]) {
    let rows = weights.rows;
    for row in 0..rows {
        let own = weights.row_mut(row)[start..].iter_mut().zip(columns[row..].iter().step_by(rows));
        own.for_each(|(weight, settled)| *weight = *settled);
    }
}

/// Hands the errors of a block to all columns beyond it: `W ← W − E·U`.
fn spread(weights: &mut Matrix, rest: usize, errors: &[f32], factor: &[f32]) {
    let (rows, cols) = (weights.rows, weights.cols);
    if rest == cols {
        return;
    }
    let width = errors.len() / rows;
    let errors = Matrix { rows: width, cols: rows, data: errors.to_vec() };
    let errors = transpose(&errors);
    let errors = Part { data: &errors.data, rows, cols: width, stride: width };
    let factor = Part { data: factor, rows: width, cols: cols - rest, stride: cols - rest };
    multiply_into((&mut weights.data[rest..], cols), -1.0, errors, (factor, Turn::Plain), 1.0);
}

#[cfg(test)]
mod tests {
    use super::{Block, Settle, factor, sweep};
    use crate::Matrix;
    use crate::forward::InputStatistics;

    /// Sets the first column to zero and leaves the others.
    struct DropFirst;

    impl Settle for DropFirst {
        fn settle(&mut self, block: &Block<'_>, index: usize, settled: &mut [f32]) {
            let first = block.start + index == 0;
            settled.iter_mut().zip(block.column(index)).for_each(|(s, w)| *s = if first { 0.0 } else { *w });
        }
    }

    /// With one weight gone the best values of the others solve the normal equations: for H = [[2, 1], [1, 2]] and
    /// w = (1, 1) the second becomes 1 + H_12/H_22 = 1.5, whatever the blocks.
    #[test]
    fn what_is_left_takes_back_the_error() {
        let inputs = Matrix { rows: 2, cols: 2, data: vec![1.0, 1.0, 1.0, 0.0] };
        let mut inputs = InputStatistics::of(&inputs);
        inputs.gram = Some(Matrix { rows: 2, cols: 2, data: vec![2.0, 1.0, 1.0, 2.0] });
        let u = factor(&inputs, &[0, 1], 0.0).unwrap();
        for width in [1, 2] {
            let mut weights = Matrix { rows: 1, cols: 2, data: vec![1.0, 1.0] };
            let loss = sweep(&mut weights, &u, width, &mut DropFirst);
            assert!((weights.data[1] - 1.5).abs() < 1e-6, "{weights:?}");
            // Loss: w²/(2·(H⁻¹)_11) = 1/(2·2/3).
            assert!((loss - 0.75).abs() < 1e-6);
        }
    }
}
