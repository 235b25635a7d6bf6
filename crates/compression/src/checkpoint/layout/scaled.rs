//! Numbers of 8 bits beside their scales: FP8 by tensor, channel or block, MXFP8, INT8 with or without offset.

use vitruvian_diagnostics::Diagnostic;

use super::{Checkpoint, Kind, Weight, unfit};
use crate::format::power_of_two;
use crate::{Granularity, Matrix};

/// Scales as they lie on a matrix.
pub(super) struct Scales {
    values: Vec<f32>,
    down: usize,
    across: usize,
    block_rows: usize,
    block_cols: usize,
}

impl Scales {
    pub(super) fn index(&self, row: usize, col: usize) -> usize {
        row / self.block_rows * self.across + col / self.block_cols
    }

    pub(super) fn at(&self, row: usize, col: usize) -> f32 {
        self.values[self.index(row, col)]
    }

    pub(super) const fn extents(&self) -> (usize, usize) {
        (self.down, self.across)
    }
}

/// The scales of a matrix: `weight_scale_inv` or `weight_scale`, over `weight_global_scale` where there is one.
pub(super) fn scales_of(checkpoint: &Checkpoint, weight: &Weight) -> Result<Scales, Diagnostic> {
    let named = |part: &str| format!("{}.{part}", weight.module);
    let names = [named("weight_scale_inv"), named("weight_scale"), format!("{}_scale_inv", weight.tensor)];
    let name = names.into_iter().find(|name| checkpoint.tensors.contains_key(name));
    let name =
        name.ok_or_else(|| unfit(&weight.module, "it has no `weight_scale` nor `weight_scale_inv`"))?;
    let tensor = checkpoint.stored(&name)?;
    let (down, across) = tensor.matrix();
    let mut values = checkpoint.floats(&name)?;
    if tensor.kind == Kind::U8 {
        // The exponents of powers of two, in the type of a byte.
        values.iter_mut().for_each(|value| *value = power_of_two(*value as i32 - 127));
    }
    let global = named("weight_global_scale");
    if checkpoint.tensors.contains_key(&global) {
        let over = checkpoint.floats(&global)?.first().copied().unwrap_or(1.0);
        values.iter_mut().for_each(|value| *value /= over);
    }
    let (down, across) = if tensor.shape.len() == 1 { (across, 1) } else { (down, across) };
    let (block_rows, block_cols) = block(checkpoint, weight, down, across).ok_or_else(|| {
        unfit(
            &weight.module,
            format!("`{name}` of {down}×{across} does not fit {}×{}", weight.rows, weight.cols),
        )
    })?;
    Ok(Scales { values, down, across, block_rows, block_cols })
}

/// Rows and columns that share a scale.
fn block(checkpoint: &Checkpoint, weight: &Weight, down: usize, across: usize) -> Option<(usize, usize)> {
    let (rows, cols) = (weight.rows, weight.cols);
    if (down, across) == (1, 1) {
        return Some((rows, cols));
    }
    if down == rows && across > 0 && cols.is_multiple_of(across) {
        return Some((1, cols / across));
    }
    let said = checkpoint.block_size();
    let side = |index: usize| said.map_or(128, |sides| sides[index]);
    let granularity = Granularity::Block { rows: side(0), cols: side(1) };
    let shape = granularity.shape(rows, cols).ok()?;
    ((shape.down, shape.across) == (down, across)).then_some((shape.block_rows, shape.block_cols))
}

/// `scale·(q − offset)`.
pub(super) fn read(checkpoint: &Checkpoint, weight: &Weight) -> Result<Matrix, Diagnostic> {
    let scales = scales_of(checkpoint, weight)?;
    let offsets = offsets(checkpoint, weight, &scales)?;
    let mut matrix = checkpoint.matrix(&weight.tensor)?;
    for row in 0..matrix.rows {
        for (col, value) in matrix.row_mut(row).iter_mut().enumerate() {
            let index = scales.index(row, col);
            *value = (*value - offsets.as_ref().map_or(0.0, |offsets| offsets[index])) * scales.values[index];
        }
    }
    Ok(matrix)
}

/// `weight_offset` (msModelSlim) or `weight_zero_point` (compressed-tensors), one a scale.
fn offsets(
    checkpoint: &Checkpoint,
    weight: &Weight,
    scales: &Scales,
) -> Result<Option<Vec<f32>>, Diagnostic> {
    for part in ["weight_offset", "weight_zero_point"] {
        let name = format!("{}.{part}", weight.module);
        if checkpoint.tensors.contains_key(&name) {
            let offsets = checkpoint.floats(&name)?;
            return if offsets.len() == scales.values.len() {
                Ok(Some(offsets))
            } else {
                Err(unfit(&weight.module, format!("`{part}` has another shape than its scales")))
            };
        }
    }
    Ok(None)
}
