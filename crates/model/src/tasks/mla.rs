//! Multi-head latent attention: keys and values rebuilt in prefill, weights absorbed in decode and in sparse prefill.

use crate::mixer::{IndexHeads, Mla};
use crate::operator::{Indexer, MlaDecode, Operator, PrefillAttention, VectorKind, capped_triangle};
use crate::step::Prefill;
use crate::weights::Module;

use super::attention::{gather_keys, join_parts};
use super::rank::Rank;

pub(super) fn run(rank: &mut Rank, shape: &Mla, count: u32) {
    let heads = shape.heads / rank.layout.tp;
    let (tokens, hidden) = (rank.tokens, rank.model.hidden);
    project(rank, shape, heads, count);
    rank.vector("rope", VectorKind::Rope, tokens.saturating_mul(heads + 1), shape.rope, count);
    let index = shape.sparse.and_then(|sparse| sparse.index);
    rank.cache_write(shape.kv_lora + shape.rope + index.map_or(0, |index| index.dim), count);
    if let (Some(sparse), Some(index)) = (shape.sparse, index) {
        choose(rank, shape, index, sparse.topk, count);
    }
    if let Some(p) = rank.prefill {
        prefill(rank, shape, heads, p, count);
    }
    decode(rank, shape, heads, count);
    let width = heads * shape.v;
    if shape.gate {
        rank.gemm("gate_proj", Module::Attention, [tokens, width, hidden], count);
        rank.vector("attention_gate", VectorKind::Gate, tokens, width, count);
    }
    rank.gemm("o_proj", Module::Attention, [tokens, hidden, width], count);
}

/// Down projections of queries and latent in one product, the same on every TP rank; queries up by heads.
fn project(rank: &mut Rank, shape: &Mla, heads: u32, count: u32) {
    let (tokens, hidden) = (rank.tokens, rank.model.hidden);
    let latent = shape.kv_lora + shape.rope;
    let q_width = heads * (shape.nope + shape.rope);
    if shape.q_lora == 0 {
        rank.gemm("q_proj", Module::Attention, [tokens, q_width, hidden], count);
        rank.gemm("kv_a_proj", Module::Attention, [tokens, latent, hidden], count);
    } else {
        rank.gemm("qkv_a_proj", Module::Attention, [tokens, shape.q_lora + latent, hidden], count);
        rank.gemm("q_b_proj", Module::Attention, [tokens, q_width, shape.q_lora], count);
    }
    rank.vector("latent_norm", VectorKind::Norm, tokens, shape.q_lora + shape.kv_lora, count);
}

/// Index projections, the same on every TP rank; scores where the context is longer than the choice.
fn choose(rank: &mut Rank, shape: &Mla, index: IndexHeads, topk: u32, count: u32) {
    let (tokens, hidden, dtype) = (rank.tokens, rank.model.hidden, rank.plan.index);
    rank.gemm("index_q_proj", Module::Indexer, [tokens, index.q_width() as u32, shape.q_lora], count);
    rank.gemm("index_k_proj", Module::Indexer, [tokens, index.dim + index.heads, hidden], count);
    let IndexHeads { heads, dim } = index;
    let scores =
        |batch, new, cached| Operator::Indexer(Indexer { batch, new, cached, heads, dim, topk, dtype });
    if let Some(p) = rank.prefill.filter(|p| p.length() > topk) {
        rank.push("index_scores", scores(p.sequences, p.new, p.cached), count);
    }
    if let Some(d) = rank.decode.filter(|d| d.length() > topk) {
        rank.push("index_scores", scores(d.sequences, d.queries, d.context), count);
    }
}

fn prefill(rank: &mut Rank, shape: &Mla, heads: u32, p: Prefill, count: u32) {
    gather_keys(rank, MlaDecode::entry_bytes(shape.kv_lora, shape.rope, rank.plan.kv), count);
    match shape.sparse.filter(|sparse| p.length() > sparse.topk) {
        Some(sparse) => sparse_prefill(rank, shape, heads, p, sparse.topk, count),
        None => dense_prefill(rank, shape, heads, p, count),
    }
}

/// Keys and values of every head rebuilt from the latents of new and cached tokens alike, then ordinary attention.
fn dense_prefill(rank: &mut Rank, shape: &Mla, heads: u32, p: Prefill, count: u32) {
    let all = rank.step.prefill.map_or(0, |whole| whole.context());
    rank.gemm("kv_b_proj", Module::Attention, [all, heads * (shape.nope + shape.v), shape.kv_lora], count);
    let attention = PrefillAttention {
        batch: p.sequences,
        new: p.new,
        cached: p.cached,
        heads,
        kv_heads: heads,
        qk_dim: shape.nope + shape.rope,
        v_dim: shape.v,
        window: 0,
        causal: true,
        compute: rank.plan.attend,
        kv: rank.plan.activation(),
    };
    rank.push("prefill_attention", Operator::PrefillAttention(attention), count);
}

/// Absorbed attention of each query over its chosen keys; their mean number is Σ min(p + i, topk) / s.
fn sparse_prefill(rank: &mut Rank, shape: &Mla, heads: u32, p: Prefill, topk: u32, count: u32) {
    let new = u64::from(p.new);
    let attended = capped_triangle(new, p.cached.into(), topk.into()).div_ceil(new) as u32;
    absorb(rank, shape, heads, p.tokens(), count);
    let core = core(rank, shape, heads, [p.sequences, p.new, p.length(), attended]);
    rank.push("prefill_attention", core, count);
}

fn decode(rank: &mut Rank, shape: &Mla, heads: u32, count: u32) {
    let Some(d) = rank.decode else { return };
    let attended = shape.sparse.map_or(d.length(), |sparse| d.length().min(sparse.topk));
    absorb(rank, shape, heads, d.tokens(), count);
    let core = core(rank, shape, heads, [d.sequences, d.queries, d.length(), attended]);
    rank.push("decode_attention", core, count);
    join_parts(rank, heads * shape.kv_lora, count);
}

/// Queries into the latent (`q·W_UK`) and outputs out of it (·`W_UV`), a 16-bit product a head.
fn absorb(rank: &mut Rank, shape: &Mla, heads: u32, tokens: u32, count: u32) {
    let scheme = rank.plan.scheme(Module::Small);
    rank.batched("q_absorb", scheme, heads, [tokens, shape.kv_lora, shape.nope], count);
    rank.batched("v_absorb", scheme, heads, [tokens, shape.v, shape.kv_lora], count);
}

fn core(rank: &Rank, shape: &Mla, heads: u32, [batch, queries, context, attended]: [u32; 4]) -> Operator {
    let (latent, rope) = (shape.kv_lora, shape.rope);
    let (compute, kv) = (rank.plan.attend, rank.plan.kv);
    Operator::MlaDecode(MlaDecode { batch, queries, context, attended, heads, latent, rope, compute, kv })
}
