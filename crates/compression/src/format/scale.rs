//! What maps a range of weights onto a grid.

use super::Grid;

/// How a range of weights is laid onto a grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Symmetry {
    /// No zero point; the largest magnitude lies at half the range of an integer grid (`absmax / 7.5` for INT4, as in
    /// compressed-tensors and GPTQ) and at the largest number of a floating-point one.
    Full,
    /// No zero point; the largest magnitude is the largest number: `absmax / 7` for INT4 (msModelSlim).
    Narrow,
    /// Smallest and largest weight lie at the ends of an integer grid.
    Asymmetric,
}

/// `w ≈ scale·(q − zero)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Step of the grid.
    pub scale: f32,
    /// The number of the grid that stands for zero: 0 without a zero point.
    pub zero: f32,
}

impl Scale {
    /// The scale for weights between two values.
    ///
    /// The conventions are those of compressed-tensors' `calculate_qparams`: the range includes zero, and a range of zero
    /// width has the step of the smallest normal number of 32 bits.
    pub fn of_range(grid: Grid, symmetry: Symmetry, smallest: f32, largest: f32) -> Self {
        let (low, high) = (smallest.min(0.0), largest.max(0.0));
        let magnitude = high.max(-low);
        let reach = (grid.max() - grid.min()) / 2.0;
        let step = |scale: f32| if scale < f32::MIN_POSITIVE { f32::MIN_POSITIVE } else { scale };
        match symmetry {
            Symmetry::Full => Self { scale: step(magnitude / reach), zero: 0.0 },
            Symmetry::Narrow => Self { scale: step(magnitude / grid.max()), zero: 0.0 },
            Symmetry::Asymmetric => {
                let scale = step((high - low) / (2.0 * reach));
                Self { scale, zero: grid.round(grid.min() - low / scale) }
            }
        }
    }

    /// The scale for some weights.
    pub fn of(grid: Grid, symmetry: Symmetry, weights: impl IntoIterator<Item = f32>) -> Self {
        let range = |(low, high): (f32, f32), weight: f32| (low.min(weight), high.max(weight));
        let (smallest, largest) = weights.into_iter().fold((0.0, 0.0), range);
        Self::of_range(grid, symmetry, smallest, largest)
    }

    /// The number of the grid that stands for a weight: `q = round(w / scale + zero)`.
    pub fn quantise(self, grid: Grid, weight: f32) -> f32 {
        grid.round(weight / self.scale + self.zero)
    }

    /// The weight that a number of the grid stands for.
    pub fn dequantise(self, rounded: f32) -> f32 {
        (rounded - self.zero) * self.scale
    }

    /// A weight as the format keeps it.
    pub fn round_trip(self, grid: Grid, weight: f32) -> f32 {
        self.dequantise(self.quantise(grid, weight))
    }
}

#[cfg(test)]
mod tests {
    use super::{Scale, Symmetry};
    use crate::Grid;

    #[test]
    fn the_three_ways_onto_a_grid() {
        // absmax / 7.5 = 3 / 7.5.
        assert_eq!(Scale::of(Grid::Int4, Symmetry::Full, [-1.0, 3.0]).scale, 0.4);
        // absmax / 7.
        assert_eq!(Scale::of(Grid::Int4, Symmetry::Narrow, [-1.0, 3.5]).scale, 0.5);
        // (3 + 0.75) / 15 = 0.25; zero = −8 + 0.75 / 0.25 = −5.
        let scale = Scale::of(Grid::Int4, Symmetry::Asymmetric, [-0.75, 3.0]);
        assert_eq!((scale.scale, scale.zero), (0.25, -5.0));
        assert_eq!(scale.round_trip(Grid::Int4, 3.0), 3.0);
        assert_eq!(scale.round_trip(Grid::Int4, 0.0), 0.0);
    }
}
