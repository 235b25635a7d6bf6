//! Which scheme each part of a model is stored and multiplied in.

mod names;
mod published;

use vitruvian_quantity::Dtype;

pub(crate) use published::{PublishedConfig, plan_of, read_hf_quant_config};

use crate::scheme::{Scheme, Sparsity};
use crate::weights::{Module, Weight};

/// A scheme for each class of modules, and the formats of what is cached and sent.
///
/// Router, norms, biases and vision tower are 16-bit in every plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QuantPlan {
    /// Projections of attention and linear mixers.
    pub attention: Scheme,
    /// Projections of a sparse attention's index.
    pub indexer: Scheme,
    /// Dense feed-forward layers.
    pub dense_ffn: Scheme,
    /// Routed experts.
    pub experts: Scheme,
    /// Shared experts.
    pub shared_experts: Scheme,
    /// Output projection.
    pub lm_head: Scheme,
    /// Embedding table.
    pub embedding: Scheme,
    /// Cached keys and values.
    pub kv: Dtype,
    /// Products of attention: queries with keys, weights with values.
    pub attend: Dtype,
    /// Cached index keys.
    pub index: Dtype,
    /// Tokens on their way to experts on other ranks; they come back in 16 bits.
    pub dispatch: Dtype,
    /// Structured sparsity of attention, feed-forward and expert weights.
    pub sparsity: Sparsity,
    /// Weights that share one scale in 4-bit integer schemes.
    pub group: u16,
}

impl QuantPlan {
    /// BF16 throughout.
    pub const BF16: Self = Self::uniform(Scheme::Bf16);

    /// One scheme for every linear layer; embedding, LM head, router, norms and KV cache stay 16-bit.
    pub const fn uniform(scheme: Scheme) -> Self {
        let plain = scheme.sixteen_bit();
        let exchanged = if scheme.activation().bits() == 16 { plain.weight() } else { eight_bit(scheme) };
        Self {
            attention: scheme,
            indexer: scheme,
            dense_ffn: scheme,
            experts: scheme,
            shared_experts: scheme,
            lm_head: plain,
            embedding: plain,
            kv: plain.weight(),
            attend: plain.weight(),
            index: exchanged,
            dispatch: exchanged,
            sparsity: Sparsity::Dense,
            group: 128,
        }
    }

    /// The same with keys and values cached in `kv`.
    #[must_use]
    pub const fn with_kv(self, kv: Dtype) -> Self {
        Self { kv, ..self }
    }

    /// The same with products of attention in `attend`.
    #[must_use]
    pub const fn with_attend(self, attend: Dtype) -> Self {
        Self { attend, ..self }
    }

    /// The same with sparse weights.
    #[must_use]
    pub const fn with_sparsity(self, sparsity: Sparsity) -> Self {
        Self { sparsity, ..self }
    }

    /// Format of activations between layers.
    pub const fn activation(&self) -> Dtype {
        self.embedding.sixteen_bit().weight()
    }

    /// Scheme of a class of modules.
    pub const fn scheme(&self, module: Module) -> Scheme {
        match module {
            Module::Attention => self.attention,
            Module::Indexer => self.indexer,
            Module::DenseFfn => self.dense_ffn,
            Module::Experts => self.experts,
            Module::SharedExperts => self.shared_experts,
            Module::LmHead => self.lm_head,
            Module::Embedding => self.embedding,
            Module::Router | Module::Small | Module::Vision => self.embedding.sixteen_bit(),
        }
    }

    /// Sparsity of a class of modules: the large matrices of the layers.
    pub const fn sparsity_of(&self, module: Module) -> Sparsity {
        match module {
            Module::Attention | Module::DenseFfn | Module::Experts | Module::SharedExperts => self.sparsity,
            _ => Sparsity::Dense,
        }
    }

    /// Bytes of all of a weight, scales and sparsity index included.
    pub fn bytes_of(&self, weight: &Weight) -> f64 {
        let scheme = self.scheme(weight.module);
        let sparsity = self.sparsity_of(weight.module);
        let each = match scheme {
            // A 16-bit scale a group.
            Scheme::W4A16 | Scheme::W4A8 => {
                sparsity.kept() * (0.5 + 2.0 / f64::from(self.group) + sparsity.index_bits() / 8.0)
            }
            other => other.stored_bytes(sparsity),
        };
        weight.parameters as f64 * each
    }
}

/// The 8-bit format in which a scheme sends activations.
const fn eight_bit(scheme: Scheme) -> Dtype {
    match scheme.activation() {
        Dtype::Int8 => Dtype::Int8,
        _ => Dtype::Fp8,
    }
}
