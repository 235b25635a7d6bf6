//! Casting a run of weights that share a scale: the inner loops, one a grid so that the compiler knows it.

use super::{Grid, Scale};

/// Appends the codes of some weights, little-endian where they have two bytes.
pub(super) fn cast(grid: Grid, scale: Scale, weights: &[f32], codes: &mut Vec<u8>) {
    match grid {
        Grid::Int4 => integers(scale, weights, codes, Grid::Int4),
        Grid::Int8 => integers(scale, weights, codes, Grid::Int8),
        Grid::E4m3 => bytes(weights, codes, |weight| Grid::E4m3.encode(weight / scale.scale)),
        Grid::E5m2 => bytes(weights, codes, |weight| Grid::E5m2.encode(weight / scale.scale)),
        Grid::E2m1 => bytes(weights, codes, |weight| Grid::E2m1.encode(weight / scale.scale)),
        Grid::Hif8 => bytes(weights, codes, |weight| Grid::Hif8.encode(weight / scale.scale)),
        Grid::Bf16 => words(weights, codes, |weight| Grid::Bf16.encode(weight / scale.scale)),
        Grid::Fp16 => words(weights, codes, |weight| Grid::Fp16.encode(weight / scale.scale)),
    }
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "the grid must be known where the loop is compiled")]
fn integers(scale: Scale, weights: &[f32], codes: &mut Vec<u8>, grid: Grid) {
    bytes(weights, codes, |weight| grid.encode(weight / scale.scale + scale.zero));
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "the closure must be known where the loop is compiled")]
fn bytes(weights: &[f32], codes: &mut Vec<u8>, code: impl Fn(f32) -> u16) {
    codes.extend(weights.iter().map(|&weight| code(weight) as u8));
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "the closure must be known where the loop is compiled")]
fn words(weights: &[f32], codes: &mut Vec<u8>, code: impl Fn(f32) -> u16) {
    for &weight in weights {
        codes.extend_from_slice(&code(weight).to_le_bytes());
    }
}

/// Smallest and largest of some weights and zero; not finite where one of them is not.
pub(super) fn range(weights: &[f32]) -> (f32, f32) {
    const LANES: usize = 16;
    let (mut low, mut high) = ([0.0f32; LANES], [0.0f32; LANES]);
    let chunks = weights.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for lane in 0..LANES {
            low[lane] = if chunk[lane] < low[lane] { chunk[lane] } else { low[lane] };
            high[lane] = if chunk[lane] > high[lane] { chunk[lane] } else { high[lane] };
        }
    }
    let fold = |(low, high): (f32, f32), &weight: &f32| (low.min(weight), high.max(weight));
    let (least, _) = low.iter().fold((0.0, 0.0), fold);
    let (_, most) = high.iter().fold((0.0, 0.0), fold);
    rest.iter().fold((least, most), fold)
}

/// Whether all weights are finite.
pub(super) fn finite(weights: &[f32]) -> bool {
    const EXPONENT: u32 = 0x7f80_0000;
    // A NaN or infinity has all exponent bits set; others stay below.
    weights.chunks(4096).all(|chunk| {
        chunk.iter().fold(0, |bad, weight| bad | u32::from(weight.to_bits() & EXPONENT == EXPONENT)) == 0
    })
}
