//! A matrix of weights.

/// A matrix in row-major order: a linear layer's weight has a row an output channel and a column an input channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    /// Output channels.
    pub rows: usize,
    /// Input channels.
    pub cols: usize,
    /// `rows × cols` values, row after row.
    pub data: Vec<f32>,
}

impl Matrix {
    /// Zeros.
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Self { rows, cols, data: vec![0.0; rows * cols] }
    }

    /// A matrix of values a function gives by row and column.
    pub fn from_fn(rows: usize, cols: usize, mut value: impl FnMut(usize, usize) -> f32) -> Self {
        let data = (0..rows * cols).map(|index| value(index / cols, index % cols)).collect();
        Self { rows, cols, data }
    }

    /// One row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.data[row * self.cols..(row + 1) * self.cols]
    }

    /// One row, to change.
    pub fn row_mut(&mut self, row: usize) -> &mut [f32] {
        &mut self.data[row * self.cols..(row + 1) * self.cols]
    }

    /// One value.
    pub fn at(&self, row: usize, col: usize) -> f32 {
        self.data[row * self.cols + col]
    }

    /// The first value that is no number or infinite: its row, column and value.
    pub fn first_not_finite(&self) -> Option<(usize, usize, f32)> {
        let index = self.data.iter().position(|value| !value.is_finite())?;
        Some((index / self.cols, index % self.cols, self.data[index]))
    }
}
