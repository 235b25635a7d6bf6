//! A matrix in a number format.

use super::{Scale, Scheme, Shape};
use crate::Matrix;

/// A matrix in a number format.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantised {
    /// The format.
    pub scheme: Scheme,
    /// Output channels.
    pub rows: usize,
    /// Input channels.
    pub cols: usize,
    /// Codes of the grid, row after row, one an element: an exporter packs those of fewer than 8 bits.
    pub codes: Vec<u16>,
    /// A scale for each rectangle that shares one, in row-major order.
    pub scales: Vec<Scale>,
}

impl Quantised {
    /// How scales lie on the matrix.
    fn shape(&self) -> Shape {
        let whole = Shape { block_rows: self.rows, block_cols: self.cols, down: 1, across: 1 };
        self.scheme.granularity.shape(self.rows, self.cols).unwrap_or(whole)
    }

    /// The matrix that it stands for.
    pub fn dequantise(&self) -> Matrix {
        let shape = self.shape();
        let grid = self.scheme.grid;
        Matrix::from_fn(self.rows, self.cols, |row, col| {
            self.scales[shape.index(row, col)].dequantise(grid.decode(self.codes[row * self.cols + col]))
        })
    }
}

/// Scales from the range of the weights that share one.
///
/// # Errors
/// A shape that the granularity does not divide; a weight that is not finite.
pub fn scales_of(matrix: &Matrix, scheme: &Scheme) -> Result<Vec<Scale>, String> {
    let shape = scheme.granularity.shape(matrix.rows, matrix.cols)?;
    if let Some((row, col, value)) = matrix.first_not_finite() {
        return Err(format!("the weight in row {row}, column {col} is {value}"));
    }
    let mut ranges = vec![(0.0f32, 0.0f32); shape.count()];
    for row in 0..matrix.rows {
        for (index, block) in matrix.row(row).chunks(shape.block_cols).enumerate() {
            let range = &mut ranges[row / shape.block_rows * shape.across + index];
            *range = block.iter().fold(*range, |(low, high), &weight| (low.min(weight), high.max(weight)));
        }
    }
    let scale = |(low, high)| Scale::of_range(scheme.grid, scheme.symmetry, low, high);
    Ok(ranges.into_iter().map(scale).collect())
}

/// Rounds to nearest with scales from the range of the weights.
///
/// # Errors
/// As [`scales_of`].
pub fn quantise(matrix: &Matrix, scheme: &Scheme) -> Result<Quantised, String> {
    quantise_with(matrix, scheme, scales_of(matrix, scheme)?)
}

/// Rounds to nearest with given scales.
///
/// # Errors
/// A shape that the granularity does not divide; more or fewer scales than it needs.
pub fn quantise_with(matrix: &Matrix, scheme: &Scheme, scales: Vec<Scale>) -> Result<Quantised, String> {
    let shape = scheme.granularity.shape(matrix.rows, matrix.cols)?;
    if scales.len() != shape.count() {
        return Err(format!("{} scales for {} groups of weights", scales.len(), shape.count()));
    }
    let mut codes = Vec::with_capacity(matrix.data.len());
    for row in 0..matrix.rows {
        let own = &scales[row / shape.block_rows * shape.across..][..shape.across];
        for (block, scale) in matrix.row(row).chunks(shape.block_cols).zip(own) {
            codes.extend(block.iter().map(|&weight| scheme.grid.encode(scale.quantise(scheme.grid, weight))));
        }
    }
    Ok(Quantised { scheme: *scheme, rows: matrix.rows, cols: matrix.cols, codes, scales })
}

#[cfg(test)]
mod tests {
    use super::quantise;
    use crate::{Granularity, Grid, Matrix, Scheme};

    #[test]
    fn the_error_is_at_most_half_a_step() {
        let matrix = Matrix::from_fn(4, 64, |row, col| ((row * 64 + col) as f32 * 0.37).sin());
        let whole = [Granularity::Tensor, Granularity::Channel, Granularity::Group(16)];
        for granularity in whole {
            let quantised = quantise(&matrix, &Scheme::asymmetric(Grid::Int8, granularity)).unwrap();
            // Range 2 in 255 steps: half a step, and as much again where the zero point was rounded.
            let bound = 2.0 / 255.0;
            let back = quantised.dequantise();
            assert!(matrix.data.iter().zip(&back.data).all(|(weight, kept)| (weight - kept).abs() <= bound));
        }
    }

    #[test]
    fn what_cannot_be_quantised_is_named() {
        let mut matrix = Matrix::zeros(2, 6);
        let scheme = Scheme::symmetric(Grid::Int4, Granularity::Group(4));
        assert!(quantise(&matrix, &scheme).unwrap_err().contains("groups of 4"));
        matrix.data[7] = f32::NAN;
        let error = quantise(&matrix, &Scheme::symmetric(Grid::Int4, Granularity::Channel)).unwrap_err();
        assert_eq!(error, "the weight in row 1, column 1 is NaN");
    }
}
