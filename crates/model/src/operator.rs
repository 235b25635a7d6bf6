//! What must be computed: shapes, formats and sparsity, without a chip and without a time.
//!
//! Operators are small `Copy + Eq + Hash` values with integer fields, so that a cost can be remembered by operator.
//! Each knows its algorithmic FLOPs and its compulsory bytes: every input read once and every output written once.

mod attention;
mod collective;
mod ends;
mod gemm;
mod indexer;
mod linear;
mod vector;

use vitruvian_quantity::{Bytes, Flops};

pub use attention::{DecodeAttention, MlaDecode, PrefillAttention, capped_triangle};
pub use collective::{Collective, CollectiveKind, Group};
pub use ends::{Embedding, Sampling};
pub use gemm::{Gemm, GroupedGemm, Imbalance, Popularity};
pub use indexer::Indexer;
pub use linear::{LinearAttention, LinearKind};
pub use vector::{VectorKind, VectorOp};

/// One operator, as one rank executes it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// Dense matrix product.
    Gemm(Gemm),
    /// Products of many experts in one launch.
    GroupedGemm(GroupedGemm),
    /// Attention of new tokens over themselves and a cached prefix.
    PrefillAttention(PrefillAttention),
    /// Attention of a few query tokens per sequence over a KV cache.
    DecodeAttention(DecodeAttention),
    /// Weight-absorbed multi-head latent attention over a latent cache (decode, and sparse prefill).
    MlaDecode(MlaDecode),
    /// Scores that choose the keys of a sparse attention, and their top-k.
    Indexer(Indexer),
    /// Linear attention and state-space mixers.
    LinearAttention(LinearAttention),
    /// Work of the vector units: norms, activations, rotary embedding, quantisation, additions.
    Vector(VectorOp),
    /// Token embedding look-up.
    Embedding(Embedding),
    /// Choice of the next token from logits.
    Sampling(Sampling),
    /// Exchange between ranks. Costed by the network, not by a chip.
    Collective(Collective),
}

/// One line of a step: an operator, how often a rank runs it, and its name in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// Name in reports: `"qkv_proj"`, `"attention"`, `"experts_up"`.
    pub name: &'static str,
    /// What is computed.
    pub operator: Operator,
    /// How often one rank runs it in the step.
    pub count: u32,
}

impl Operator {
    /// Algorithmic operations; a multiply-add counts as two. None for collectives.
    pub fn flops(&self) -> Flops {
        match self {
            Self::Gemm(gemm) => gemm.flops(),
            Self::GroupedGemm(grouped) => grouped.flops(),
            Self::PrefillAttention(attention) => attention.flops(),
            Self::DecodeAttention(attention) => attention.flops(),
            Self::MlaDecode(attention) => attention.flops(),
            Self::Indexer(indexer) => indexer.flops(),
            Self::LinearAttention(linear) => linear.flops(),
            Self::Vector(vector) => vector.flops(),
            Self::Embedding(_) | Self::Collective(_) => Flops::ZERO,
            Self::Sampling(sampling) => sampling.flops(),
        }
    }

    /// Compulsory device-memory traffic. None for collectives.
    pub fn bytes(&self) -> Bytes {
        match self {
            Self::Gemm(gemm) => gemm.bytes(),
            Self::GroupedGemm(grouped) => grouped.bytes(),
            Self::PrefillAttention(attention) => attention.bytes(),
            Self::DecodeAttention(attention) => attention.bytes(),
            Self::MlaDecode(attention) => attention.bytes(),
            Self::Indexer(indexer) => indexer.bytes(),
            Self::LinearAttention(linear) => linear.bytes(),
            Self::Vector(vector) => vector.bytes(),
            Self::Embedding(embedding) => embedding.bytes(),
            Self::Sampling(sampling) => sampling.bytes(),
            Self::Collective(_) => Bytes::ZERO,
        }
    }
}
