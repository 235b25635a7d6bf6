//! The index of a sparse attention.

use vitruvian_quantity::{Bytes, Dtype, Flops};

use super::attention::capped_triangle;

/// Index scores of a sparse attention and the choice of the `topk` best keys per query (DeepSeek-V3.2 DSA).
///
/// FLOP per (query, key) pair: 2·heads·dim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Indexer {
    /// Sequences.
    pub batch: u32,
    /// New tokens (queries) per sequence.
    pub new: u32,
    /// Tokens already cached per sequence, in index entries (after any compression).
    pub cached: u32,
    /// Index heads.
    pub heads: u32,
    /// Width of an index head.
    pub dim: u32,
    /// Keys kept per query.
    pub topk: u32,
    /// Format of the index keys and products.
    pub dtype: Dtype,
}

/// A score is written and read back by the selection, in fp32.
const SCORE: f64 = 8.0;

impl Indexer {
    /// (query, key) pairs over the batch, causal.
    pub fn pairs(&self) -> u64 {
        let one = capped_triangle(self.new.into(), self.cached.into(), u64::MAX);
        one.saturating_mul(self.batch.into())
    }

    /// 2·heads·dim a pair.
    pub fn flops(&self) -> Flops {
        Flops::new(2.0 * f64::from(self.heads) * f64::from(self.dim) * self.pairs() as f64)
    }

    /// Index keys and queries read; scores written and read by the selection.
    pub fn bytes(&self) -> Bytes {
        let keys = (f64::from(self.cached) + f64::from(self.new)) * Self::entry_bytes(self.dim, self.dtype);
        let queries = f64::from(self.new) * f64::from(self.heads) * f64::from(self.dim) * self.dtype.bytes();
        Bytes::new(f64::from(self.batch) * (keys + queries) + SCORE * self.pairs() as f64)
    }

    /// Bytes of one cached index key: an 8-bit key carries one fp32 scale.
    pub fn entry_bytes(dim: u32, dtype: Dtype) -> f64 {
        let scale = if dtype.bits() == 8 { 4.0 } else { 0.0 };
        f64::from(dim) * dtype.bytes() + scale
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_of_v3_2_is_16384_flop() {
        let indexer =
            Indexer { batch: 1, new: 1, cached: 9, heads: 64, dim: 128, topk: 4, dtype: Dtype::Fp8 };
        // 2·64·128 for each of 10 keys; a key is 128 B and its scale 4 B.
        assert_eq!(indexer.flops().get(), 163_840.0);
        assert_eq!(Indexer::entry_bytes(128, Dtype::Fp8), 132.0);
    }
}
