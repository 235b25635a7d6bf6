//! Number formats, and rounding a matrix to them.
//!
//! A [`Scheme`] says which [`Grid`] of numbers a weight is rounded to and which weights share a [`Scale`]:
//! `w ≈ s·(q − z)` with `q` on the grid. [`quantise`] rounds to nearest with scales from the largest magnitude; methods
//! that choose other scales or other roundings use [`Scale`] and [`Quantised`] themselves.

mod cast;
mod granularity;
mod grid;
mod quantised;
mod scale;

pub use granularity::{Granularity, Shape};
pub use grid::Grid;
pub use quantised::{Energy, Quantised, check_finite, quantise, quantise_with, scales_of};
pub(crate) use scale::power_of_two;
pub use scale::{Scale, ScaleFormat, Symmetry, global_scale};

/// A number format with its scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scheme {
    /// Numbers before scaling.
    pub grid: Grid,
    /// Weights that share a scale.
    pub granularity: Granularity,
    /// How a range of weights is laid onto the grid.
    pub symmetry: Symmetry,
    /// How scales are stored.
    pub scales: ScaleFormat,
}

impl Scheme {
    /// A scheme with no zero point whose scale puts the largest magnitude on [`Grid::reach`]: `absmax / 7.5` for INT4.
    pub const fn symmetric(grid: Grid, granularity: Granularity) -> Self {
        Self { grid, granularity, symmetry: Symmetry::Full, scales: ScaleFormat::F32 }
    }

    /// A scheme with a zero point.
    pub const fn asymmetric(grid: Grid, granularity: Granularity) -> Self {
        Self { grid, granularity, symmetry: Symmetry::Asymmetric, scales: ScaleFormat::F32 }
    }

    /// The same with scales stored in another format.
    #[must_use]
    pub const fn with_scales(self, scales: ScaleFormat) -> Self {
        Self { scales, ..self }
    }

    /// Numbers cast as they are, without scale: BF16, FP16, HiFloat8.
    pub const fn cast(grid: Grid) -> Self {
        Self::symmetric(grid, Granularity::Tensor).with_scales(ScaleFormat::Unit)
    }

    /// FP8 weights of `DeepSeek`'s recipe: E4M3 in blocks of 128×128.
    pub const fn fp8_block() -> Self {
        Self::symmetric(Grid::E4m3, Granularity::Block { rows: 128, cols: 128 })
    }

    /// FP8 activations of `DeepSeek`'s recipe: E4M3 in tiles of 1×128.
    pub const fn fp8_tile() -> Self {
        Self::symmetric(Grid::E4m3, Granularity::Block { rows: 1, cols: 128 })
    }

    /// OCP MXFP8: E4M3, 32 to a power of two.
    pub const fn mxfp8() -> Self {
        Self::symmetric(Grid::E4m3, Granularity::Group(32)).with_scales(ScaleFormat::E8m0)
    }

    /// OCP MXFP4: E2M1, 32 to a power of two.
    pub const fn mxfp4() -> Self {
        Self::symmetric(Grid::E2m1, Granularity::Group(32)).with_scales(ScaleFormat::E8m0)
    }

    /// NVIDIA NVFP4: E2M1, 16 to an E4M3 scale, one 32-bit scale over all.
    pub const fn nvfp4() -> Self {
        Self::symmetric(Grid::E2m1, Granularity::Group(16)).with_scales(ScaleFormat::E4m3)
    }

    /// Bits of one weight of a matrix, its share of the scales included.
    pub fn bits_per_weight(&self, rows: usize, cols: usize) -> f64 {
        let scale = match self.scales {
            ScaleFormat::Unit => 0.0,
            ScaleFormat::F32 => 32.0,
            ScaleFormat::Bf16 => 16.0,
            ScaleFormat::E8m0 | ScaleFormat::E8m0Nearest | ScaleFormat::E4m3 => 8.0,
        };
        let zero = if self.symmetry == Symmetry::Asymmetric { f64::from(self.grid.bits()) } else { 0.0 };
        let scales = self.granularity.shape(rows, cols).map_or(0, |shape| shape.count());
        f64::from(self.grid.bits()) + (scale + zero) * scales as f64 / (rows * cols) as f64
    }
}
