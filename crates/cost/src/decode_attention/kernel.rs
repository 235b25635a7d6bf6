//! Which library's kernel serves a decode step, and the tiles that it works in.

use vitruvian_hardware::Chip;
use vitruvian_hardware::chip::Architecture;
use vitruvian_model::operator::DecodeAttention;

use super::split::FEW_BLOCKS;
use super::{DecodeAttentionParameters, MOST_ROWS};
use crate::flash_attention;

/// A library's kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kernel {
    /// `FlashInfer`.
    FlashInfer,
    /// FlashAttention-2 over a cache in pages.
    FlashAttention2,
    /// FlashAttention-3, whose parts a scheduler on the chip deals out; it has kernels of its own for Ampere.
    FlashAttention3 {
        /// Whether it is the kernel of Hopper.
        hopper: bool,
    },
    /// That of a vendor, whose rules are not published.
    Vendor,
}

/// Rows of `mma.sync` m16, which takes keys as its other operand.
const MMA_ROWS: u32 = 16;
/// Rows in whose time a cube loads the keys: its 4096 multiply-adds a cycle take rows / 32 cycles for one key of 128 values, the
/// 128 B a cycle into its operand buffer (`paths.l1_l0b`) two.
const CUBE_ROWS: u32 = 64;
/// Keys of a block where no rule says otherwise.
const BLOCK: u32 = 128;

impl Kernel {
    /// The kernel that a profile describes.
    pub(super) fn of(chip: &Chip, parameters: &DecodeAttentionParameters) -> Self {
        if parameters.flashinfer > 0.5 {
            return Self::FlashInfer;
        }
        match chip.architecture {
            Architecture::Hopper => Self::FlashAttention3 { hopper: true },
            Architecture::Ampere | Architecture::Ada if parameters.flash_attention_3 > 0.5 => {
                Self::FlashAttention3 { hopper: false }
            }
            Architecture::Ampere | Architecture::Ada => Self::FlashAttention2,
            _ => Self::Vendor,
        }
    }

    /// Whether a cache is so short that FlashAttention-3 leaves it whole.
    pub(super) fn whole(self, op: &DecodeAttention) -> bool {
        f64::from(op.context.div_ceil(self.split_block(op.qk_dim))) <= FEW_BLOCKS
    }

    /// Keys of a block: the least that a part holds.
    pub(super) fn block(self, op: &DecodeAttention) -> u32 {
        match self {
            Self::FlashAttention3 { hopper: false } if self.whole(op) => {
                flash_attention::ampere_columns(op.qk_dim)
            }
            _ => self.split_block(op.qk_dim),
        }
    }

    fn split_block(self, dim: u32) -> u32 {
        match self {
            Self::FlashAttention2 => flash_attention::paged_columns(dim),
            Self::FlashAttention3 { hopper: false } => flash_attention::ampere_split_columns(dim),
            _ => BLOCK,
        }
    }

    /// Rows of a tile of queries, empty ones included: three warpgroups on narrow heads (`hopper/tile_size.h`).
    pub(super) fn rows(self, op: &DecodeAttention) -> u32 {
        if self == (Self::FlashAttention3 { hopper: true }) && op.qk_dim <= 64 { 192 } else { MOST_ROWS }
    }

    /// Rows of the least product with keys, empty ones included.
    pub(super) fn least_rows(self, chip: &Chip) -> u32 {
        if self == Self::Vendor && chip.vector.separate { CUBE_ROWS } else { MMA_ROWS }
    }

    /// Whether kernels besides bring the query heads of a group together.
    pub(super) fn regroups(self) -> bool {
        matches!(self, Self::FlashAttention2 | Self::Vendor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitruvian_quantity::Dtype;

    fn over(context: u32) -> DecodeAttention {
        let (compute, kv) = (Dtype::Bf16, Dtype::Bf16);
        DecodeAttention {
            batch: 1,
            queries: 1,
            context,
            heads: 8,
            kv_heads: 8,
            qk_dim: 128,
            v_dim: 128,
            window: 0,
            compute,
            kv,
        }
    }

    #[test]
    fn flash_attention_3_leaves_four_blocks_whole_on_ampere() {
        // 4 · 112 = 448 keys
        let kernel = Kernel::FlashAttention3 { hopper: false };
        assert_eq!((kernel.whole(&over(448)), kernel.block(&over(448))), (true, 64));
        assert_eq!((kernel.whole(&over(449)), kernel.block(&over(449))), (false, 112));
    }
}
