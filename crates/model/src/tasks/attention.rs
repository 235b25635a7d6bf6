//! Softmax attention with separate keys and values: projection, rotation, cache, core, output.

use crate::mixer::Attention;
use crate::operator::{CollectiveKind, DecodeAttention, Indexer, Operator, PrefillAttention, VectorKind};
use crate::weights::Module;

use super::rank::Rank;

pub(super) fn run(rank: &mut Rank, shape: &Attention, count: u32) {
    let (heads, kv_heads) = (shape.heads / rank.layout.tp, rank.layout.heads_of(shape.kv_heads));
    let (tokens, hidden) = (rank.tokens, rank.model.hidden);
    let columns = rank.share(shape.q_width()) + kv_heads * shape.projected_kv();
    rank.gemm("qkv_proj", Module::Attention, [tokens, columns, hidden], count);
    let rows = tokens.saturating_mul(heads + kv_heads);
    if shape.qk_norm {
        rank.vector("qk_norm", VectorKind::Norm, rows, shape.qk_dim, count);
    }
    if shape.rope > 0 {
        rank.vector("rope", VectorKind::Rope, rows, shape.rope, count);
    }
    rank.cache_write(kv_heads * (shape.qk_dim + shape.v_dim), count);
    index(rank, shape, count);
    core(rank, shape, [heads, kv_heads], count);
    if shape.gate {
        rank.vector("attention_gate", VectorKind::Gate, tokens, heads * shape.v_dim, count);
    }
    rank.gemm("o_proj", Module::Attention, [tokens, hidden, heads * shape.v_dim], count);
}

/// Projection and scores of a block-sparse choice, where the context is longer than what is kept.
fn index(rank: &mut Rank, shape: &Attention, count: u32) {
    let Some(sparse) = shape.sparse else { return };
    let columns = sparse.index.projected() as u32;
    rank.gemm("index_proj", Module::Indexer, [rank.tokens, columns, rank.model.hidden], count);
    let (heads, dim) = (sparse.index.heads, sparse.index.dim);
    let indexer = |batch, new, cached| {
        Operator::Indexer(Indexer {
            batch,
            new,
            cached,
            heads,
            dim,
            topk: sparse.kept,
            dtype: rank.plan.index,
        })
    };
    let prefill = rank.prefill.filter(|p| p.length() > sparse.kept);
    let decode = rank.decode.filter(|d| d.length() > sparse.kept);
    let parts = [
        prefill.map(|p| indexer(p.sequences, p.new, p.cached)),
        decode.map(|d| indexer(d.sequences, d.queries, d.context)),
    ];
    parts.into_iter().flatten().for_each(|operator| rank.push("index_scores", operator, count));
}

fn core(rank: &mut Rank, shape: &Attention, [heads, kv_heads]: [u32; 2], count: u32) {
    let (compute, kv) = (rank.plan.attend, rank.plan.kv);
    let (qk_dim, v_dim) = (shape.qk_dim, shape.v_dim);
    if let Some(p) = rank.prefill {
        let (batch, new, cached, window) = (p.sequences, p.new, p.cached, shape.cap());
        let prefill = PrefillAttention {
            batch,
            new,
            cached,
            heads,
            kv_heads,
            qk_dim,
            v_dim,
            window,
            causal: true,
            compute,
            kv,
        };
        rank.push("prefill_attention", Operator::PrefillAttention(prefill), count);
        let entry = f64::from(kv_heads * (qk_dim + v_dim)) * kv.bytes();
        gather_keys(rank, entry, count);
    }
    if let Some(d) = rank.decode {
        let (batch, queries, context) = (d.sequences, d.queries, shape.attended(d.length()));
        let window = if context < d.length() { shape.cap() } else { 0 };
        let decode =
            DecodeAttention { batch, queries, context, heads, kv_heads, qk_dim, v_dim, window, compute, kv };
        rank.push("decode_attention", Operator::DecodeAttention(decode), count);
        join_parts(rank, heads * v_dim, count);
    }
}

/// Context parallelism in prefill: every rank gathers the new cache entries of all.
pub(super) fn gather_keys(rank: &mut Rank, entry_bytes: f64, count: u32) {
    let new = rank.step.prefill.map_or(0, |p| p.tokens());
    let bytes = (f64::from(new) * entry_bytes) as u64;
    rank.collective("cp_allgather", CollectiveKind::AllGather, rank.layout.cp_group(), bytes, count);
}

/// Context parallelism in decode: the partial outputs of all ranks are summed by their softmax weights, in fp32.
pub(super) fn join_parts(rank: &mut Rank, width: u32, count: u32) {
    let bytes = 4 * u64::from(rank.decode.map_or(0, |d| d.tokens())) * u64::from(width);
    rank.collective("cp_combine", CollectiveKind::AllReduce, rank.layout.cp_group(), bytes, count);
}
