//! The numbers of a format before scaling.

pub(super) mod float;
mod hif8;

/// A set of numbers that weights are rounded to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Grid {
    /// −8 … 7.
    Int4,
    /// −128 … 127.
    Int8,
    /// FP8 with 4 exponent and 3 mantissa bits, no infinity (OCP E4M3, `float8_e4m3fn`).
    E4m3,
    /// FP8 with 5 exponent and 2 mantissa bits (OCP E5M2).
    E5m2,
    /// HiFloat8: tapered, 3 mantissa bits about one and fewer towards the ends (arXiv 2409.16626).
    Hif8,
    /// FP4 with 2 exponent bits and 1 mantissa bit (OCP E2M1).
    E2m1,
    /// The upper half of a 32-bit float.
    Bf16,
    /// IEEE 754 binary16.
    Fp16,
}

impl Grid {
    /// All grids.
    pub const ALL: [Self; 8] =
        [Self::Int4, Self::Int8, Self::E4m3, Self::E5m2, Self::Hif8, Self::E2m1, Self::Bf16, Self::Fp16];

    /// The name in reports: `"fp8-e4m3"`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int4 => "int4",
            Self::Int8 => "int8",
            Self::E4m3 => "fp8-e4m3",
            Self::E5m2 => "fp8-e5m2",
            Self::Hif8 => "hif8",
            Self::E2m1 => "fp4-e2m1",
            Self::Bf16 => "bf16",
            Self::Fp16 => "fp16",
        }
    }

    /// Smallest finite number.
    pub const fn min(self) -> f32 {
        match self {
            Self::Int4 => -8.0,
            Self::Int8 => -128.0,
            other => -other.max(),
        }
    }

    /// Largest finite number.
    pub const fn max(self) -> f32 {
        match self {
            Self::Int4 => 7.0,
            Self::Int8 => 127.0,
            Self::E4m3 => 448.0,
            Self::E5m2 => 57_344.0,
            Self::Hif8 => 32_768.0,
            Self::E2m1 => 6.0,
            Self::Bf16 => f32::from_bits(0x7f7f_0000),
            Self::Fp16 => 65_504.0,
        }
    }

    /// The magnitude that the largest weight is laid on.
    ///
    /// For integers half the range, as compressed-tensors and GPTQ have it; for floats the largest number. HiFloat8 is the
    /// exception: its precision tapers, so the largest weight lies at the end of the 3-bit mantissas, not of the range.
    pub const fn reach(self) -> f32 {
        match self {
            Self::Int4 => 7.5,
            Self::Int8 => 127.5,
            Self::Hif8 => hif8::PRECISE,
            other => other.max(),
        }
    }

    /// Bits of a code.
    pub const fn bits(self) -> u32 {
        match self {
            Self::Int4 | Self::E2m1 => 4,
            Self::Int8 | Self::E4m3 | Self::E5m2 | Self::Hif8 => 8,
            Self::Bf16 | Self::Fp16 => 16,
        }
    }

    /// Exponent of the largest power of two on the grid: `emax` of the OCP microscaling formats.
    pub const fn exponent(self) -> i32 {
        (self.max().to_bits() >> 23) as i32 - 127
    }

    /// Whether it holds whole numbers only, so that a zero point is one of its numbers.
    pub const fn is_integer(self) -> bool {
        matches!(self, Self::Int4 | Self::Int8)
    }

    /// The nearest number of the grid, ties to even (away from zero for HiFloat8); beyond its ends, the end.
    pub fn round(self, value: f32) -> f32 {
        match self {
            // Integers have no negative zero.
            Self::Int4 | Self::Int8 => value.clamp(self.min(), self.max()).round_ties_even() + 0.0,
            _ => self.decode(self.encode(value)),
        }
    }

    /// The code of the nearest number of the grid: two's complement for integers, sign and magnitude for floats.
    pub fn encode(self, value: f32) -> u16 {
        self.code(value) as u16
    }

    /// The same in the width of the numbers it comes from, inlined where the grid is known.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "the loops that call it are compiled for one grid each")]
    pub(super) fn code(self, value: f32) -> u32 {
        match self {
            Self::Int4 => integer(value, -8.0, 7.0) & 0xf,
            Self::Int8 => integer(value, -128.0, 127.0) & 0xff,
            Self::E4m3 => float::encode::<4, 3>(value, 448.0),
            Self::E5m2 => float::encode::<5, 2>(value, 57_344.0),
            Self::E2m1 => float::encode::<2, 1>(value, 6.0),
            Self::Fp16 => float::encode::<5, 10>(value, 65_504.0),
            Self::Bf16 => float::encode::<8, 7>(value, Self::Bf16.max()),
            Self::Hif8 => hif8::encode(value),
        }
    }

    /// The number of a code. Codes of infinities and of what is no number give those.
    pub fn decode(self, code: u16) -> f32 {
        match self {
            Self::Int4 => f32::from((code << 12) as i16 >> 12),
            Self::Int8 => f32::from(code as u8 as i8),
            Self::E4m3 if code & 0x7f == 0x7f => f32::NAN,
            Self::E4m3 => float::decode::<4, 3>(code),
            Self::E5m2 => float::decode_ieee::<5, 2>(code),
            Self::E2m1 => float::decode::<2, 1>(code),
            Self::Fp16 => float::decode_ieee::<5, 10>(code),
            Self::Bf16 => f32::from_bits(u32::from(code) << 16),
            Self::Hif8 => hif8::decode(code),
        }
    }
}

/// 1.5·2²³: added to a number of less than 2²² it leaves the nearest whole number, ties to even, in the low bits.
const WHOLE: f32 = 12_582_912.0;

#[inline]
fn integer(value: f32, min: f32, max: f32) -> u32 {
    let above = if value < min { min } else { value };
    (if above > max { max } else { above } + WHOLE).to_bits()
}
