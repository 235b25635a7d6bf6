//! compressed-tensors' `weight_packed`: integers in words of 32 bits, or two FP4 numbers in a byte.

use vitruvian_diagnostics::Diagnostic;

use super::bits::unpack;
use super::scaled::{Scales, scales_of};
use super::{Checkpoint, Kind, Stored, Weight, unfit};
use crate::{Grid, Matrix};

/// Bits of an integer: what the shape says, which the packing has rounded up to whole words.
fn bits(words: usize, cols: usize) -> Option<usize> {
    (1..=8).find(|bits| (cols * bits).div_ceil(32) == words)
}

pub(super) fn shape(
    checkpoint: &Checkpoint,
    module: &str,
    tensor: &Stored,
) -> Result<(usize, usize), Diagnostic> {
    let (rows, packed) = tensor.matrix();
    if tensor.kind == Kind::U8 {
        return Ok((rows, 2 * packed));
    }
    let shape = checkpoint.integers(&format!("{module}.weight_shape"))?;
    match shape[..] {
        [said, cols] if said as usize == rows && bits(packed, cols as usize).is_some() => {
            Ok((rows, cols as usize))
        }
        _ => Err(unfit(
            module,
            format!("`weight_shape` {shape:?} does not belong to {rows} rows of {packed} words"),
        )),
    }
}

pub(super) fn read(checkpoint: &Checkpoint, weight: &Weight, tensor: &Stored) -> Result<Matrix, Diagnostic> {
    let scales = scales_of(checkpoint, weight)?;
    if tensor.kind == Kind::U8 {
        fours(checkpoint, weight, &scales)
    } else {
        integers(checkpoint, weight, tensor, &scales)
    }
}

/// E2M1, the low half of a byte first.
fn fours(checkpoint: &Checkpoint, weight: &Weight, scales: &Scales) -> Result<Matrix, Diagnostic> {
    let bytes = checkpoint.integers(&weight.tensor)?;
    Ok(Matrix::from_fn(weight.rows, weight.cols, |row, col| {
        let index = row * weight.cols + col;
        let code = bytes[index / 2] >> (4 * (index % 2)) & 15;
        Grid::E2m1.decode(code as u16) * scales.at(row, col)
    }))
}

/// Integers with `2^(bits − 1)` added; zero points likewise, packed along the output.
fn integers(
    checkpoint: &Checkpoint,
    weight: &Weight,
    tensor: &Stored,
    scales: &Scales,
) -> Result<Matrix, Diagnostic> {
    let (rows, cols) = (weight.rows, weight.cols);
    let (_, per_row) = tensor.matrix();
    let bits = bits(per_row, cols)
        .ok_or_else(|| unfit(&weight.module, "its words hold no whole numbers of bits"))?;
    let words = checkpoint.integers(&weight.tensor)?;
    let zeros = zero_points(checkpoint, weight, bits, scales)?;
    let middle = 1 << (bits - 1);
    Ok(Matrix::from_fn(rows, cols, |row, col| {
        let code = unpack(&words[row * per_row..(row + 1) * per_row], bits, col) as i32 - middle;
        let zero = zeros.as_ref().map_or(0, |zeros| zeros[scales.index(row, col)] - middle);
        (code - zero) as f32 * scales.at(row, col)
    }))
}

/// Zero points in the order of the scales, still with the middle added.
fn zero_points(
    checkpoint: &Checkpoint,
    weight: &Weight,
    bits: usize,
    scales: &Scales,
) -> Result<Option<Vec<i32>>, Diagnostic> {
    let name = format!("{}.weight_zero_point", weight.module);
    if !checkpoint.tensors.contains_key(&name) {
        return Ok(None);
    }
    let words = checkpoint.integers(&name)?;
    let (down, across) = scales.extents();
    let per_column = (down * bits).div_ceil(32);
    if words.len() != per_column * across {
        return Err(unfit(&weight.module, "`weight_zero_point` has another shape than `weight_scale`"));
    }
    let column = |group: usize| (0..per_column).map(|word| words[word * across + group]).collect::<Vec<_>>();
    let columns: Vec<Vec<u32>> = (0..across).map(column).collect();
    Ok(Some((0..down * across).map(|at| unpack(&columns[at % across], bits, at / across) as i32).collect()))
}
