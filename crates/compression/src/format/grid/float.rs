//! Small IEEE-like floats: sign, `E` exponent bits, `M` mantissa bits, ties to even.

/// The code of the nearest number whose magnitude is at most `max`.
///
/// Both branches are computed and one is chosen, so that the compiler can do several numbers at once.
#[inline]
pub(in crate::format) fn encode<const E: u32, const M: u32>(value: f32, max: f32) -> u32 {
    let bias = (1 << (E - 1)) - 1;
    let sign = (value.to_bits() >> 31) << (E + M);
    let magnitude = if value.abs() > max { max } else { value.abs() };
    let bits = magnitude.to_bits();
    // Normal numbers: round away 23 − M bits of mantissa, then move the exponent's bias.
    let shift = 23 - M;
    let odd = (bits >> shift) & 1;
    let half = (1 << (shift - 1)) - 1;
    let normal = ((bits + half + odd) >> shift).wrapping_sub((127 - bias) << M);
    // Subnormal numbers are multiples of 2^(1 − bias − M): adding 2²³ of those steps rounds to a whole number of them.
    let steps = f32::from_bits((151 - bias - M) << 23);
    let subnormal = (magnitude + steps).to_bits().wrapping_sub(steps.to_bits());
    let smallest_normal = f32::from_bits((128 - bias) << 23);
    let code = if E == 8 || magnitude >= smallest_normal { normal } else { subnormal };
    code | sign
}

/// The number of a code, in a format that has neither infinities nor codes that are no number.
pub(super) fn decode<const E: u32, const M: u32>(code: u16) -> f32 {
    let bias = (1 << (E - 1)) - 1;
    let code = u32::from(code);
    let (exponent, mantissa) = ((code >> M) & ((1 << E) - 1), code & ((1 << M) - 1));
    let magnitude = if exponent == 0 {
        mantissa as f32 * f32::from_bits((128 - bias - M) << 23)
    } else {
        f32::from_bits(((exponent + 127 - bias) << 23) | (mantissa << (23 - M)))
    };
    if code >> (E + M) & 1 == 1 { -magnitude } else { magnitude }
}

/// The number of a code, where the largest exponent is that of infinities and of what is no number.
pub(super) fn decode_ieee<const E: u32, const M: u32>(code: u16) -> f32 {
    let largest = (1 << E) - 1;
    if (code >> M) & largest != largest {
        return decode::<E, M>(code);
    }
    let sign = if code >> (E + M) & 1 == 1 { -1.0 } else { 1.0 };
    if code & ((1 << M) - 1) == 0 { sign * f32::INFINITY } else { f32::NAN }
}
