//! Multi-head latent attention (arXiv 2405.04434), dense or with `DeepSeek`'s sparse index (DeepSeek-V3.2).

use super::cache::Cache;
use crate::operator::{Indexer, MlaDecode, capped_triangle};
use crate::quant::QuantPlan;
use crate::weights::{Module, Split, Weight};

/// Multi-head latent attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mla {
    /// Query heads.
    pub heads: u32,
    /// Width of the query latent; zero where queries are projected at once.
    pub q_lora: u32,
    /// Width of the key-value latent.
    pub kv_lora: u32,
    /// Width of a head without rotation.
    pub nope: u32,
    /// Width of the shared rotary key.
    pub rope: u32,
    /// Width of a value head.
    pub v: u32,
    /// Whether the output is gated by a projection as wide as the values (Kimi K3).
    pub gate: bool,
    /// Sparse choice of keys.
    pub sparse: Option<SparseIndex>,
}

/// Attention to the `topk` keys that an index scores best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SparseIndex {
    /// Keys kept a query.
    pub topk: u32,
    /// The layer's own index; none where it reuses the choice of an earlier layer.
    pub index: Option<IndexHeads>,
}

/// Heads of an index: many queries, one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IndexHeads {
    /// Index heads.
    pub heads: u32,
    /// Width of an index head.
    pub dim: u32,
}

impl IndexHeads {
    /// Columns of the index queries.
    pub fn q_width(self) -> u64 {
        u64::from(self.heads) * u64::from(self.dim)
    }

    /// 2·heads·dim for every earlier token, unless all of them are kept anyway.
    pub(super) fn score_flops(self, new: u32, cached: u32, kept: u32) -> f64 {
        let needed = new.saturating_add(cached) > kept;
        let pairs = if needed { capped_triangle(new.into(), cached.into(), u64::MAX) } else { 0 };
        2.0 * f64::from(self.heads) * f64::from(self.dim) * pairs as f64
    }

    /// Columns of queries and key, where both come from the hidden state.
    pub fn projected(self) -> u64 {
        self.q_width() + u64::from(self.dim)
    }
}

impl Mla {
    /// Columns of the query projection.
    pub fn q_width(&self) -> u64 {
        u64::from(self.heads) * u64::from(self.nope + self.rope)
    }

    /// 2·heads·(nope + rope + v) a pair, and the index scores.
    pub(super) fn core_flops(&self, new: u32, cached: u32) -> f64 {
        let cap = self.sparse.map_or(u64::MAX, |sparse| sparse.topk.into());
        let pairs = capped_triangle(new.into(), cached.into(), cap) as f64;
        let index = self.sparse.and_then(|sparse| Some(sparse.index?.score_flops(new, cached, sparse.topk)));
        2.0 * f64::from(self.heads) * f64::from(self.nope + self.rope + self.v) * pairs + index.unwrap_or(0.0)
    }

    pub(super) fn weights(&self, hidden: u32, visit: &mut dyn FnMut(Weight)) {
        let attention = Module::Attention;
        let heads = u64::from(self.heads);
        let v_width = heads * u64::from(self.v);
        let up = heads * u64::from(self.nope + self.v);
        if self.q_lora == 0 {
            visit(Weight::matrix(attention, hidden, self.q_width(), Split::Tensor));
        } else {
            visit(Weight::matrix(attention, hidden, self.q_lora.into(), Split::Replicated));
            visit(Weight::matrix(attention, self.q_lora, self.q_width(), Split::Tensor));
        }
        visit(Weight::matrix(attention, hidden, u64::from(self.kv_lora + self.rope), Split::Replicated));
        visit(Weight::matrix(attention, self.kv_lora, up, Split::Tensor));
        visit(Weight::matrix(attention, hidden, v_width, Split::Tensor));
        if self.gate {
            visit(Weight::matrix(attention, hidden, v_width, Split::Tensor));
        }
        visit(Weight::small(u64::from(self.q_lora) + u64::from(self.kv_lora)));
        if let Some(index) = self.sparse.and_then(|sparse| sparse.index) {
            self.index_weights(index, hidden, visit);
        }
    }

    /// Index queries from the query latent; key and head weights from the hidden state; `LayerNorm` of the key.
    fn index_weights(&self, index: IndexHeads, hidden: u32, visit: &mut dyn FnMut(Weight)) {
        let from_hidden = u64::from(index.dim + index.heads);
        visit(Weight::matrix(Module::Indexer, self.q_lora, index.q_width(), Split::Replicated));
        visit(Weight::matrix(Module::Indexer, hidden, from_hidden, Split::Replicated));
        visit(Weight::small(2 * u64::from(index.dim)));
    }

    /// One latent a token on every rank: TP does not shard it.
    pub(super) fn caches(&self, plan: &QuantPlan, visit: &mut dyn FnMut(Cache)) {
        visit(Cache::Growing { bytes: MlaDecode::entry_bytes(self.kv_lora, self.rope, plan.kv), stride: 1 });
        if let Some(index) = self.sparse.and_then(|sparse| sparse.index) {
            visit(Cache::Growing { bytes: Indexer::entry_bytes(index.dim, plan.index), stride: 1 });
        }
    }
}
