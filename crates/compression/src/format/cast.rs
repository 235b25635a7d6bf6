//! Casting a run of weights that share a scale: the inner loops, compiled for one grid each.
//!
//! Sixteen weights at a time in arrays of known length: what a compiler turns into vector instructions.

use super::{Grid, Scale};

const LANES: usize = 16;

/// Writes the codes of some weights, little-endian where they have two bytes.
pub(super) fn cast(grid: Grid, scale: Scale, weights: &[f32], codes: &mut [u8]) {
    let (step, zero) = (scale.scale, scale.zero);
    match grid {
        Grid::Int4 => bytes(weights, codes, |weight| Grid::Int4.code(weight / step + zero)),
        Grid::Int8 => bytes(weights, codes, |weight| Grid::Int8.code(weight / step + zero)),
        Grid::E4m3 => bytes(weights, codes, |weight| Grid::E4m3.code(weight / step)),
        Grid::E5m2 => bytes(weights, codes, |weight| Grid::E5m2.code(weight / step)),
        Grid::E2m1 => bytes(weights, codes, |weight| Grid::E2m1.code(weight / step)),
        Grid::Hif8 => bytes(weights, codes, |weight| Grid::Hif8.code(weight / step)),
        Grid::Bf16 => words(weights, codes, |weight| Grid::Bf16.code(weight / step)),
        Grid::Fp16 => words(weights, codes, |weight| Grid::Fp16.code(weight / step)),
    }
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "the closure must be known where the loop is compiled")]
fn bytes(weights: &[f32], codes: &mut [u8], code: impl Fn(f32) -> u32) {
    let (runs, rest) = weights.as_chunks::<LANES>();
    let (outs, last) = codes.as_chunks_mut::<LANES>();
    for (run, out) in runs.iter().zip(outs) {
        let mut wide = [0; LANES];
        for lane in 0..LANES {
            wide[lane] = code(run[lane]);
        }
        for lane in 0..LANES {
            out[lane] = wide[lane] as u8;
        }
    }
    for (weight, out) in rest.iter().zip(last) {
        *out = code(*weight) as u8;
    }
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "the closure must be known where the loop is compiled")]
fn words(weights: &[f32], codes: &mut [u8], code: impl Fn(f32) -> u32) {
    for (weight, out) in weights.iter().zip(codes.as_chunks_mut::<2>().0) {
        *out = (code(*weight) as u16).to_le_bytes();
    }
}

/// The largest magnitude of some weights.
pub(super) fn absmax(weights: &[f32]) -> f32 {
    let (runs, rest) = weights.as_chunks::<LANES>();
    let mut most = [0.0f32; LANES];
    for run in runs {
        for lane in 0..LANES {
            most[lane] = larger(run[lane].abs(), most[lane]);
        }
    }
    rest.iter().fold(fold(most, larger), |most, weight| larger(weight.abs(), most))
}

/// Smallest and largest of some weights and zero.
pub(super) fn range(weights: &[f32]) -> (f32, f32) {
    let (runs, rest) = weights.as_chunks::<LANES>();
    let (mut low, mut high) = ([0.0f32; LANES], [0.0f32; LANES]);
    for run in runs {
        for lane in 0..LANES {
            low[lane] = smaller(run[lane], low[lane]);
            high[lane] = larger(run[lane], high[lane]);
        }
    }
    rest.iter().fold((fold(low, smaller), fold(high, larger)), |(low, high), &weight| {
        (smaller(weight, low), larger(weight, high))
    })
}

/// Folds lanes in halves: log₂ of them steps instead of one a lane.
#[inline]
fn fold(mut lanes: [f32; LANES], choose: impl Fn(f32, f32) -> f32) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] = choose(lanes[lane], lanes[lane + width]);
        }
        width /= 2;
    }
    lanes[0]
}

#[inline]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[inline]
fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// Whether all weights are finite.
pub(super) fn finite(weights: &[f32]) -> bool {
    const EXPONENT: u32 = 0x7f80_0000;
    // A NaN or infinity has all exponent bits set; others stay below.
    let bad = |weight: &f32| u32::from(weight.to_bits() & EXPONENT == EXPONENT);
    weights.chunks(4096).all(|chunk| chunk.iter().fold(0, |found, weight| found | bad(weight)) == 0)
}
