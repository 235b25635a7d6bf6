//! Types of stored elements.

use super::gguf::blocks::Block;
use crate::Grid;

/// The type of a tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 64-bit float.
    F64,
    /// 32-bit float.
    F32,
    /// A grid of 8 or 16 bits: BF16, FP16, E4M3, E5M2, INT8.
    Grid(Grid),
    /// Power of two, a biased exponent in 8 bits.
    E8m0,
    /// Unsigned byte.
    U8,
    /// 16-bit integer.
    I16,
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// One of GGUF's blocks.
    Block(Block),
}

impl Kind {
    /// The type of a safetensors name.
    pub(super) fn of_safetensors(name: &str) -> Option<Self> {
        Some(match name {
            "F64" => Self::F64,
            "F32" => Self::F32,
            "F16" => Self::Grid(Grid::Fp16),
            "BF16" => Self::Grid(Grid::Bf16),
            "F8_E4M3" => Self::Grid(Grid::E4m3),
            "F8_E5M2" => Self::Grid(Grid::E5m2),
            "F8_E8M0" => Self::E8m0,
            "I8" => Self::Grid(Grid::Int8),
            "U8" | "BOOL" => Self::U8,
            "I16" | "U16" => Self::I16,
            "I32" | "U32" => Self::I32,
            "I64" | "U64" => Self::I64,
            _ => return None,
        })
    }

    /// Its safetensors name; GGUF's blocks have none.
    pub const fn safetensors(self) -> Option<&'static str> {
        match self {
            Self::F64 => Some("F64"),
            Self::F32 => Some("F32"),
            Self::Grid(Grid::Fp16) => Some("F16"),
            Self::Grid(Grid::Bf16) => Some("BF16"),
            Self::Grid(Grid::E4m3) => Some("F8_E4M3"),
            Self::Grid(Grid::E5m2) => Some("F8_E5M2"),
            Self::Grid(Grid::Int8) => Some("I8"),
            Self::E8m0 => Some("F8_E8M0"),
            Self::U8 => Some("U8"),
            Self::I16 => Some("I16"),
            Self::I32 => Some("I32"),
            Self::I64 => Some("I64"),
            Self::Grid(_) | Self::Block(_) => None,
        }
    }

    /// Elements stored together, and the bytes they take.
    pub const fn block(self) -> (usize, usize) {
        match self {
            Self::F64 | Self::I64 => (1, 8),
            Self::F32 | Self::I32 => (1, 4),
            Self::I16 => (1, 2),
            Self::Grid(grid) => (1, grid.bits().div_ceil(8) as usize),
            Self::E8m0 | Self::U8 => (1, 1),
            Self::Block(block) => (block.elements(), block.bytes()),
        }
    }

    /// Bytes of so many elements, if they are whole blocks and can be counted.
    pub(super) fn bytes(self, elements: u64) -> Option<u64> {
        let (together, bytes) = self.block();
        let whole = elements.is_multiple_of(together as u64);
        whole.then(|| (elements / together as u64).checked_mul(bytes as u64)).flatten()
    }

    /// Whether a weight so stored has been quantised.
    pub const fn is_quantised(self) -> bool {
        match self {
            Self::F64 | Self::F32 | Self::I16 | Self::I64 => false,
            Self::Grid(grid) => grid.bits() < 16,
            Self::E8m0 | Self::U8 | Self::I32 | Self::Block(_) => true,
        }
    }
}
