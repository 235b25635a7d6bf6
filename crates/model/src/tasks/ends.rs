//! Before the first layer and after the last; between pipeline stages.

use crate::operator::{CollectiveKind, Embedding, Operator, Sampling, VectorKind};
use crate::weights::Module;

use super::rank::Rank;

/// Look-up in a table split by rows over the TP group, which sums what each found.
pub(super) fn embedding(rank: &mut Rank) {
    let look_up =
        Embedding { tokens: rank.tokens, hidden: rank.model.hidden, dtype: rank.plan.embedding.weight() };
    rank.push("embedding", Operator::Embedding(look_up), 1);
    let bytes = rank.row_bytes(rank.tokens);
    rank.collective("tp_allreduce", CollectiveKind::AllReduce, rank.layout.tp_group(), bytes, 1);
}

/// Final norm, logits of the rows that sample, gathered from the ranks' shares of the vocabulary, and the choice.
pub(super) fn head(rank: &mut Rank) {
    let (hidden, vocab, rows) = (rank.model.hidden, rank.model.vocab, rank.step.sampled());
    join_streams(rank);
    if rows == 0 {
        return;
    }
    let columns = vocab.div_ceil(rank.layout.tp);
    rank.gemm("lm_head", Module::LmHead, [rows, columns, hidden], 1);
    let element = u64::from(rank.plan.activation().bits() / 8);
    let bytes = u64::from(rows) * u64::from(vocab) * element;
    rank.collective("logits_allgather", CollectiveKind::AllGather, rank.layout.tp_group(), bytes, 1);
    rank.push("sampling", Operator::Sampling(Sampling { rows, vocab }), 1);
}

/// The last sum and the final norm; s streams are first joined into one by weights projected from them all.
fn join_streams(rank: &mut Rank) {
    let (tokens, hidden, streams) = (rank.tokens, rank.model.hidden, rank.model.streams);
    if streams == 1 {
        return rank.vector("norm", VectorKind::AddNorm, tokens, hidden, 1);
    }
    rank.gemm("streams_proj", Module::Small, [tokens, streams, streams * hidden], 1);
    rank.vector("streams_read", VectorKind::Norm, tokens, (streams + 1) * hidden / 2, 1);
    rank.vector("norm", VectorKind::Norm, tokens, hidden, 1);
}

/// The residual stream to the next stage.
pub(super) fn send(rank: &mut Rank) {
    let bytes = rank.row_bytes(rank.tokens) * u64::from(rank.model.streams);
    rank.collective("pp_send", CollectiveKind::SendReceive, rank.layout.stage_group(), bytes, 1);
}
