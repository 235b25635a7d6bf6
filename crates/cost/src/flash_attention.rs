//! Keys of a tile in FlashAttention's kernels for Ampere, by the width of a head: shared by prefill and decode.

/// FlashAttention-2 over a cache in pages, which always takes its split kernel, with 64 queries a tile
/// (`flash_fwd_launch_template.h`, `run_mha_fwd_splitkv_dispatch`; recalled).
pub(crate) const fn paged_columns(dim: u32) -> u32 {
    match dim {
        0..=64 => 256,
        65..=128 => 128,
        _ => 64,
    }
}

/// FlashAttention-3 where keys are not split, with 128 queries a tile (`hopper/tile_size.h`, `tile_size_fwd_sm8x`; recalled).
pub(crate) const fn ampere_columns(dim: u32) -> u32 {
    match dim {
        0..=64 => 112,
        65..=192 => 64,
        _ => 96,
    }
}

/// The same where keys are split.
pub(crate) const fn ampere_split_columns(dim: u32) -> u32 {
    match dim {
        0..=64 => 80,
        65..=96 => 48,
        97..=128 => 112,
        _ => 64,
    }
}
