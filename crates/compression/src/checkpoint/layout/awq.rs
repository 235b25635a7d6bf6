//! AWQ: `qweight` and `qzeros` of 4 bits packed along the output, eight to a word in the order 0, 2, 4, 6, 1, 3, 5, 7.
//!
//! `w[n][k] = scales[g][n]·(q − zero)` with `g = k / group`.

use vitruvian_diagnostics::Diagnostic;

use super::{Checkpoint, Stored, Weight, unfit};
use crate::Matrix;

/// The nibble of a word in which an output lies: the inverse of the order 0, 2, 4, 6, 1, 3, 5, 7.
const NIBBLE: [usize; 8] = [0, 4, 1, 5, 2, 6, 3, 7];

pub(super) fn shape(tensor: &Stored) -> (usize, usize) {
    let (inputs, packed) = tensor.matrix();
    (packed * 8, inputs)
}

pub(super) fn read(checkpoint: &Checkpoint, weight: &Weight) -> Result<Matrix, Diagnostic> {
    let (rows, cols) = (weight.rows, weight.cols);
    let words = checkpoint.integers(&weight.tensor)?;
    let zeros = checkpoint.integers(&format!("{}.qzeros", weight.module))?;
    let scales = checkpoint.matrix(&format!("{}.scales", weight.module))?;
    let groups = scales.rows;
    if scales.cols != rows || groups == 0 || !cols.is_multiple_of(groups) || zeros.len() * 8 != groups * rows
    {
        return Err(unfit(&weight.module, "`scales` or `qzeros` have another shape"));
    }
    let size = cols / groups;
    let nibble = |words: &[u32], line: usize, row: usize| {
        words[line * (rows / 8) + row / 8] >> (4 * NIBBLE[row % 8]) & 15
    };
    Ok(Matrix::from_fn(rows, cols, |row, col| {
        let group = col / size;
        scales.at(group, row) * (nibble(&words, col, row) as f32 - nibble(&zeros, group, row) as f32)
    }))
}
