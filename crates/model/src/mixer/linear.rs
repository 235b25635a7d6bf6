//! Mixers with a state of fixed size: Gated `DeltaNet`, Kimi Delta Attention, Mamba-2.

use super::cache::Cache;
use crate::layout::Layout;
use crate::operator::{LinearAttention, LinearKind};
use crate::quant::QuantPlan;
use crate::weights::{Module, Split, Weight};
use vitruvian_quantity::Dtype;

/// A recurrent mixer with its projections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Linear {
    /// Which recurrence.
    pub kind: LinearKind,
    /// Key heads, or groups of B and C.
    pub key_heads: u32,
    /// Value heads, or SSM heads.
    pub value_heads: u32,
    /// Width of a key head, or the SSM state size.
    pub key_dim: u32,
    /// Width of a value head.
    pub value_dim: u32,
    /// Taps of the short convolution.
    pub conv: u32,
    /// How the output gate is projected.
    pub gate: OutputGate,
    /// Format of the recurrent state.
    pub state: Dtype,
}

/// Projection of the output gate from the hidden state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutputGate {
    /// One matrix.
    Full,
    /// Two, through this rank.
    LowRank(u32),
}

impl Linear {
    /// All key (B, C group) heads together.
    pub fn keys(&self) -> u64 {
        u64::from(self.key_heads) * u64::from(self.key_dim)
    }

    /// All value heads together.
    pub fn values(&self) -> u64 {
        u64::from(self.value_heads) * u64::from(self.value_dim)
    }

    /// Columns of the fused input projection that are split by value heads: values, full gate, and scalars a head.
    ///
    /// Gated `DeltaNet`: β and decay; Mamba-2: Δt; KDA: β (its decay is a vector and goes through a low rank).
    pub fn value_columns(&self) -> u64 {
        let gate = if self.gate == OutputGate::Full { self.values() } else { 0 };
        let scalars = if self.kind == LinearKind::GatedDeltaNet { 2 } else { 1 };
        self.values() + gate + scalars * u64::from(self.value_heads)
    }

    /// Columns of the fused input projection that are split by key heads: queries and keys, or B and C.
    pub fn key_columns(&self) -> u64 {
        2 * self.keys()
    }

    /// Columns of the fused input projection that every rank computes: the ranks of decay and gate.
    pub fn rank_columns(&self) -> u32 {
        let decay = if self.kind == LinearKind::KimiDelta { self.key_dim } else { 0 };
        let gate = if let OutputGate::LowRank(rank) = self.gate { rank } else { 0 };
        decay + gate
    }

    pub(super) fn in_width(&self) -> u64 {
        self.value_columns() + self.key_columns() + u64::from(self.rank_columns())
    }

    pub(super) fn weights(&self, hidden: u32, visit: &mut dyn FnMut(Weight)) {
        let attention = Module::Attention;
        visit(Weight::matrix(attention, hidden, self.value_columns(), Split::Tensor));
        visit(Weight::matrix(attention, hidden, self.key_columns(), Split::KvHeads(self.key_heads)));
        if self.rank_columns() > 0 {
            visit(Weight::matrix(attention, hidden, self.rank_columns().into(), Split::Replicated));
            visit(Weight::matrix(attention, self.rank_columns(), self.values(), Split::Tensor));
        }
        visit(Weight::matrix(attention, hidden, self.values(), Split::Tensor));
        visit(Weight::small(self.small()));
    }

    /// Convolution taps (Mamba-2 with a bias), decay parameters of a head, and the output norm.
    fn small(&self) -> u64 {
        let channels = self.values() + self.key_columns();
        let heads = u64::from(self.value_heads);
        match self.kind {
            LinearKind::GatedDeltaNet => {
                channels * u64::from(self.conv) + 2 * heads + u64::from(self.value_dim)
            }
            LinearKind::KimiDelta => {
                channels * u64::from(self.conv) + heads + self.values() + u64::from(self.value_dim)
            }
            LinearKind::Mamba2 => channels * u64::from(self.conv + 1) + 3 * heads + self.values(),
        }
    }

    /// The recurrence of one rank over `batch` sequences of `new` tokens.
    pub fn operator(&self, plan: &QuantPlan, layout: Layout, batch: u32, new: u32) -> LinearAttention {
        LinearAttention {
            kind: self.kind,
            batch,
            new,
            key_heads: layout.heads_of(self.key_heads),
            value_heads: self.value_heads / layout.tp,
            key_dim: self.key_dim,
            value_dim: self.value_dim,
            conv: self.conv,
            dtype: plan.activation(),
            state: self.state,
        }
    }

    pub(super) fn core_flops(&self, new: u32) -> f64 {
        self.operator(&QuantPlan::BF16, Layout::ONE, 1, new).flops().get()
    }

    pub(super) fn cache(&self, plan: &QuantPlan, layout: Layout) -> Cache {
        Cache::State { bytes: self.operator(plan, layout, 1, 1).state_bytes() }
    }
}
