//! The tensors of a model by name.

use std::collections::BTreeMap;

use crate::Matrix;

/// The tensors of a model by their names in the checkpoint; a vector is a matrix of one row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters(pub BTreeMap<String, Matrix>);

impl Parameters {
    /// A matrix.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn matrix(&self, name: &str) -> Result<&Matrix, String> {
        self.0.get(name).ok_or_else(|| format!("the checkpoint has no tensor `{name}`"))
    }

    /// A matrix, to change.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn matrix_mut(&mut self, name: &str) -> Result<&mut Matrix, String> {
        self.0.get_mut(name).ok_or_else(|| format!("the checkpoint has no tensor `{name}`"))
    }

    /// The values of a vector.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn vector(&self, name: &str) -> Result<&[f32], String> {
        self.matrix(name).map(|matrix| matrix.data.as_slice())
    }

    /// The values of a vector that a model may lack.
    pub fn optional(&self, name: &str) -> Option<&[f32]> {
        self.0.get(name).map(|matrix| matrix.data.as_slice())
    }

    /// Refuses a tensor of another shape.
    ///
    /// # Errors
    /// As above, or a missing tensor.
    pub fn require(&self, name: &str, rows: usize, cols: usize) -> Result<(), String> {
        let found = self.matrix(name)?;
        if (found.rows, found.cols) == (rows, cols) {
            return Ok(());
        }
        Err(format!(
            "`{name}` is {}×{}, and the configuration asks for {rows}×{cols}",
            found.rows, found.cols
        ))
    }
}
