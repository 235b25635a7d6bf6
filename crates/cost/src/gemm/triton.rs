//! The configurations of Triton's fused expert kernel, as vLLM and SGLang choose them.

mod tuned;

use vitruvian_hardware::{Architecture, Chip};
use vitruvian_model::Scheme;
use vitruvian_model::operator::GroupedGemm;

use super::library::{H16, H32, H64, H128, SWIZZLED_ROW, Tile};

/// What the kernel runs with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Configuration {
    /// Tiles; the fastest of several where a file was tuned.
    pub(super) tiles: &'static [Tile],
    /// Row tiles that share weights: `GROUP_SIZE_M`.
    pub(super) group: f64,
    /// Bytes of depth of one stage: `BLOCK_SIZE_K` elements.
    pub(super) stage: f64,
}

/// `GROUP_SIZE_M` of one: the next row tile comes a whole matrix later.
const ALONE: f64 = 1.0;
/// What a tuned file is taken to do: it groups row tiles wherever that helps.
const SHARED: f64 = f64::INFINITY;

/// A tuned file names the fastest of many configurations by tokens; without one the release's default names one by tokens
/// alone. 16-bit experts on Hopper follow vLLM 0.24's `get_default_config`, on Ampere that of 0.14: the releases measured.
pub(super) fn configuration(chip: &Chip, op: &GroupedGemm) -> Configuration {
    let ampere = matches!(chip.architecture, Architecture::Ampere);
    let few = op.tokens <= op.local_experts;
    let of = |tiles, group, stage| Configuration { tiles, group, stage };
    match op.scheme {
        _ if tuned::has(chip, op) => of(TUNED, SHARED, SWIZZLED_ROW),
        Scheme::Fp8Block => by_block(op.tokens),
        Scheme::Bf16 | Scheme::Fp16 if ampere && few => of(&[(H16, 32)], ALONE, 128.0),
        Scheme::Bf16 | Scheme::Fp16 if ampere => of(&[(H64, 64)], 8.0, 64.0),
        Scheme::Bf16 | Scheme::Fp16 => by_tokens(op),
        _ if few => of(&[(H16, 32), (H16, 64), (H16, 128)], SHARED, SWIZZLED_ROW),
        _ => of(&[(H64, 64), (H64, 128), (H128, 64), (H128, 128), (H128, 256)], SHARED, SWIZZLED_ROW),
    }
}

/// What the tuning script searches, as far as tiles differ by it.
const TUNED: &[Tile] = &[
    (H16, 32),
    (H16, 64),
    (H16, 128),
    (H16, 256),
    (H32, 64),
    (H32, 128),
    (H64, 64),
    (H64, 128),
    (H64, 256),
    (H128, 64),
    (H128, 128),
    (H128, 256),
];

/// Weights with scales in blocks of 128 by 128 (`get_default_config`, block-wise).
const fn by_block(tokens: u32) -> Configuration {
    let tiles: &[Tile] = if tokens <= 64 { &[(H16, 128)] } else { &[(H64, 128)] };
    Configuration { tiles, group: if tokens <= 16 { ALONE } else { 32.0 }, stage: 128.0 }
}

/// `get_default_config` of vLLM 0.24 for 16-bit weights: sixteen row tiles share weights where tokens over experts exceed 128.
const fn by_tokens(op: &GroupedGemm) -> Configuration {
    let tiles: &[Tile] = match op.tokens {
        0..=32 => &[(H16, 64)],
        33..=64 => &[(H32, 64)],
        65..=96 => &[(H32, 128)],
        97..=512 => &[(H64, 128)],
        _ => &[(H128, 128)],
    };
    let group = if op.tokens / op.local_experts > 128 { 16.0 } else { ALONE };
    Configuration { tiles, group, stage: if op.tokens <= 64 { 256.0 } else { 128.0 } }
}

/// Elements to a multiple of which Triton specialises the strides of operands.
const SPECIALISED: u32 = 16;
/// How many times as long rows take whose length is no such multiple: nothing says that they are aligned, and the compiler
/// loads element by element, without asynchronous copies: 2 B a load instead of 16. Chosen with the residuals of three widths
/// of two models on H100 in view (88, 232 and 24 of BF16).
const ELEMENT_BY_ELEMENT: f64 = 8.0;

/// How many times as long operands take for want of alignment.
pub(super) const fn detour(op: &GroupedGemm) -> f64 {
    if op.k.is_multiple_of(SPECIALISED) { 1.0 } else { ELEMENT_BY_ELEMENT }
}
