//! Exchanges between ranks around the sublayers of a layer.
//!
//! A TP group holds the same tokens: sublayers end in an all-reduce, experts included, whether sliced or spread over the
//! group. Where groups hold different tokens (DP attention, CP) the expert layers take them from everywhere: the mixer
//! ends in a reduce-scatter, so that each rank owns a share of the tokens; these go to their experts by all-to-all, or
//! by all-gather where every expert is sliced over all ranks; and an all-gather restores the group's tokens.

use crate::ffn::{Ffn, Moe};
use crate::operator::CollectiveKind;

use super::rank::Rank;

/// Tokens of one rank in an expert layer, before dispatch.
pub(super) fn moe_tokens(rank: &Rank) -> u32 {
    if rank.layout.exchanges_tokens() { rank.tokens.div_ceil(rank.layout.tp) } else { rank.tokens }
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
    exchange(rank, moe, rows, row, ["ep_dispatch", "ep_allgather"], CollectiveKind::AllGather, count);
}

/// Takes the outputs of the experts back, in 16 bits.
pub(super) fn combine(rank: &mut Rank, moe: &Moe, rows: u32, count: u32) {
    if !rank.layout.exchanges_tokens() {
        return;
    }
    let row = f64::from(moe.expert_hidden(rank.model.hidden)) * rank.plan.activation().bytes();
    exchange(rank, moe, rows, row, ["ep_combine", "ep_reduce_scatter"], CollectiveKind::ReduceScatter, count);
}

/// All-to-all to the ranks that hold a token's experts, each of them once; or the dense pattern where all hold some.
fn exchange(
    rank: &mut Rank,
    moe: &Moe,
    rows: u32,
    row_bytes: f64,
    [sparse, dense]: [&'static str; 2],
    pattern: CollectiveKind,
    count: u32,
) {
    let layout = rank.layout;
    let group = layout.expert_group();
    let mine = f64::from(rows) * row_bytes;
    if layout.ep == 1 {
        rank.collective(dense, pattern, group, (mine * f64::from(group.size)) as u64, count);
    } else {
        let ranks = distinct_shards(moe, layout.ep) * f64::from(layout.expert_tp());
        rank.collective(sparse, CollectiveKind::AllToAll, group, (mine * ranks) as u64, count);
    }
}

/// Expected shards of the experts among which a token's k choices fall: G·(1 − C(E − E/G, k) / C(E, k)).
pub(super) fn distinct_shards(moe: &Moe, shards: u32) -> f64 {
    let others = f64::from(moe.experts - moe.experts / shards);
    let missed = (0..moe.topk).map(f64::from).map(|i| ((others - i) / (f64::from(moe.experts) - i)).max(0.0));
    f64::from(shards) * (1.0 - missed.product::<f64>())
}
