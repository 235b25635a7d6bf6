//! GPTQ: `qweight` packed along the input, `qzeros` along the output, `g_idx` the group of each input.
//!
//! `w[n][k] = scales[g][n]·(q − zero − 1)` with `g = g_idx[k]`; the second version of the format stores the zero itself.

use serde_json::Value;
use vitruvian_diagnostics::Diagnostic;

use super::bits::unpack;
use super::{Checkpoint, Stored, Weight, unfit};
use crate::Matrix;

fn bits(checkpoint: &Checkpoint) -> usize {
    let bits = checkpoint.published("bits").and_then(Value::as_u64).filter(|bits| (2..=8).contains(bits));
    bits.unwrap_or(4) as usize
}

pub(super) fn shape(checkpoint: &Checkpoint, tensor: &Stored) -> (usize, usize) {
    let (packed, outputs) = tensor.matrix();
    (outputs, packed * 32 / bits(checkpoint))
}

pub(super) fn read(checkpoint: &Checkpoint, weight: &Weight) -> Result<Matrix, Diagnostic> {
    let (bits, rows, cols) = (bits(checkpoint), weight.rows, weight.cols);
    let name = |part: &str| format!("{}.{part}", weight.module);
    let words = columns(&checkpoint.integers(&weight.tensor)?, rows);
    let scales = checkpoint.matrix(&name("scales"))?;
    let zeros = checkpoint.integers(&name("qzeros"))?;
    let groups = scales.rows;
    if scales.cols != rows || groups == 0 || zeros.len() != groups * (rows * bits).div_ceil(32) {
        return Err(unfit(&weight.module, "`scales` or `qzeros` have another shape"));
    }
    let group_of = groups_of(checkpoint, &name("g_idx"), cols, groups)?;
    if group_of.iter().any(|group| *group >= groups) {
        return Err(unfit(&weight.module, "`g_idx` names a group that is not there"));
    }
    let offset = if checkpoint.published("checkpoint_format").and_then(Value::as_str) == Some("gptq_v2") {
        0.0
    } else {
        1.0
    };
    let per_group = zeros.len() / groups;
    Ok(Matrix::from_fn(rows, cols, |row, col| {
        let group = group_of[col];
        let zero = unpack(&zeros[group * per_group..][..per_group], bits, row) as f32 + offset;
        let own = &words[row * (words.len() / rows)..];
        scales.at(group, row) * (unpack(own, bits, col) as f32 - zero)
    }))
}

/// The words of each output behind one another.
fn columns(words: &[u32], outputs: usize) -> Vec<u32> {
    let down = words.len() / outputs.max(1);
    (0..words.len()).map(|index| words[index % down * outputs + index / down]).collect()
}

/// The group of each input: as said, else in order.
fn groups_of(
    checkpoint: &Checkpoint,
    name: &str,
    cols: usize,
    groups: usize,
) -> Result<Vec<usize>, Diagnostic> {
    if checkpoint.tensors.contains_key(name) {
        let said = checkpoint.integers(name)?;
        if said.len() != cols {
            return Err(unfit(name, format!("it has {} entries for {cols} inputs", said.len())));
        }
        return Ok(said.into_iter().map(|group| group as usize).collect());
    }
    let size = cols.div_ceil(groups);
    Ok((0..cols).map(|col| col / size).collect())
}
