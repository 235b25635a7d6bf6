//! A layer of experts: router, permutation, products of this rank's experts on the rows of the expert-parallel group.

use vitruvian_model::ffn::{Activation, Moe};
use vitruvian_model::{
    Collective, CollectiveKind, Gemm, GroupedGemm, Imbalance, Module, Operator, Scheme, Sparsity, VectorKind,
    VectorOp,
};

use super::{Lane, Line, Setting};
use crate::stack::Exchange;

/// Device work of the feed-forward part.
pub(super) fn lines(setting: &Setting<'_>, moe: &Moe) -> Vec<Line> {
    let (tokens, hidden) = (setting.resident_tokens(), setting.model.hidden);
    let width = moe.width / setting.degrees.etp;
    let up = GroupedGemm {
        tokens: tokens.saturating_mul(setting.degrees.ep * setting.degrees.etp),
        topk: moe.topk,
        experts: moe.experts,
        local_experts: moe.experts / setting.degrees.ep,
        n: moe.activation.projections() * width,
        k: moe.expert_hidden(hidden),
        inner: width,
        scheme: setting.quant.scheme(Module::Experts),
        sparsity: Sparsity::Dense,
        imbalance: if setting.balanced { Imbalance::Balanced } else { Imbalance::Uniform },
    };
    let rows = up.rows().ceil() as u32;
    let sent = tokens.saturating_mul(moe.topk);
    let mut lines = vec![
        vector(setting, "norm", VectorKind::AddNorm, tokens, hidden),
        gemm("router", setting.quant.scheme(Module::Router), [tokens, moe.experts, hidden]),
        vector(setting, "topk", VectorKind::TopK, tokens, moe.experts),
        vector(setting, "permute", VectorKind::Permute, sent, up.k),
        Line::compute("experts_up", product(&up)),
        vector(setting, "experts_activation", activation(moe.activation), rows, width),
        Line::compute("experts_down", product(&GroupedGemm { n: up.k, k: width, ..up })),
        vector(setting, "unpermute", VectorKind::Unpermute, sent, up.k),
    ];
    if moe.latent > 0 {
        let scheme = setting.quant.scheme(Module::SharedExperts);
        lines.push(gemm("latent_down", scheme, [tokens, moe.latent, hidden]));
        lines.push(gemm("latent_up", scheme, [tokens, hidden, moe.latent]));
    }
    lines.extend(shared(setting, moe));
    lines
}

/// The products of all experts of a rank. A training step gives each expert hundreds of rows and more: a product an
/// expert in one launch, as grouped kernels of training stacks run it, not the fused kernels of serving.
fn product(grouped: &GroupedGemm) -> Operator {
    let rows = (grouped.rows() / f64::from(grouped.local_experts.max(1))).ceil().max(1.0) as u32;
    let GroupedGemm { n, k, scheme, sparsity, local_experts, .. } = *grouped;
    Operator::Gemm(Gemm { m: rows, n, k, batch: local_experts, scheme, sparsity })
}

/// Shared experts see all tokens of the rank, their columns sliced by TP.
fn shared(setting: &Setting<'_>, moe: &Moe) -> Vec<Line> {
    if moe.shared == 0 {
        return Vec::new();
    }
    let (tokens, hidden) = (setting.tokens(), setting.model.hidden);
    let width = (moe.shared / setting.degrees.tp).max(1);
    let scheme = setting.quant.scheme(Module::SharedExperts);
    vec![
        gemm("shared_gate_up", scheme, [tokens, moe.activation.projections() * width, hidden]),
        vector(setting, "shared_activation", activation(moe.activation), tokens, width),
        gemm("shared_down", scheme, [tokens, hidden, width]),
        vector(setting, "shared_add", VectorKind::Add, setting.resident_tokens(), hidden),
    ]
}

/// Rows to their experts and back: the same in the forward and in the backward pass.
pub(super) fn exchange(setting: &Setting<'_>, moe: &Moe) -> Vec<Line> {
    let (degrees, tokens) = (setting.degrees, setting.resident_tokens());
    let element = u64::from(setting.quant.activation().bits() / 8);
    let row = u64::from(moe.expert_hidden(setting.model.hidden)) * element;
    let sent = u64::from(tokens) * u64::from(moe.topk) * row;
    let (out, back) = match setting.stack.exchange {
        Exchange::AllToAll => (CollectiveKind::AllToAll, CollectiveKind::AllToAll),
        Exchange::Dispatch => {
            (CollectiveKind::Dispatch { topk: moe.topk }, CollectiveKind::Combine { topk: moe.topk })
        }
    };
    let line = |name, kind, group: vitruvian_model::Group, bytes| {
        let operator = Operator::Collective(Collective { kind, group, bytes });
        (group.size > 1).then(|| Line { lane: Lane::Experts, ..Line::compute(name, operator) })
    };
    let sliced = sent * u64::from(degrees.etp);
    [
        line("ep_dispatch", out, degrees.ep_group(), sent),
        line("etp_allgather", CollectiveKind::AllGather, degrees.etp_group(), sliced),
        line("etp_reduce_scatter", CollectiveKind::ReduceScatter, degrees.etp_group(), sliced),
        line("ep_combine", back, degrees.ep_group(), sent),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn activation(kind: Activation) -> VectorKind {
    match kind {
        Activation::Gated => VectorKind::GatedActivation,
        Activation::Plain => VectorKind::Activation,
    }
}

fn vector(setting: &Setting<'_>, name: &'static str, kind: VectorKind, rows: u32, width: u32) -> Line {
    Line::compute(name, Operator::Vector(VectorOp { kind, rows, width, dtype: setting.quant.activation() }))
}

fn gemm(name: &'static str, scheme: Scheme, [m, n, k]: [u32; 3]) -> Line {
    Line::compute(name, Operator::Gemm(Gemm { m, n, k, batch: 1, scheme, sparsity: Sparsity::Dense }))
}
