//! DeepSeek-V4's attention over a window and compressed entries.

use crate::mixer::{Compressed, CompressedIndex};
use crate::operator::{Indexer, MlaDecode, Operator, VectorKind};
use crate::weights::Module;

use super::attention::{gather_keys, join_parts};
use super::rank::Rank;

pub(super) fn run(rank: &mut Rank, shape: &Compressed, count: u32) {
    let heads = shape.heads / rank.layout.tp;
    let (tokens, hidden) = (rank.tokens, rank.model.hidden);
    let width = heads * shape.head_dim;
    rank.gemm("qkv_a_proj", Module::Attention, [tokens, shape.q_lora + shape.head_dim, hidden], count);
    rank.vector("latent_norm", VectorKind::Norm, tokens, shape.q_lora + shape.head_dim, count);
    rank.gemm("q_b_proj", Module::Attention, [tokens, width, shape.q_lora], count);
    rank.vector("rope", VectorKind::Rope, tokens.saturating_mul(heads + 1), shape.rope, count);
    rank.cache_write(shape.head_dim, count);
    if shape.ratio > 0 {
        compress(rank, shape, shape.head_dim, "compress", count);
    }
    if let Some(index) = shape.index {
        choose(rank, shape, index, count);
    }
    core(rank, shape, heads, count);
    output(rank, shape, width, count);
}

/// Content and gate of the entries to be, and their pooling: a softmax-weighted sum over each window.
fn compress(rank: &mut Rank, shape: &Compressed, dim: u32, name: &'static str, count: u32) {
    let columns = shape.compressor(dim);
    rank.gemm(name, Module::Attention, [rank.tokens, columns, rank.model.hidden], count);
    rank.vector("pool", VectorKind::Gate, rank.tokens, columns / 2, count);
}

fn choose(rank: &mut Rank, shape: &Compressed, index: CompressedIndex, count: u32) {
    let (heads, dim, topk, dtype) = (index.heads.heads, index.heads.dim, index.topk, rank.plan.index);
    let (tokens, hidden) = (rank.tokens, rank.model.hidden);
    rank.gemm("index_q_proj", Module::Indexer, [tokens, index.heads.q_width() as u32, shape.q_lora], count);
    rank.gemm("index_weights", Module::Indexer, [tokens, heads, hidden], count);
    compress(rank, shape, dim, "index_compress", count);
    let scores =
        |batch, new, cached| Operator::Indexer(Indexer { batch, new, cached, heads, dim, topk, dtype });
    if let Some(p) = rank.prefill.filter(|p| shape.entries(p.length()) > topk) {
        // Token i scores ⌊i/r⌋ entries: as many pairs as r sequences of s/r tokens after p/r have.
        let batch = p.sequences.saturating_mul(shape.ratio);
        let operator = scores(batch, p.new.div_ceil(shape.ratio), shape.entries(p.cached));
        rank.push("index_scores", operator, count);
    }
    if let Some(d) = rank.decode.filter(|d| shape.entries(d.length()) > topk) {
        rank.push("index_scores", scores(d.sequences, d.queries, shape.entries(d.length())), count);
    }
}

/// All heads share one key that is also the value: latent attention with the whole head as latent.
fn core(rank: &mut Rank, shape: &Compressed, heads: u32, count: u32) {
    let (compute, kv, latent) = (rank.plan.attend, rank.plan.kv, shape.head_dim);
    let operator = |batch, queries, context, attended| {
        Operator::MlaDecode(MlaDecode {
            batch,
            queries,
            context,
            attended,
            heads,
            latent,
            rope: 0,
            compute,
            kv,
        })
    };
    if let Some(p) = rank.prefill {
        let recent = p.length().min(shape.window.saturating_add(p.new));
        let context = recent.saturating_add(shape.entries(p.length()));
        let attended = shape.pairs(p.new, p.cached).div_ceil(p.new.into()).min(context.into()) as u32;
        rank.push("prefill_attention", operator(p.sequences, p.new, context, attended), count);
        gather_keys(rank, MlaDecode::entry_bytes(shape.head_dim, 0, kv), count);
    }
    if let Some(d) = rank.decode {
        let window = d.length().min(shape.window);
        let context = window + shape.entries(d.length());
        let attended = window + chosen(shape, shape.entries(d.length()));
        rank.push("decode_attention", operator(d.sequences, d.queries, context, attended), count);
        join_parts(rank, heads * shape.head_dim, count);
    }
}

fn chosen(shape: &Compressed, entries: u32) -> u32 {
    shape.index.map_or(entries, |index| entries.min(index.topk))
}

/// Outputs of a group of heads through its own low rank, then all groups to the hidden width.
fn output(rank: &mut Rank, shape: &Compressed, width: u32, count: u32) {
    let groups = rank.layout.heads_of(shape.o_groups);
    let scheme = rank.plan.scheme(Module::Attention);
    rank.batched("o_a_proj", scheme, groups, [rank.tokens, shape.o_lora, width / groups], count);
    rank.gemm("o_b_proj", Module::Attention, [rank.tokens, rank.model.hidden, groups * shape.o_lora], count);
}
