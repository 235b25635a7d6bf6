//! DeepSeek-V4's attention: a short window of tokens and a long past of compressed entries.
//!
//! One key head, also used as the value, serves all queries. A layer with ratio r keeps one entry every r tokens,
//! pooled by a learned gate; ratio 4 pools overlapping windows and attends to the `topk` entries an index chooses,
//! ratio 128 attends to all.

use super::cache::Cache;
use super::mla::IndexHeads;
use crate::operator::{Indexer, MlaDecode, capped_triangle};
use crate::quant::QuantPlan;
use crate::weights::{Module, Split, Weight};

/// Attention over a window and compressed entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Compressed {
    /// Query heads.
    pub heads: u32,
    /// Width of a head, and of the shared key-value.
    pub head_dim: u32,
    /// Elements of a head that are rotated.
    pub rope: u32,
    /// Width of the query latent.
    pub q_lora: u32,
    /// Groups of heads whose outputs share a low-rank projection.
    pub o_groups: u32,
    /// Rank of a group's output projection.
    pub o_lora: u32,
    /// Recent tokens kept uncompressed.
    pub window: u32,
    /// Tokens a compressed entry stands for; zero for a layer with the window only.
    pub ratio: u32,
    /// Choice among the entries; none to attend to all.
    pub index: Option<CompressedIndex>,
}

/// Choice among compressed entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CompressedIndex {
    /// The index.
    pub heads: IndexHeads,
    /// Entries kept a query.
    pub topk: u32,
}

impl Compressed {
    /// Copies of a pooled window: two where windows overlap (ratio 4).
    pub fn overlap(&self) -> u32 {
        if self.index.is_some() { 2 } else { 1 }
    }

    /// Columns of a compressor for entries of `dim`: content and gate.
    pub fn compressor(&self, dim: u32) -> u32 {
        2 * self.overlap() * dim
    }

    /// Compressed entries after `context` tokens.
    pub fn entries(&self, context: u32) -> u32 {
        context.checked_div(self.ratio).unwrap_or(0)
    }

    /// (query, key) pairs of `new` tokens after `cached`: those in the window, and those with compressed entries.
    ///
    /// Σ min(i, window) + Σ min(⌊i/r⌋, topk), the second taken as Σ min(i, r·topk) / r.
    pub fn pairs(&self, new: u32, cached: u32) -> u64 {
        let (s, p) = (u64::from(new), u64::from(cached));
        let recent = capped_triangle(s, p, self.window.into());
        let ratio = u64::from(self.ratio);
        let cap = self.index.map_or(u64::MAX, |index| ratio * u64::from(index.topk));
        recent + capped_triangle(s, p, cap).checked_div(ratio).unwrap_or(0)
    }

    /// The key is the value: `4·heads·head_dim` a pair; and the index scores over the entries.
    pub(super) fn core_flops(&self, new: u32, cached: u32) -> f64 {
        let index = self.index.map_or(0.0, |index| {
            let scores = index.heads.score_flops(new, cached, index.topk.saturating_mul(self.ratio));
            scores / f64::from(self.ratio)
        });
        4.0 * f64::from(self.heads) * f64::from(self.head_dim) * self.pairs(new, cached) as f64 + index
    }

    pub(super) fn weights(&self, hidden: u32, visit: &mut dyn FnMut(Weight)) {
        let attention = Module::Attention;
        let q = u64::from(self.heads) * u64::from(self.head_dim);
        let o = u64::from(self.o_groups) * u64::from(self.o_lora);
        visit(Weight::matrix(attention, hidden, u64::from(self.q_lora + self.head_dim), Split::Replicated));
        visit(Weight::matrix(attention, self.q_lora, q, Split::Tensor));
        // Each group: heads/groups · head_dim inputs, o_lora outputs.
        visit(Weight::matrix(attention, self.o_lora, q, Split::Tensor));
        visit(Weight::matrix(attention, hidden, o, Split::Tensor));
        visit(Weight::small(u64::from(self.q_lora + self.head_dim + self.heads)));
        if self.ratio > 0 {
            self.compressor_weights(Module::Attention, self.head_dim, hidden, visit);
        }
        if let Some(index) = self.index {
            self.index_weights(index, hidden, visit);
        }
    }

    /// Content and gate projections, the position table of a window, and a norm.
    fn compressor_weights(&self, module: Module, dim: u32, hidden: u32, visit: &mut dyn FnMut(Weight)) {
        visit(Weight::matrix(module, hidden, self.compressor(dim).into(), Split::Replicated));
        visit(Weight::small((u64::from(self.ratio) * u64::from(self.overlap()) + 1) * u64::from(dim)));
    }

    fn index_weights(&self, index: CompressedIndex, hidden: u32, visit: &mut dyn FnMut(Weight)) {
        let module = Module::Indexer;
        visit(Weight::matrix(module, self.q_lora, index.heads.q_width(), Split::Replicated));
        visit(Weight::matrix(module, hidden, index.heads.heads.into(), Split::Replicated));
        self.compressor_weights(module, index.heads.dim, hidden, visit);
    }

    /// Every rank keeps all of it: there is one key head.
    pub(super) fn caches(&self, plan: &QuantPlan, visit: &mut dyn FnMut(Cache)) {
        let bytes = MlaDecode::entry_bytes(self.head_dim - self.rope, self.rope, plan.kv);
        visit(Cache::Window { bytes, tokens: self.window });
        if self.ratio > 0 {
            visit(Cache::Growing { bytes, stride: self.ratio });
        }
        if let Some(index) = self.index {
            let bytes = Indexer::entry_bytes(index.heads.dim, plan.index);
            visit(Cache::Growing { bytes, stride: self.ratio });
        }
    }
}
