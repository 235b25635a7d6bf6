//! Softmax attention with separate keys and values.

use super::cache::Cache;
use super::mla::IndexHeads;
use crate::layout::Layout;
use crate::operator::{Indexer, capped_triangle};
use crate::quant::QuantPlan;
use crate::weights::{Module, Split, Weight};

/// MHA, GQA or MQA, full or within a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attention {
    /// Query heads.
    pub heads: u32,
    /// Key-value heads.
    pub kv_heads: u32,
    /// Width of a query and key head.
    pub qk_dim: u32,
    /// Width of a value head.
    pub v_dim: u32,
    /// Elements of a head that are rotated; zero without rotary embedding.
    pub rope: u32,
    /// Tokens seen, the token itself included; zero for all.
    pub window: u32,
    /// Whether queries and keys pass a norm.
    pub qk_norm: bool,
    /// Whether the output is gated by a projection as wide as the queries.
    pub gate: bool,
    /// Whether values are the keys (Gemma 4's global layers): one projection, both cached.
    pub shared_kv: bool,
    /// Block-sparse choice of keys.
    pub sparse: Option<BlockSparse>,
    /// Parameters that are no matrices: biases, sinks, head norms.
    pub small: u32,
}

/// Attention to the blocks that a small index scores best (MiniMax-M3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockSparse {
    /// The index.
    pub index: IndexHeads,
    /// Tokens kept a query: blocks times block size, the local block included.
    pub kept: u32,
}

impl Attention {
    /// Full rotary attention without norms, biases or gate.
    pub fn plain(heads: u32, kv_heads: u32, head_dim: u32) -> Self {
        Self {
            heads,
            kv_heads,
            qk_dim: head_dim,
            v_dim: head_dim,
            rope: head_dim,
            window: 0,
            qk_norm: false,
            gate: false,
            shared_kv: false,
            sparse: None,
            small: 0,
        }
    }

    /// Columns of the query projection, gate included.
    pub fn q_width(&self) -> u64 {
        let gated = if self.gate { 2 } else { 1 };
        gated * u64::from(self.heads) * u64::from(self.qk_dim)
    }

    /// Columns of the key and value projections.
    pub fn kv_width(&self) -> u64 {
        u64::from(self.kv_heads) * u64::from(self.projected_kv())
    }

    /// Columns of the key and value projections of one key-value head.
    pub fn projected_kv(&self) -> u32 {
        if self.shared_kv { self.qk_dim } else { self.qk_dim + self.v_dim }
    }

    /// Keys that a query at the end of `context` tokens attends to.
    pub fn attended(&self, context: u32) -> u32 {
        let cap = self.cap();
        if cap == 0 { context } else { context.min(cap) }
    }

    /// Most keys a query attends to; zero for no limit.
    pub fn cap(&self) -> u32 {
        self.sparse.map_or(self.window, |sparse| sparse.kept)
    }

    /// `2·heads·(d_qk` + `d_v`) a pair, and the index scores of a block-sparse choice.
    pub(super) fn core_flops(&self, new: u32, cached: u32) -> f64 {
        let cap = if self.cap() == 0 { u64::MAX } else { self.cap().into() };
        let pairs = capped_triangle(new.into(), cached.into(), cap) as f64;
        let index = self.sparse.map_or(0.0, |sparse| sparse.index.score_flops(new, cached, sparse.kept));
        2.0 * f64::from(self.heads) * f64::from(self.qk_dim + self.v_dim) * pairs + index
    }

    pub(super) fn weights(&self, hidden: u32, visit: &mut dyn FnMut(Weight)) {
        let attention = Module::Attention;
        let out = u64::from(self.heads) * u64::from(self.v_dim);
        visit(Weight::matrix(attention, hidden, self.q_width(), Split::Tensor));
        visit(Weight::matrix(attention, hidden, self.kv_width(), Split::KvHeads(self.kv_heads)));
        visit(Weight::matrix(attention, hidden, out, Split::Tensor));
        if let Some(sparse) = self.sparse {
            visit(Weight::matrix(Module::Indexer, hidden, sparse.index.projected(), Split::Replicated));
        }
        visit(Weight::small(self.small.into()));
    }

    pub(super) fn caches(&self, plan: &QuantPlan, layout: Layout, visit: &mut dyn FnMut(Cache)) {
        let heads = f64::from(layout.heads_of(self.kv_heads));
        let bytes = heads * f64::from(self.qk_dim + self.v_dim) * plan.kv.bytes();
        visit(match self.window {
            0 => Cache::Growing { bytes, stride: 1 },
            tokens => Cache::Window { bytes, tokens },
        });
        if let Some(sparse) = self.sparse {
            visit(Cache::Growing { bytes: Indexer::entry_bytes(sparse.index.dim, plan.index), stride: 1 });
        }
    }
}
