//! Tensors that are not quantised but changed: what a method moved into norms, biases and neighbouring weights.

use std::collections::BTreeMap;

use half::{bf16, f16};

use super::Export;
use crate::checkpoint::Kind;
use crate::{Grid, Matrix};

impl Export<'_> {
    /// Gives tensors that stay in their type other values.
    ///
    /// # Errors
    /// A tensor that the checkpoint lacks, has in another shape or in a type that holds no changed values.
    pub fn replace(&mut self, tensors: BTreeMap<String, Matrix>) -> Result<(), String> {
        for (name, matrix) in &tensors {
            let stored = self.checkpoint.tensors().get(name);
            let stored = stored.ok_or_else(|| format!("the checkpoint has no tensor `{name}` to change"))?;
            if stored.elements() != matrix.data.len() || plain_bytes(stored.kind, &[]).is_none() {
                return Err(format!(
                    "`{name}` cannot be changed: it is stored in another shape or in few bits"
                ));
            }
        }
        self.replaced = tensors;
        Ok(())
    }
}

/// Numbers in a type of 16 or 32 bits, rounded to nearest; nothing for other types.
pub(super) fn plain_bytes(kind: Kind, values: &[f32]) -> Option<Vec<u8>> {
    Some(match kind {
        Kind::F32 => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        Kind::Grid(Grid::Bf16) => {
            values.iter().flat_map(|value| bf16::from_f32(*value).to_le_bytes()).collect()
        }
        Kind::Grid(Grid::Fp16) => {
            values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect()
        }
        _ => return None,
    })
}

/// Rounds numbers to what a type of 16 bits holds of them; other types leave them.
pub fn round_plain(kind: Kind, values: &mut [f32]) {
    match kind {
        Kind::Grid(Grid::Bf16) => {
            values.iter_mut().for_each(|value| *value = bf16::from_f32(*value).to_f32());
        }
        Kind::Grid(Grid::Fp16) => values.iter_mut().for_each(|value| *value = f16::from_f32(*value).to_f32()),
        _ => {}
    }
}
