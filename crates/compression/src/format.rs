//! Number formats, and rounding a matrix to them.
//!
//! A [`Scheme`] says which [`Grid`] of numbers a weight is rounded to and which weights share a [`Scale`]:
//! `w ≈ s·(q − z)` with `q` on the grid. [`quantise`] rounds to nearest with scales from the largest magnitude; methods
//! that choose other scales or other roundings use [`Scale`] and [`Quantised`] themselves.

mod granularity;
mod grid;
mod quantised;
mod scale;

pub use granularity::{Granularity, Shape};
pub use grid::Grid;
pub use quantised::{Quantised, quantise, quantise_with, scales_of};
pub use scale::{Scale, Symmetry};

/// A number format with its scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scheme {
    /// Numbers before scaling.
    pub grid: Grid,
    /// Weights that share a scale.
    pub granularity: Granularity,
    /// How a range of weights is laid onto the grid.
    pub symmetry: Symmetry,
}

impl Scheme {
    /// A scheme with no zero point whose scale puts the largest magnitude at half the range: `absmax / 7.5` for INT4.
    pub const fn symmetric(grid: Grid, granularity: Granularity) -> Self {
        Self { grid, granularity, symmetry: Symmetry::Full }
    }

    /// A scheme with a zero point.
    pub const fn asymmetric(grid: Grid, granularity: Granularity) -> Self {
        Self { grid, granularity, symmetry: Symmetry::Asymmetric }
    }
}
