//! The numbers of a format before scaling.

/// A set of numbers that weights are rounded to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grid {
    /// −8 … 7.
    Int4,
    /// −128 … 127.
    Int8,
}

impl Grid {
    /// Smallest number.
    pub const fn min(self) -> f32 {
        match self {
            Self::Int4 => -8.0,
            Self::Int8 => -128.0,
        }
    }

    /// Largest number.
    pub const fn max(self) -> f32 {
        match self {
            Self::Int4 => 7.0,
            Self::Int8 => 127.0,
        }
    }

    /// Bits of a code.
    pub const fn bits(self) -> u32 {
        match self {
            Self::Int4 => 4,
            Self::Int8 => 8,
        }
    }

    /// Whether it holds whole numbers only, so that a zero point is one of its numbers.
    pub const fn is_integer(self) -> bool {
        matches!(self, Self::Int4 | Self::Int8)
    }

    /// The nearest number of the grid, ties to even; beyond its ends, the end.
    pub fn round(self, value: f32) -> f32 {
        value.clamp(self.min(), self.max()).round_ties_even()
    }

    /// The code of a number of the grid, in two's complement for integers.
    pub fn encode(self, rounded: f32) -> u16 {
        rounded as i16 as u16 & (u16::MAX >> (16 - self.bits()))
    }

    /// The number of a code.
    pub fn decode(self, code: u16) -> f32 {
        let shift = 16 - self.bits();
        f32::from((code << shift) as i16 >> shift)
    }
}
