//! Weights as a list: the one place from which parameter counts and memory are taken.

use crate::layout::Layout;

/// What a weight belongs to; a quantisation plan gives each module a scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Module {
    /// Token embedding table.
    Embedding,
    /// Projections of attention, latent attention and linear mixers.
    Attention,
    /// Projections of a sparse attention's index.
    Indexer,
    /// Dense feed-forward layers.
    DenseFfn,
    /// Routed experts.
    Experts,
    /// Shared experts, and a dense layer beside the experts.
    SharedExperts,
    /// Router. Always 16-bit.
    Router,
    /// Norms, biases, sinks, convolutions and other small vectors. Always 16-bit.
    Small,
    /// Output projection to the vocabulary.
    LmHead,
    /// Vision tower and projector. Always 16-bit.
    Vision,
}

/// How a weight is spread over the ranks of a replica's stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// Every rank holds all of it.
    Replicated,
    /// TP ranks hold equal shares.
    Tensor,
    /// TP ranks hold whole key-value heads, replicated once there are more ranks than heads.
    KvHeads(u32),
    /// Every rank of the expert layer holds an equal share.
    Experts,
    /// A TP share, or all of it where ranks hold different tokens.
    Shared,
}

/// A weight matrix or a stack of equal ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Weight {
    /// What it belongs to.
    pub module: Module,
    /// Parameters.
    pub parameters: u128,
    /// Of which one token uses this many (fewer for routed experts).
    pub active: u128,
    /// How it is spread.
    pub split: Split,
}

impl Module {
    /// All modules, in declaration order.
    pub const ALL: [Self; 10] = [
        Self::Embedding,
        Self::Attention,
        Self::Indexer,
        Self::DenseFfn,
        Self::Experts,
        Self::SharedExperts,
        Self::Router,
        Self::Small,
        Self::LmHead,
        Self::Vision,
    ];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Embedding => "embedding",
            Self::Attention => "attention",
            Self::Indexer => "indexer",
            Self::DenseFfn => "dense FFN",
            Self::Experts => "routed experts",
            Self::SharedExperts => "shared experts",
            Self::Router => "router",
            Self::Small => "norms and biases",
            Self::LmHead => "LM head",
            Self::Vision => "vision tower",
        }
    }
}

impl Split {
    /// Share of the weight that one rank holds.
    pub fn share(self, layout: Layout) -> f64 {
        match self {
            Self::Replicated => 1.0,
            Self::Tensor => 1.0 / f64::from(layout.tp),
            Self::KvHeads(heads) => f64::from(layout.heads_of(heads)) / f64::from(heads),
            Self::Experts => 1.0 / f64::from(layout.expert_ranks()),
            Self::Shared => 1.0 / f64::from(layout.shared_tp()),
        }
    }
}

impl Weight {
    /// A matrix `inputs` × `outputs` that every token uses.
    pub fn matrix(module: Module, inputs: u32, outputs: u64, split: Split) -> Self {
        let parameters = u128::from(inputs) * u128::from(outputs);
        Self { module, parameters, active: parameters, split }
    }

    /// Small vectors, on every rank.
    pub fn small(parameters: u64) -> Self {
        Self {
            module: Module::Small,
            parameters: parameters.into(),
            active: parameters.into(),
            split: Split::Replicated,
        }
    }
}
