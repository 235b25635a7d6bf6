//! Exchanges between ranks around the sublayers of a layer.
//!
//! A TP group holds the same tokens: sublayers end in an all-reduce, experts included, whether sliced or spread over the
//! group. Where groups hold different tokens (DP attention, CP) the expert layers take them from everywhere: the mixer
//! ends in a reduce-scatter, so that each rank owns a share of the tokens; these go to their experts by dispatch, or
//! by all-gather where every expert is sliced over all ranks; and an all-gather restores the group's tokens.

use crate::ffn::{Ffn, Moe};
use crate::operator::CollectiveKind;

use super::rank::Rank;

/// Tokens of one rank in an expert layer, before dispatch: a share where ranks exchange them, else all of its group.
pub(super) fn moe_tokens(rank: &Rank) -> u32 {
    if rank.layout.exchanges_tokens() {
        routed_tokens(rank).div_ceil(rank.layout.expert_ranks())
    } else {
        rank.tokens
    }
}

/// Tokens that all ranks of an expert layer bring. Context-parallel ranks share prefill but repeat decode.
pub(super) fn routed_tokens(rank: &Rank) -> u32 {
    let prefill = rank.prefill.map_or(0, |p| p.tokens());
    let repeated = rank.tokens.saturating_sub(prefill);
    prefill.saturating_mul(rank.layout.cp).saturating_add(repeated).saturating_mul(rank.layout.dp)
}

/// Tokens of one rank in a feed-forward sublayer.
pub(super) fn ffn_tokens(rank: &Rank, ffn: &Ffn) -> u32 {
    if matches!(ffn, Ffn::Moe(_)) { moe_tokens(rank) } else { rank.tokens }
}

/// Sums the partial outputs of a mixer, and shares out the tokens if experts follow that take them from elsewhere.
pub(super) fn after_mixer(rank: &mut Rank, ffn: &Ffn, count: u32) {
    let scatter = matches!(ffn, Ffn::Moe(_)) && rank.layout.exchanges_tokens();
    let (name, kind) = if scatter {
        ("tp_reduce_scatter", CollectiveKind::ReduceScatter)
    } else {
        ("tp_allreduce", CollectiveKind::AllReduce)
    };
    rank.collective(name, kind, rank.layout.tp_group(), rank.row_bytes(rank.tokens), count);
}

/// Sums the partial outputs of a dense layer.
pub(super) fn after_dense(rank: &mut Rank, count: u32) {
    let bytes = rank.row_bytes(rank.tokens);
    rank.collective("tp_allreduce", CollectiveKind::AllReduce, rank.layout.tp_group(), bytes, count);
}

/// Sums the partial outputs of experts, or restores the tokens of the TP group.
pub(super) fn after_experts(rank: &mut Rank, count: u32) {
    if !rank.layout.exchanges_tokens() {
        return after_dense(rank, count);
    }
    let bytes = rank.row_bytes(rank.tokens);
    rank.collective("tp_allgather", CollectiveKind::AllGather, rank.layout.tp_group(), bytes, count);
}

/// Sends `rows` tokens of this rank to their experts.
pub(super) fn dispatch(rank: &mut Rank, moe: &Moe, rows: u32, count: u32) {
    if !rank.layout.exchanges_tokens() {
        return;
    }
    // An 8-bit row carries one fp32 scale every 128 elements.
    let width = f64::from(moe.expert_hidden(rank.model.hidden));
    let dtype = rank.plan.dispatch;
    let row = width * dtype.bytes() + if dtype.bits() == 8 { width / 128.0 * 4.0 } else { 0.0 };
    exchange(rank, moe, Way::Out, f64::from(rows) * row, count);
}

/// Takes the outputs of the experts back, in 16 bits.
pub(super) fn combine(rank: &mut Rank, moe: &Moe, rows: u32, count: u32) {
    if !rank.layout.exchanges_tokens() {
        return;
    }
    let row = f64::from(moe.expert_hidden(rank.model.hidden)) * rank.plan.activation().bytes();
    exchange(rank, moe, Way::Back, f64::from(rows) * row, count);
}

/// Between tokens and experts.
#[derive(Clone, Copy)]
enum Way {
    /// Tokens to experts.
    Out,
    /// Outputs to tokens.
    Back,
}

/// The expert exchange of `mine` bytes of rows, each counted once for each chosen expert and slice of it, whatever a
/// kernel sends but once; or the dense pattern where every rank holds a slice of every expert.
fn exchange(rank: &mut Rank, moe: &Moe, way: Way, mine: f64, count: u32) {
    let (layout, topk) = (rank.layout, moe.topk);
    let group = layout.expert_group();
    let sliced = mine * f64::from(group.size);
    let chosen = mine * f64::from(topk) * f64::from(layout.expert_tp());
    let (name, kind, bytes) = match (way, layout.ep) {
        (Way::Out, 1) => ("ep_allgather", CollectiveKind::AllGather, sliced),
        (Way::Back, 1) => ("ep_reduce_scatter", CollectiveKind::ReduceScatter, sliced),
        (Way::Out, _) => ("ep_dispatch", CollectiveKind::Dispatch { topk }, chosen),
        (Way::Back, _) => ("ep_combine", CollectiveKind::Combine { topk }, chosen),
    };
    rank.collective(name, kind, group, bytes as u64, count);
}
