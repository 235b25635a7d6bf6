//! HiFloat8 (arXiv 2409.16626, table 1): a prefix says how many exponent bits follow, the mantissa has what is left.
//!
//! | prefix | exponent bits | exponents | mantissa bits |
//! | ------ | ------------- | --------- | ------------- |
//! | `11`   | 4             | ±8 … ±15  | 1             |
//! | `10`   | 3             | ±4 … ±7   | 2             |
//! | `01`   | 2             | ±2, ±3    | 3             |
//! | `001`  | 1             | ±1        | 3             |
//! | `0001` | 0             | 0         | 3             |
//! | `0000` | –             | 2^(M − 23), M = 1 … 7 | – |
//!
//! An exponent is a sign and a magnitude whose leading one is not written. Zero is code 0; no number is 0x80; 2¹⁵·1.5
//! stands for infinity. Rounding is to nearest, ties away from zero.

/// End of the numbers with three mantissa bits: 2³ exclusive, so 7.5.
pub(super) const PRECISE: f32 = 7.5;

const MAX: f32 = 32_768.0;
const NOT_A_NUMBER: u16 = 0x80;
const INFINITY: u16 = 0x6f;

/// Mantissa bits of the numbers of an exponent.
const fn mantissa_bits(exponent: i32) -> u32 {
    match exponent.unsigned_abs() {
        0..=3 => 3,
        4..=7 => 2,
        8..=15 => 1,
        _ => 0,
    }
}

/// The code of the nearest number; beyond the largest, the largest.
#[inline]
pub(super) fn encode(value: f32) -> u32 {
    let bits = value.abs().min(MAX).to_bits();
    let exponent = (bits >> 23) as usize;
    // Half a step on top, then the bits below the mantissa fall away: ties go away from zero.
    let rounded = (bits + HALF_STEP[exponent]) >> 20;
    let code = u32::from(CODES[rounded as usize]);
    if code == 0 { 0 } else { code | value.to_bits() >> 31 << 7 }
}

/// Half a step of the grid, in units of the last place of a 32-bit float, by its biased exponent.
const HALF_STEP: [u32; 256] = {
    let mut table = [0; 256];
    let mut biased = 0;
    while biased < 256 {
        // Between zero and the smallest number, 2⁻²², lies 2⁻²³: from there on all goes up.
        let exponent = biased as i32 - 127;
        table[biased] = if exponent == -23 { 1 << 23 } else { 1 << (22 - mantissa_bits(exponent)) };
        biased += 1;
    }
    table
};

/// Codes by the upper bits of a rounded magnitude: 8 of exponent and 3 of mantissa, of which those too many are cut off.
const CODES: [u8; 2048] = {
    let mut table = [0; 2048];
    let mut index = 0;
    while index < 2048 {
        table[index] = code_of(index as i32 / 8 - 127, index as u8 % 8);
        index += 1;
    }
    table
};

/// The code of 2^exponent·(1 + eighths / 8), cut off to the bits that the exponent leaves.
const fn code_of(exponent: i32, eighths: u8) -> u8 {
    let size = exponent.unsigned_abs() as u8;
    let negative = (exponent < 0) as u8;
    match exponent {
        0 => 0b0001 << 3 | eighths,
        -1 | 1 => 0b001 << 4 | negative << 3 | eighths,
        -3..=3 => 0b01 << 5 | negative << 4 | (size & 1) << 3 | eighths,
        -7..=7 => 0b10 << 5 | negative << 4 | (size & 3) << 2 | eighths >> 1,
        -15..=15 => 0b11 << 5 | negative << 4 | (size & 7) << 1 | eighths >> 2,
        -22..=-16 => (exponent + 23) as u8,
        _ => 0,
    }
}

/// The number of a code.
pub(super) fn decode(code: u16) -> f32 {
    let magnitude = match code & 0x7f {
        0 if code & 0xff == NOT_A_NUMBER => return f32::NAN,
        0 => return 0.0,
        INFINITY => f32::INFINITY,
        small @ 1..=7 => power(i32::from(small) - 23),
        other => decode_normal(other),
    };
    if code & 0x80 == 0 { magnitude } else { -magnitude }
}

fn decode_normal(code: u16) -> f32 {
    let exponent_bits = match code >> 3 {
        0b1 => 0,
        0b10 | 0b11 => 1,
        0b100..=0b111 => 2,
        0b1000..=0b1011 => 3,
        _ => 4,
    };
    let mantissa_bits = if exponent_bits < 3 { 3 } else { 5 - exponent_bits };
    let mantissa = f32::from(code & ((1 << mantissa_bits) - 1)) / f32::from(1u16 << mantissa_bits);
    let field = code >> mantissa_bits & ((1 << exponent_bits) - 1);
    power(exponent_of(field, exponent_bits)) * (1.0 + mantissa)
}

/// Sign and magnitude, the leading one of which is not written.
fn exponent_of(field: u16, bits: u16) -> i32 {
    if bits == 0 {
        return 0;
    }
    let one = 1 << (bits - 1);
    let size = i32::from(one | field & (one - 1));
    if field & one == 0 { size } else { -size }
}

fn power(exponent: i32) -> f32 {
    f32::from_bits(((exponent + 127) as u32) << 23)
}

#[cfg(test)]
mod tests {
    use super::{code_of, decode, encode};

    #[test]
    fn every_code_is_the_code_of_its_number() {
        for code in (0..256).filter(|code| ![0x6f, 0x80, 0xef].contains(code)) {
            assert_eq!(encode(decode(code)), u32::from(code), "{code:#x} = {}", decode(code));
        }
        assert_eq!(code_of(0, 0), 8);
    }

    fn round(value: f32) -> f32 {
        decode(encode(value) as u16)
    }

    #[test]
    fn ties_go_away_from_zero_and_small_numbers_vanish_below_half_the_smallest() {
        // 1.0625 lies between 1 and 1.125.
        assert_eq!(round(1.0625), 1.125);
        assert_eq!(round(-1.0625), -1.125);
        assert_eq!(round(2.0f32.powi(-23)), 2.0f32.powi(-22));
        assert_eq!(encode(-2.0f32.powi(-23) * 0.999), 0);
        assert_eq!(round(1e9), 32_768.0);
    }
}
