//! Mixers with a state: input projection, convolution and recurrence, gated norm, output.
//!
//! Gated `DeltaNet` as vLLM and SGLang serve it has a product of its own for the two scalars of a head (`in_proj_ba`) and a
//! kernel that sorts the projected columns by head (`fused_qkvzba_split_reshape_cat`). The short convolution of all kinds is
//! a kernel of its own (`causal_conv1d`).

use crate::mixer::Linear;
use crate::operator::{LinearKind, Operator, VectorKind};
use crate::weights::Module;

use super::rank::Rank;

pub(super) fn run(rank: &mut Rank, shape: &Linear, count: u32) {
    let (tokens, hidden, layout) = (rank.tokens, rank.model.hidden, rank.layout);
    let key_columns = 2 * layout.heads_of(shape.key_heads) * shape.key_dim;
    let values = rank.share(shape.values());
    let columns = rank.share(shape.value_columns()) + key_columns + shape.rank_columns();
    if shape.kind == LinearKind::GatedDeltaNet {
        let scalars = 2 * rank.share(u64::from(shape.value_heads));
        rank.gemm("in_proj", Module::Attention, [tokens, columns - scalars, hidden], count);
        rank.gemm("in_proj_scalars", Module::Attention, [tokens, scalars, hidden], count);
        rank.vector("split", VectorKind::Permute, tokens, columns, count);
    } else {
        rank.gemm("in_proj", Module::Attention, [tokens, columns, hidden], count);
    }
    rank.vector("short_conv", VectorKind::Activation, tokens, values + key_columns, count);
    if shape.rank_columns() > 0 {
        rank.gemm("gate_b_proj", Module::Attention, [tokens, values, shape.rank_columns()], count);
    }
    recurrence(rank, shape, count);
    rank.vector("gated_norm", VectorKind::Gate, tokens, values, count);
    rank.gemm("o_proj", Module::Attention, [tokens, hidden, values], count);
}

/// Context parallelism gives a rank its share of the tokens, as everywhere.
fn recurrence(rank: &mut Rank, shape: &Linear, count: u32) {
    let parts = [
        rank.prefill.map(|p| ("prefill_recurrence", p.sequences, p.new)),
        rank.decode.map(|d| ("decode_recurrence", d.sequences, d.queries)),
    ];
    for (name, batch, new) in parts.into_iter().flatten() {
        let operator = shape.operator(rank.plan, rank.layout, batch, new);
        rank.push(name, Operator::LinearAttention(operator), count);
    }
}
