//! Random numbers by seed and purpose: ChaCha with twelve rounds, one stream a name.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of standard normal numbers.
#[derive(Debug)]
pub struct Normals {
    random: ChaCha12Rng,
}

impl Normals {
    /// The stream of a purpose: streams of different names do not overlap, so a new one moves no other.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        random.set_stream(fnv(purpose));
        Self { random }
    }

    /// The next number, by the polar form of Box and Muller's method.
    pub fn sample(&mut self) -> f64 {
        loop {
            let (x, y) = (self.uniform(), self.uniform());
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * square.ln() / square).sqrt();
            }
        }
    }

    /// Evenly in (−1, 1): 53 bits.
    fn uniform(&mut self) -> f64 {
        let bits = self.random.next_u64() >> 11;
        bits as f64 * (2.0 / (1_u64 << 53) as f64) - 1.0
    }
}

/// FNV-1a, 64 bit: a name becomes a stream's number.
fn fnv(name: &str) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_its_seed_and_name() {
        let first = |seed, name| Normals::new(seed, name).sample();
        assert_eq!(first(1, "die"), first(1, "die"));
        assert_ne!(first(1, "die"), first(1, "wafer"));
        assert_ne!(first(1, "die"), first(2, "die"));
    }

    #[test]
    fn numbers_are_standard_normal() {
        let mut stream = Normals::new(7, "moments");
        let numbers: Vec<f64> = (0..20_000).map(|_| stream.sample()).collect();
        let mean = numbers.iter().sum::<f64>() / 20_000.0;
        let variance = numbers.iter().map(|z| z * z).sum::<f64>() / 20_000.0;
        // Standard errors: 1/√20000 = 0.007 and √2/√20000 = 0.010.
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.04, "{mean} {variance}");
    }
}
