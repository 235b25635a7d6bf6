//! The two ends of a model: embedding and sampling.

use vitruvian_quantity::{Bytes, Dtype, Flops};

/// Rows of an embedding table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Embedding {
    /// Tokens.
    pub tokens: u32,
    /// Width.
    pub hidden: u32,
    /// Stored format.
    pub dtype: Dtype,
}

/// Softmax and choice over `vocab` logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sampling {
    /// Rows: sequences that sample.
    pub rows: u32,
    /// Logits a row.
    pub vocab: u32,
}

/// Logits are fp32.
const LOGIT: f64 = 4.0;
/// Passes over the logits: maximum, softmax, choice.
const PASSES: f64 = 3.0;

impl Embedding {
    /// One row read and written a token.
    pub fn bytes(&self) -> Bytes {
        Bytes::new(2.0 * f64::from(self.tokens) * f64::from(self.hidden) * self.dtype.bytes())
    }
}

impl Sampling {
    /// One operation a logit and pass.
    pub fn flops(&self) -> Flops {
        Flops::new(PASSES * f64::from(self.rows) * f64::from(self.vocab))
    }

    /// The logits read once a pass.
    pub fn bytes(&self) -> Bytes {
        Bytes::new(PASSES * LOGIT * f64::from(self.rows) * f64::from(self.vocab))
    }
}
