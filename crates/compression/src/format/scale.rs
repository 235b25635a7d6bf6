//! What maps a range of weights onto a grid.

use super::Grid;

/// How a range of weights is laid onto a grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Symmetry {
    /// No zero point; the largest magnitude lies on [`Grid::reach`]: `absmax / 7.5` for INT4, as in compressed-tensors
    /// and GPTQ, `absmax / 448` for E4M3.
    Full,
    /// No zero point; the largest magnitude is the largest number: `absmax / 7` for INT4 (msModelSlim).
    Narrow,
    /// Smallest and largest weight lie at the ends of an integer grid.
    Asymmetric,
}

/// How scales are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScaleFormat {
    /// None: numbers are cast as they are.
    Unit,
    /// 32-bit float.
    F32,
    /// 16-bit brain float, rounded to nearest before weights are rounded with it.
    Bf16,
    /// A power of two: `2^(⌊log₂ absmax⌋ − emax)` (OCP Microscaling Formats 1.0, 6.3).
    E8m0,
    /// A power of two, the next one where `absmax` would round up to it in two bits: as compressed-tensors has it.
    E8m0Nearest,
    /// An E4M3 number over one 32-bit scale for the tensor (NVFP4).
    E4m3,
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
    /// No scale.
    pub const UNIT: Self = Self { scale: 1.0, zero: 0.0 };

    /// The scale for weights between two values.
    ///
    /// The conventions are those of compressed-tensors' `calculate_qparams`: the range includes zero, and a range of zero
    /// width has the machine epsilon for its step.
    pub fn of_range(grid: Grid, symmetry: Symmetry, smallest: f32, largest: f32) -> Self {
        let (low, high) = (smallest.min(0.0), largest.max(0.0));
        let magnitude = high.max(-low);
        match symmetry {
            Symmetry::Asymmetric if grid.is_integer() => {
                let scale = step((high - low) / (grid.max() - grid.min()));
                Self { scale, zero: grid.round(grid.min() - low / scale) }
            }
            Symmetry::Narrow if grid.is_integer() => Self { scale: step(magnitude / grid.max()), zero: 0.0 },
            _ => Self { scale: step(magnitude / grid.reach()), zero: 0.0 },
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

/// A step that can be divided by.
fn step(scale: f32) -> f32 {
    if scale == 0.0 { f32::EPSILON } else { scale }
}

impl ScaleFormat {
    /// A scale as this format stores it. `global` is the scale of the whole tensor, see [`global_scale`].
    ///
    /// Where the stored form is coarser than the scale, a zero point is that of the unrounded scale: the formats that
    /// round scales have none.
    pub fn store(self, scale: Scale, grid: Grid, global: f32) -> Scale {
        let stored = match self {
            Self::Unit => return Scale::UNIT,
            Self::F32 => scale.scale,
            Self::Bf16 => step(Grid::Bf16.round(scale.scale)),
            Self::E8m0 => power_below(scale.scale * grid.reach(), grid, 0),
            Self::E8m0Nearest => power_below(scale.scale * grid.reach(), grid, 1 << 21),
            // The smallest E4M3 number, 2⁻⁹, rather than zero; compressed-tensors takes its epsilon, 2⁻³.
            Self::E4m3 => nonzero_e4m3(scale.scale * global) / global,
        };
        Scale { scale: stored, zero: scale.zero }
    }
}

fn nonzero_e4m3(value: f32) -> f32 {
    let rounded = Grid::E4m3.round(value);
    if rounded == 0.0 { 0.125 } else { rounded }
}

/// `2^(⌊log₂ magnitude⌋ − emax)`, after adding to the mantissa what makes large ones round up; within E8M0.
fn power_below(magnitude: f32, grid: Grid, added: u32) -> f32 {
    let exponent = ((magnitude.to_bits() + added) >> 23) as i32 - 127 - grid.exponent();
    power_of_two(exponent.clamp(-127, 127))
}

/// `2^exponent`, from −127 (subnormal in 32 bits) to 127.
pub(crate) fn power_of_two(exponent: i32) -> f32 {
    if exponent < -126 { f32::from_bits(1 << 22) } else { f32::from_bits(((exponent + 127) as u32) << 23) }
}

/// NVFP4's scale of a whole tensor: lays the largest local scale on the largest E4M3 number, `448·6 / absmax`.
///
/// A local scale is stored times this, and divided by it when used.
pub fn global_scale(grid: Grid, absmax: f32) -> f32 {
    if absmax > 0.0 { Grid::E4m3.max() * grid.max() / absmax } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::{Scale, ScaleFormat, Symmetry};
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

    #[test]
    fn powers_of_two() {
        let stored = |format: ScaleFormat, absmax: f32| {
            format.store(Scale::of(Grid::E2m1, Symmetry::Full, [absmax]), Grid::E2m1, 1.0).scale
        };
        // ⌊log₂ 7⌋ − 2 = 0, so 7 saturates at 6; rounded to two bits 7 is 8, whose exponent is 3.
        assert_eq!(stored(ScaleFormat::E8m0, 7.0), 1.0);
        assert_eq!(stored(ScaleFormat::E8m0Nearest, 7.0), 2.0);
        assert_eq!(stored(ScaleFormat::E8m0, 0.75), 0.125);
    }
}
