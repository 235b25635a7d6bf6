//! Operator families: what shares one set of fitted parameters.

use std::fmt;
use std::str::FromStr;

use vitruvian_model::Operator;

use crate::parameters::{Parameter, Parameters};
use crate::precision::Precision;

/// Operators that share a cost function and its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// Dense matrix products.
    Gemm,
    /// Expert matrix products.
    GroupedGemm,
    /// Attention of new tokens.
    PrefillAttention,
    /// Attention over a KV cache.
    DecodeAttention,
    /// Weight-absorbed latent attention.
    MlaDecode,
    /// Index scores of sparse attention.
    Indexer,
    /// Linear attention and state-space mixers.
    LinearAttention,
    /// Vector work, embedding look-up and sampling.
    Vector,
}

impl Family {
    /// All families, in declaration order.
    pub const ALL: [Self; 8] = [
        Self::Gemm,
        Self::GroupedGemm,
        Self::PrefillAttention,
        Self::DecodeAttention,
        Self::MlaDecode,
        Self::Indexer,
        Self::LinearAttention,
        Self::Vector,
    ];

    /// The name used in profile files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gemm => "gemm",
            Self::GroupedGemm => "grouped-gemm",
            Self::PrefillAttention => "prefill-attention",
            Self::DecodeAttention => "decode-attention",
            Self::MlaDecode => "mla-decode",
            Self::Indexer => "indexer",
            Self::LinearAttention => "linear-attention",
            Self::Vector => "vector",
        }
    }

    /// Its parameters, in the order of a profile's values.
    pub const fn parameters(self) -> &'static [Parameter] {
        match self {
            Self::Gemm => crate::gemm::GemmParameters::LIST,
            Self::GroupedGemm => crate::grouped_gemm::GroupedGemmParameters::LIST,
            Self::PrefillAttention => crate::prefill_attention::PrefillAttentionParameters::LIST,
            Self::DecodeAttention => crate::decode_attention::DecodeAttentionParameters::LIST,
            Self::MlaDecode => crate::mla_decode::MlaDecodeParameters::LIST,
            Self::Indexer => crate::indexer::IndexerParameters::LIST,
            Self::LinearAttention => crate::linear_attention::LinearAttentionParameters::LIST,
            Self::Vector => crate::vector::VectorParameters::LIST,
        }
    }

    /// Whether its profiles are keyed by [`vitruvian_model::Scheme`] (weights are involved) rather than by number formats.
    pub const fn has_weights(self) -> bool {
        matches!(self, Self::Gemm | Self::GroupedGemm)
    }

    /// The family and precision whose profile answers for an operator; nothing for a collective.
    pub fn of(operator: &Operator) -> Option<(Self, Precision)> {
        Some(match operator {
            Operator::Gemm(op) => (Self::Gemm, Precision::Scheme(op.scheme)),
            Operator::GroupedGemm(op) => (Self::GroupedGemm, Precision::Scheme(op.scheme)),
            Operator::PrefillAttention(op) => (Self::PrefillAttention, Precision::formats(op.compute, op.kv)),
            Operator::DecodeAttention(op) => (Self::DecodeAttention, Precision::formats(op.compute, op.kv)),
            Operator::MlaDecode(op) => (Self::MlaDecode, Precision::formats(op.compute, op.kv)),
            Operator::Indexer(op) => (Self::Indexer, Precision::formats(op.dtype, op.dtype)),
            Operator::LinearAttention(op) => (Self::LinearAttention, Precision::formats(op.dtype, op.state)),
            Operator::Vector(_) | Operator::Embedding(_) | Operator::Sampling(_) => {
                (Self::Vector, Precision::VECTOR)
            }
            Operator::Collective(_) => return None,
        })
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Family {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|family| family.name() == text);
        found.ok_or_else(|| {
            format!("`{text}` is not an operator family: use one of {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}
