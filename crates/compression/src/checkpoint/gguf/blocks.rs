//! GGUF's quantised blocks (`ggml/src/ggml-quants.c`).

use half::f16;

/// A kind of block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// 32 of 4 bits and a scale.
    Q4_0,
    /// 32 of 8 bits and a scale.
    Q8_0,
    /// 256 of 4 bits; eight 6-bit scales and minima of 32 each.
    Q4K,
    /// 256 of 6 bits; sixteen 8-bit scales of 16 each.
    Q6K,
}

impl Block {
    /// Weights in a block.
    pub const fn elements(self) -> usize {
        match self {
            Self::Q4_0 | Self::Q8_0 => 32,
            Self::Q4K | Self::Q6K => 256,
        }
    }

    /// Bytes of a block.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Q4_0 => 18,
            Self::Q8_0 => 34,
            Self::Q4K => 144,
            Self::Q6K => 210,
        }
    }

    /// Appends the weights of one block.
    pub(in crate::checkpoint) fn decode(self, block: &[u8], weights: &mut Vec<f32>) {
        match self {
            Self::Q4_0 => q4_0(block, weights),
            Self::Q8_0 => q8_0(block, weights),
            Self::Q4K => q4_k(block, weights),
            Self::Q6K => q6_k(block, weights),
        }
    }
}

fn half(block: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

/// `d·(q − 8)`: the low halves of 16 bytes, then the high ones.
fn q4_0(block: &[u8], weights: &mut Vec<f32>) {
    let d = half(block, 0);
    let weight = |nibble: u8| d * (f32::from(nibble) - 8.0);
    weights.extend(block[2..18].iter().map(|byte| weight(byte & 15)));
    weights.extend(block[2..18].iter().map(|byte| weight(byte >> 4)));
}

/// `d·q`.
fn q8_0(block: &[u8], weights: &mut Vec<f32>) {
    let d = half(block, 0);
    weights.extend(block[2..34].iter().map(|byte| d * f32::from(*byte as i8)));
}

/// `d·sc·q − dmin·m`, 64 weights a turn: the low halves of 32 bytes with one scale, the high ones with the next.
fn q4_k(block: &[u8], weights: &mut Vec<f32>) {
    let (d, dmin) = (half(block, 0), half(block, 2));
    let (packed, codes) = (&block[4..16], &block[16..144]);
    for (turn, bytes) in codes.chunks_exact(32).enumerate() {
        for (shift, index) in [(0, 2 * turn), (4, 2 * turn + 1)] {
            let (scale, minimum) = scale_and_minimum(packed, index);
            let (step, offset) = (d * f32::from(scale), dmin * f32::from(minimum));
            weights.extend(bytes.iter().map(|byte| step * f32::from(byte >> shift & 15) - offset));
        }
    }
}

/// The 6-bit pair of an index out of 12 bytes: `get_scale_min_k4`.
fn scale_and_minimum(packed: &[u8], index: usize) -> (u8, u8) {
    if index < 4 {
        return (packed[index] & 63, packed[index + 4] & 63);
    }
    let scale = packed[index + 4] & 15 | packed[index - 4] >> 6 << 4;
    let minimum = packed[index + 4] >> 4 | packed[index] >> 6 << 4;
    (scale, minimum)
}

/// `d·sc·(q − 32)`: 4 low bits of 64 bytes and 2 high bits of 32 make 128 weights.
fn q6_k(block: &[u8], weights: &mut Vec<f32>) {
    let (low, high, scales, d) = (&block[..128], &block[128..192], &block[192..208], half(block, 208));
    for turn in 0..2 {
        let (low, high, scales) = (&low[64 * turn..], &high[32 * turn..], &scales[8 * turn..]);
        for quarter in 0..4 {
            for at in 0..32 {
                let four = low[at + 32 * (quarter % 2)] >> (4 * (quarter / 2)) & 15;
                let two = high[at] >> (2 * quarter) & 3;
                let scale = f32::from(scales[at / 16 + 2 * quarter] as i8);
                weights.push(d * scale * (f32::from(four | two << 4) - 32.0));
            }
        }
    }
}
