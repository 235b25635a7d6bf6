//! A matrix in a number format.
//!
//! Rows are rounded by all cores: they share nothing, so that codes do not depend on how many there are.

use rayon::prelude::*;

use super::cast::{absmax, cast, finite, range};
use super::scale::global_scale;
use super::{Scale, ScaleFormat, Scheme, Shape, Symmetry};
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
    /// Codes of the grid, row after row: a byte an element (an exporter packs those of 4 bits), two little-endian ones
    /// for grids of 16 bits.
    pub codes: Vec<u8>,
    /// A scale for each rectangle that shares one, in row-major order.
    pub scales: Vec<Scale>,
    /// What stored scales are multiplied by (NVFP4); 1 otherwise.
    pub global: f32,
}

impl Quantised {
    /// The code of an element, counted row after row.
    pub fn code(&self, index: usize) -> u16 {
        match self.scheme.grid.bits() {
            16 => u16::from_le_bytes([self.codes[2 * index], self.codes[2 * index + 1]]),
            _ => u16::from(self.codes[index]),
        }
    }

    /// How scales lie on the matrix.
    pub fn shape(&self) -> Shape {
        let whole = Shape { block_rows: self.rows, block_cols: self.cols, down: 1, across: 1 };
        self.scheme.granularity.shape(self.rows, self.cols).unwrap_or(whole)
    }

    /// The numbers of all codes.
    fn numbers(&self) -> Vec<f32> {
        let grid = self.scheme.grid;
        (0..=u16::MAX >> (16 - grid.bits())).map(|code| grid.decode(code)).collect()
    }

    /// The matrix that it stands for.
    pub fn dequantise(&self) -> Matrix {
        let (shape, numbers) = (self.shape(), self.numbers());
        let mut data = Vec::with_capacity(self.rows * self.cols);
        let width = self.scheme.grid.bits().div_ceil(8) as usize;
        for (row, codes) in self.codes.chunks_exact(self.cols * width).enumerate() {
            let own = &self.scales[row / shape.block_rows * shape.across..][..shape.across];
            for (block, scale) in codes.chunks(shape.block_cols * width).zip(own) {
                match width {
                    1 => data.extend(block.iter().map(|&code| scale.dequantise(numbers[usize::from(code)]))),
                    _ => data.extend(block.chunks_exact(2).map(|code| {
                        scale.dequantise(numbers[usize::from(u16::from_le_bytes([code[0], code[1]]))])
                    })),
                }
            }
        }
        Matrix { rows: self.rows, cols: self.cols, data }
    }
}

/// Squared sums of a matrix and of what a format loses of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Energy {
    /// `Σw²`.
    pub signal: f64,
    /// `Σ(w − w')²`.
    pub noise: f64,
}

impl Energy {
    /// `10·log₁₀(Σw² / Σ(w − w')²)`; infinite where nothing is lost.
    pub fn sqnr_db(&self) -> f64 {
        if self.noise == 0.0 { f64::INFINITY } else { 10.0 * (self.signal / self.noise).log10() }
    }

    /// `Σ(w − w')² / Σw²`.
    pub fn relative(&self) -> f64 {
        if self.signal > 0.0 { self.noise / self.signal } else { 0.0 }
    }
}

impl std::ops::AddAssign for Energy {
    fn add_assign(&mut self, other: Self) {
        self.signal += other.signal;
        self.noise += other.noise;
    }
}

impl Quantised {
    /// What it loses of the matrix that it stands for, without a second matrix in memory.
    pub fn energy(&self, matrix: &Matrix) -> Energy {
        let (shape, numbers) = (self.shape(), self.numbers());
        let mut energy = Energy::default();
        for row in 0..self.rows {
            let own = &self.scales[row / shape.block_rows * shape.across..][..shape.across];
            for (index, (block, scale)) in matrix.row(row).chunks(shape.block_cols).zip(own).enumerate() {
                let start = row * self.cols + index * shape.block_cols;
                // Sums of a block in 32 bits lose nothing that shows; blocks are summed in 64.
                let (mut signal, mut noise) = (0.0f32, 0.0f32);
                for (offset, weight) in block.iter().enumerate() {
                    let lost = weight - scale.dequantise(numbers[usize::from(self.code(start + offset))]);
                    signal += weight * weight;
                    noise += lost * lost;
                }
                energy += Energy { signal: f64::from(signal), noise: f64::from(noise) };
            }
        }
        energy
    }
}

/// Scales from the range of the weights that share one.
///
/// # Errors
/// A shape that the granularity does not divide; a weight that is not finite.
pub fn scales_of(matrix: &Matrix, scheme: &Scheme) -> Result<Vec<Scale>, String> {
    let shape = scheme.granularity.shape(matrix.rows, matrix.cols)?;
    check_finite(matrix)?;
    if scheme.scales == ScaleFormat::Unit {
        return Ok(vec![Scale::UNIT; shape.count()]);
    }
    let symmetric = scheme.symmetry != Symmetry::Asymmetric;
    let mut ranges = vec![(0.0f32, 0.0f32); shape.count()];
    let bands = matrix.data.par_chunks(shape.block_rows * matrix.cols);
    bands.zip(ranges.par_chunks_mut(shape.across)).for_each(|(band, own)| {
        for row in band.chunks_exact(matrix.cols) {
            for (block, (low, high)) in row.chunks(shape.block_cols).zip(&mut *own) {
                let (least, most) = if symmetric { (0.0, absmax(block)) } else { range(block) };
                (*low, *high) = (low.min(least), high.max(most));
            }
        }
    });
    let most = ranges.iter().fold(0.0f32, |most, (low, high)| most.max(-low).max(*high));
    let global = scheme.global(most);
    Ok(ranges.into_iter().map(|(low, high)| scheme.scale(low, high, global)).collect())
}

/// Whether all weights are finite.
///
/// # Errors
/// The first that is not, with its place.
pub fn check_finite(matrix: &Matrix) -> Result<(), String> {
    if finite(&matrix.data) {
        return Ok(());
    }
    match matrix.first_not_finite() {
        Some((row, col, value)) => Err(format!("the weight in row {row}, column {col} is {value}")),
        None => Ok(()),
    }
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
    let width = scheme.grid.bits().div_ceil(8) as usize;
    let mut codes = vec![0; matrix.data.len() * width];
    codes.par_chunks_exact_mut(matrix.cols * width).enumerate().for_each(|(row, line)| {
        let own = &scales[row / shape.block_rows * shape.across..][..shape.across];
        let blocks = matrix.row(row).chunks(shape.block_cols).zip(line.chunks_mut(shape.block_cols * width));
        for ((block, codes), scale) in blocks.zip(own) {
            cast(scheme.grid, *scale, block, codes);
        }
    });
    let global = if scheme.scales == ScaleFormat::E4m3 { scheme.global(absmax(&matrix.data)) } else { 1.0 };
    Ok(Quantised { scheme: *scheme, rows: matrix.rows, cols: matrix.cols, codes, scales, global })
}

impl Scheme {
    /// The scale that weights between two values share, as it is stored.
    pub fn scale(&self, smallest: f32, largest: f32, global: f32) -> Scale {
        let scale = Scale::of_range(self.grid, self.symmetry, smallest, largest);
        self.scales.store(scale, self.grid, global)
    }

    /// The scale of a whole tensor of some largest magnitude; 1 for formats that have none.
    pub fn global(&self, absmax: f32) -> f32 {
        if self.scales == ScaleFormat::E4m3 { global_scale(self.grid, absmax) } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::quantise;
    use crate::{Granularity, Grid, Matrix, Scheme};

    fn wave(rows: usize, cols: usize) -> Matrix {
        Matrix::from_fn(rows, cols, |row, col| ((row * cols + col) as f32 * 0.37).sin())
    }

    #[test]
    fn the_error_is_at_most_half_a_step() {
        let matrix = wave(4, 64);
        for granularity in [Granularity::Tensor, Granularity::Channel, Granularity::Group(16)] {
            let quantised = quantise(&matrix, &Scheme::asymmetric(Grid::Int8, granularity)).unwrap();
            // Range 2 in 255 steps: half a step, and as much again where the zero point was rounded.
            let bound = 2.0 / 255.0;
            let back = quantised.dequantise();
            assert!(matrix.data.iter().zip(&back.data).all(|(weight, kept)| (weight - kept).abs() <= bound));
        }
    }

    #[test]
    fn what_the_matrix_stands_for_is_what_its_codes_say() {
        let matrix = wave(6, 96);
        let block = Granularity::Block { rows: 4, cols: 32 };
        for grid in Grid::ALL {
            let quantised = quantise(&matrix, &Scheme::symmetric(grid, block)).unwrap();
            let (shape, back) = (quantised.shape(), quantised.dequantise());
            for index in 0..6 * 96 {
                let scale = quantised.scales[shape.index(index / 96, index % 96)];
                assert_eq!(back.data[index], scale.dequantise(grid.decode(quantised.code(index))));
                assert_eq!(back.data[index], scale.round_trip(grid, matrix.data[index]));
            }
        }
    }

    #[test]
    fn nvfp4_lays_its_largest_weight_on_the_largest_number() {
        let mut matrix = wave(2, 32);
        matrix.data[5] = 3.0;
        let quantised = quantise(&matrix, &Scheme::nvfp4()).unwrap();
        // Global 448·6/3; the local scale of the group is 448 exactly, so 3 comes back as it went.
        assert_eq!(quantised.global, 896.0);
        assert_eq!(quantised.dequantise().data[5], 3.0);
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
