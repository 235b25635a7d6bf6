//! Element types an instruction works on.

/// An element type. The cube multiplies `F16 Bf16 F32 Hf32 S8 S4`; the vector unit has no `Bf16` arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// IEEE binary16.
    F16,
    /// bfloat16.
    Bf16,
    /// IEEE binary32.
    F32,
    /// binary32 storage whose multiplier keeps 10 fraction bits.
    Hf32,
    /// 32-bit integer.
    S32,
    /// 16-bit integer.
    S16,
    /// 8-bit integer.
    S8,
    /// 4-bit integer, two a byte, the even element in the low nibble.
    S4,
    /// 32-bit unsigned: indices and offsets.
    U32,
}

impl Type {
    /// All types.
    pub const ALL: [Self; 9] =
        [Self::F16, Self::Bf16, Self::F32, Self::Hf32, Self::S32, Self::S16, Self::S8, Self::S4, Self::U32];

    /// Bits of one element.
    pub const fn bits(self) -> u32 {
        match self {
            Self::F32 | Self::Hf32 | Self::S32 | Self::U32 => 32,
            Self::F16 | Self::Bf16 | Self::S16 => 16,
            Self::S8 => 8,
            Self::S4 => 4,
        }
    }

    /// Bytes of `count` elements, rounded up to a whole byte.
    pub const fn bytes(self, count: u32) -> u32 {
        (count * self.bits()).div_ceil(8)
    }

    /// Elements in the 32-byte row of a fractal: the depth of one cube step.
    pub const fn fractal_depth(self) -> u32 {
        256 / self.bits()
    }

    /// Elements in the 256 bytes of one vector repeat.
    pub const fn lanes(self) -> u32 {
        2048 / self.bits()
    }

    /// Suffix of a mnemonic: `"bf16"`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::F32 => "f32",
            Self::Hf32 => "hf32",
            Self::S32 => "s32",
            Self::S16 => "s16",
            Self::S8 => "s8",
            Self::S4 => "s4",
            Self::U32 => "u32",
        }
    }

    /// What the cube accumulates products of this type in.
    #[must_use]
    pub const fn accumulator(self) -> Self {
        match self {
            Self::S8 | Self::S4 => Self::S32,
            _ => Self::F32,
        }
    }
}
