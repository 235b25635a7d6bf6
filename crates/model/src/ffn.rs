//! Feed-forward layers, dense and of experts.

use crate::weights::{Module, Split, Weight};

/// What follows the mixer in a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ffn {
    /// The layer has none.
    None,
    /// Every token through one feed-forward layer.
    Dense(Dense),
    /// Every token through a few of many.
    Moe(Moe),
}

/// A dense feed-forward layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dense {
    /// Inner width.
    pub width: u32,
    /// How the inner values are made.
    pub activation: Activation,
}

/// How a feed-forward layer makes its inner values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// Product of a gate and an up projection (`SwiGLU`, `GeGLU`).
    Gated,
    /// Function of one projection (GELU, squared `ReLU`).
    Plain,
}

/// A layer of experts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Moe {
    /// Routed experts.
    pub experts: u32,
    /// Experts a token is sent to.
    pub topk: u32,
    /// Inner width of an expert.
    pub width: u32,
    /// How an expert makes its inner values.
    pub activation: Activation,
    /// Width at which routed experts work, where a projection leads there and back; zero for the hidden width.
    pub latent: u32,
    /// Inner width of all shared experts together, or of a dense layer beside the experts; zero for none.
    pub shared: u32,
    /// Whether the shared experts' output is scaled by a gate.
    pub shared_gate: bool,
    /// Whether the router adds a bias to its scores.
    pub router_bias: bool,
    /// Whether each expert's projections carry biases.
    pub bias: bool,
}

impl Activation {
    /// Columns of the first projection, in inner widths.
    pub const fn projections(self) -> u32 {
        match self {
            Self::Gated => 2,
            Self::Plain => 1,
        }
    }

    /// Matrices of a layer.
    const fn matrices(self) -> u64 {
        self.projections() as u64 + 1
    }
}

impl Moe {
    /// Gated experts without shared ones.
    pub fn plain(experts: u32, topk: u32, width: u32) -> Self {
        Self {
            experts,
            topk,
            width,
            activation: Activation::Gated,
            latent: 0,
            shared: 0,
            shared_gate: false,
            router_bias: false,
            bias: false,
        }
    }

    /// Width at which routed experts work.
    pub fn expert_hidden(&self, hidden: u32) -> u32 {
        if self.latent == 0 { hidden } else { self.latent }
    }

    fn weights(&self, hidden: u32, visit: &mut dyn FnMut(Weight)) {
        let matrices = self.activation.matrices();
        visit(Weight::matrix(Module::Router, hidden, self.experts.into(), Split::Replicated));
        visit(self.routed(hidden));
        if self.latent > 0 {
            visit(Weight::matrix(
                Module::SharedExperts,
                hidden,
                2 * u64::from(self.latent),
                Split::Replicated,
            ));
        }
        if self.shared > 0 {
            let columns = matrices * u64::from(self.shared);
            visit(Weight::matrix(Module::SharedExperts, hidden, columns, Split::Shared));
        }
        let gate = u64::from(self.shared_gate) * u64::from(hidden);
        visit(Weight::small(gate + u64::from(self.router_bias) * u64::from(self.experts)));
    }

    fn routed(&self, hidden: u32) -> Weight {
        let inputs = u128::from(self.expert_hidden(hidden));
        let inner = u128::from(self.activation.projections()) * u128::from(self.width);
        let biases = if self.bias { inner + inputs } else { 0 };
        let one = inputs * (inner + u128::from(self.width)) + biases;
        Weight {
            module: Module::Experts,
            parameters: one * u128::from(self.experts),
            active: one * u128::from(self.topk),
            split: Split::Experts,
        }
    }
}

impl Ffn {
    /// Visits its weights.
    pub fn weights(&self, hidden: u32, visit: &mut dyn FnMut(Weight)) {
        match self {
            Self::None => {}
            Self::Dense(dense) => {
                let columns = dense.activation.matrices() * u64::from(dense.width);
                visit(Weight::matrix(Module::DenseFfn, hidden, columns, Split::Tensor));
            }
            Self::Moe(moe) => moe.weights(hidden, visit),
        }
    }

    /// Widest projection output, for the check that shapes stay within 32 bits.
    pub(crate) fn widest(&self) -> u64 {
        match self {
            Self::None => 0,
            Self::Dense(dense) => 2 * u64::from(dense.width),
            Self::Moe(moe) => 2 * u64::from(moe.width.max(moe.shared)),
        }
    }
}
