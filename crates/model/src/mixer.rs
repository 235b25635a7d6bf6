//! What mixes tokens in a layer. One file a mixer: its shape, its weights and its cache.

mod attention;
mod cache;
mod compressed;
mod linear;
mod mla;

use crate::weights::Weight;

pub use attention::{Attention, BlockSparse};
pub use cache::Cache;
pub use compressed::{Compressed, CompressedIndex};
pub use linear::{Linear, OutputGate};
pub use mla::{IndexHeads, Mla, SparseIndex};

use crate::layout::Layout;
use crate::quant::QuantPlan;

/// What mixes tokens in a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mixer {
    /// The layer has none.
    None,
    /// Softmax attention with separate keys and values: MHA, GQA or MQA.
    Attention(Attention),
    /// Multi-head latent attention, dense or with a sparse index.
    Mla(Mla),
    /// DeepSeek-V4's attention over a window and compressed entries.
    Compressed(Compressed),
    /// A recurrence with a state of fixed size.
    Linear(Linear),
}

impl Mixer {
    /// Visits its weights.
    pub fn weights(&self, hidden: u32, visit: &mut dyn FnMut(Weight)) {
        match self {
            Self::None => {}
            Self::Attention(attention) => attention.weights(hidden, visit),
            Self::Mla(mla) => mla.weights(hidden, visit),
            Self::Compressed(compressed) => compressed.weights(hidden, visit),
            Self::Linear(linear) => linear.weights(hidden, visit),
        }
    }

    /// Visits what one rank keeps of a sequence in one layer.
    pub fn caches(&self, plan: &QuantPlan, layout: Layout, visit: &mut dyn FnMut(Cache)) {
        match self {
            Self::None => {}
            Self::Attention(attention) => attention.caches(plan, layout, visit),
            Self::Mla(mla) => mla.caches(plan, visit),
            Self::Compressed(compressed) => compressed.caches(plan, visit),
            Self::Linear(linear) => visit(linear.cache(plan, layout)),
        }
    }

    /// Operations of one sequence's core for `new` tokens after `cached`: projections apart.
    pub fn core_flops(&self, new: u32, cached: u32) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Attention(attention) => attention.core_flops(new, cached),
            Self::Mla(mla) => mla.core_flops(new, cached),
            Self::Compressed(compressed) => compressed.core_flops(new, cached),
            Self::Linear(linear) => linear.core_flops(new),
        }
    }

    /// Widest projection output, for the check that shapes stay within 32 bits.
    pub(crate) fn widest(&self) -> u64 {
        match self {
            Self::None => 0,
            Self::Attention(attention) => attention.q_width() + attention.kv_width(),
            Self::Mla(mla) => u64::from(mla.heads) * u64::from(mla.nope + mla.rope + mla.v),
            Self::Compressed(compressed) => u64::from(compressed.heads) * u64::from(compressed.head_dim),
            Self::Linear(linear) => linear.in_width(),
        }
    }
}
