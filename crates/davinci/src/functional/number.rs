//! Elements as numbers. Every type here is exact in `f64`, and for + − · ÷ √ a result computed in `f64` and then rounded
//! equals one rounded once (53 ≥ 2·24 + 2 bits).

use half::{bf16, f16};

use crate::isa::Type;

/// The values of packed elements.
pub fn decode(ty: Type, bytes: &[u8]) -> Vec<f64> {
    match ty {
        Type::F16 => words(bytes).map(|bits| f16::from_bits(bits).to_f64()).collect(),
        Type::Bf16 => words(bytes).map(|bits| bf16::from_bits(bits).to_f64()).collect(),
        Type::S16 => words(bytes).map(|bits| f64::from(bits as i16)).collect(),
        Type::F32 | Type::Hf32 => doubles(bytes).map(|bits| f64::from(f32::from_bits(bits))).collect(),
        Type::S32 => doubles(bytes).map(|bits| f64::from(bits as i32)).collect(),
        Type::U32 => doubles(bytes).map(f64::from).collect(),
        Type::S8 => bytes.iter().map(|&byte| f64::from(byte as i8)).collect(),
        Type::S4 => bytes.iter().flat_map(|&byte| [nibble(byte & 15), nibble(byte >> 4)]).collect(),
    }
}

/// Packs values, rounding to nearest even and saturating integers.
pub fn encode(ty: Type, values: &[f64]) -> Vec<u8> {
    let integer = |value: f64, low: f64, high: f64| value.round_ties_even().clamp(low, high) as i64;
    match ty {
        Type::F16 => values.iter().flat_map(|&value| f16::from_f64(value).to_bits().to_le_bytes()).collect(),
        Type::Bf16 => {
            values.iter().flat_map(|&value| bf16::from_f64(value).to_bits().to_le_bytes()).collect()
        }
        Type::F32 | Type::Hf32 => {
            values.iter().flat_map(|&value| (value as f32).to_bits().to_le_bytes()).collect()
        }
        Type::S16 => {
            values.iter().flat_map(|&v| (integer(v, -32768.0, 32767.0) as i16).to_le_bytes()).collect()
        }
        Type::S32 => values.iter().flat_map(|&v| (integer(v, I32.0, I32.1) as i32).to_le_bytes()).collect(),
        Type::U32 => {
            values.iter().flat_map(|&v| (integer(v, 0.0, 4_294_967_295.0) as u32).to_le_bytes()).collect()
        }
        Type::S8 => values.iter().map(|&v| integer(v, -128.0, 127.0) as u8).collect(),
        Type::S4 => values
            .chunks(2)
            .map(|pair| pack(integer(pair[0], -8.0, 7.0), pair.get(1).map_or(0, |&v| integer(v, -8.0, 7.0))))
            .collect(),
    }
}

const I32: (f64, f64) = (-2_147_483_648.0, 2_147_483_647.0);

/// A value rounded to a type.
pub(super) fn round(ty: Type, value: f64) -> f64 {
    match ty {
        Type::F16 => f16::from_f64(value).to_f64(),
        Type::Bf16 => bf16::from_f64(value).to_f64(),
        Type::F32 | Type::Hf32 => f64::from(value as f32),
        _ => decode(ty, &encode(ty, &[value])).first().copied().unwrap_or(0.0),
    }
}

/// Operands of the cube as fp32: HF32 keeps 10 fraction bits, rounded to nearest even.
pub(super) fn operand(ty: Type, bytes: &[u8]) -> Vec<f32> {
    match ty {
        Type::Bf16 => words(bytes).map(|bits| f32::from_bits(u32::from(bits) << 16)).collect(),
        Type::F16 => words(bytes).map(|bits| f16::from_bits(bits).to_f32()).collect(),
        Type::Hf32 => doubles(bytes).map(|bits| f32::from_bits(to_hf32(bits))).collect(),
        _ => doubles(bytes).map(f32::from_bits).collect(),
    }
}

/// Operands of the cube as integers.
pub(super) fn integers(ty: Type, bytes: &[u8]) -> Vec<i32> {
    match ty {
        Type::S4 => {
            bytes.iter().flat_map(|&byte| [nibble(byte & 15) as i32, nibble(byte >> 4) as i32]).collect()
        }
        _ => bytes.iter().map(|&byte| i32::from(byte as i8)).collect(),
    }
}

fn to_hf32(bits: u32) -> u32 {
    const DROPPED: u32 = 13;
    let half = (1 << (DROPPED - 1)) - 1 + (bits >> DROPPED & 1);
    let finite = bits & 0x7f80_0000 != 0x7f80_0000;
    if finite { bits.wrapping_add(half) >> DROPPED << DROPPED } else { bits }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
}

fn doubles(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.chunks_exact(4).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
}

fn nibble(bits: u8) -> f64 {
    f64::from(((bits << 4) as i8) >> 4)
}

fn pack(low: i64, high: i64) -> u8 {
    (low as u8 & 15) | (high as u8) << 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_to_nearest_even() {
        // 1 + 2⁻⁸ lies half way between 1 and 1 + 2⁻⁷ in bfloat16: the even one is 1.
        assert_eq!(round(Type::Bf16, 1.0 + 2f64.powi(-8)), 1.0);
        assert_eq!(round(Type::Bf16, 1.0 + 3.0 * 2f64.powi(-8)), 1.0 + 2f64.powi(-6));
        assert_eq!(round(Type::F16, 2049.0), 2048.0);
    }

    #[test]
    fn integers_saturate() {
        assert_eq!(round(Type::S8, 200.0), 127.0);
        assert_eq!(round(Type::S8, -2.5), -2.0);
        assert_eq!(round(Type::S4, 9.0), 7.0);
    }

    #[test]
    fn four_bit_elements_pack_low_first() {
        assert_eq!(encode(Type::S4, &[1.0, -1.0]), vec![0xf1]);
        assert_eq!(decode(Type::S4, &[0xf1]), vec![1.0, -1.0]);
    }

    #[test]
    fn hf32_keeps_ten_bits() {
        let exact = f32::from_bits(0x3f80_2000); // 1 + 2⁻¹⁰
        let bytes: Vec<u8> = [exact, 1.0 + 2f32.powi(-12)].iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(operand(Type::Hf32, &bytes), vec![exact, 1.0]);
    }
}
