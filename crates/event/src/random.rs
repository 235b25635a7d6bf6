//! Named random streams: one a purpose, so that drawing more for one purpose moves no other.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Random numbers of one purpose. Named by algorithm: the same numbers on every machine and in every release.
pub type Stream = ChaCha8Rng;

/// The stream of a purpose under a seed.
///
/// ChaCha has 2⁶⁴ streams a key; the purpose's FNV-1a hash picks one.
pub fn stream(seed: u64, purpose: &str) -> Stream {
    let mut stream = ChaCha8Rng::seed_from_u64(seed);
    stream.set_stream(fnv1a(purpose));
    stream
}

/// A uniform number in [0, 1): the upper 53 bits of a draw.
pub fn uniform(stream: &mut Stream) -> f64 {
    (stream.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// A whole number below `bound`, zero for a bound of zero; the bias of 2⁻⁵³ is far below what is asked of it.
pub fn below(stream: &mut Stream, bound: usize) -> usize {
    ((uniform(stream) * bound as f64) as usize).min(bound.saturating_sub(1))
}

/// An exponential variate of mean one: −ln(1 − u).
pub fn exponential(stream: &mut Stream) -> f64 {
    -(-uniform(stream)).ln_1p()
}

fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_has_its_own_numbers_and_always_the_same() {
        let draws = |seed, purpose| -> Vec<f64> {
            let mut stream = stream(seed, purpose);
            (0..4).map(|_| uniform(&mut stream)).collect()
        };
        assert_eq!(draws(1, "arrivals"), draws(1, "arrivals"));
        assert_ne!(draws(1, "arrivals"), draws(1, "lengths"));
        assert_ne!(draws(1, "arrivals"), draws(2, "arrivals"));
    }

    #[test]
    fn exponentials_have_mean_one() {
        let mut stream = stream(7, "test");
        let n = 100_000;
        let mean = (0..n).map(|_| exponential(&mut stream)).sum::<f64>() / f64::from(n);
        // Standard error 1/√n = 0.0032.
        assert!((mean - 1.0).abs() < 0.013, "{mean}");
    }

    #[test]
    fn whole_numbers_stay_below_their_bound() {
        let mut stream = stream(7, "test");
        assert!((0..1000).all(|_| below(&mut stream, 3) < 3));
        assert_eq!(below(&mut stream, 0), 0);
    }
}
