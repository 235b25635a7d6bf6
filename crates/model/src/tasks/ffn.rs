//! Feed-forward layers: dense, and of experts.

use crate::ffn::{Activation, Dense, Ffn, Moe};
use crate::operator::{GroupedGemm, Imbalance, Operator, VectorKind};
use crate::weights::Module;

use super::exchange;
use super::rank::Rank;

pub(super) fn run(rank: &mut Rank, ffn: &Ffn, count: u32) {
    match ffn {
        Ffn::None => {}
        Ffn::Dense(dense) => {
            run_dense(rank, *dense, count);
            exchange::after_dense(rank, count);
        }
        Ffn::Moe(moe) => run_moe(rank, moe, count),
    }
}

fn run_dense(rank: &mut Rank, dense: Dense, count: u32) {
    let names = ["gate_up_proj", "activation", "down_proj"];
    let width = dense.width / rank.layout.tp;
    feed_forward(rank, names, Module::DenseFfn, rank.tokens, [width, dense.activation.projections()], count);
}

/// Up, activation, down on `rows` tokens of the hidden width.
fn feed_forward(
    rank: &mut Rank,
    [up, act, down]: [&'static str; 3],
    module: Module,
    rows: u32,
    [width, projections]: [u32; 2],
    count: u32,
) {
    let hidden = rank.model.hidden;
    let kind = if projections == 2 { VectorKind::GatedActivation } else { VectorKind::Activation };
    rank.gemm(up, module, [rows, projections * width, hidden], count);
    rank.vector(act, kind, rows, width, count);
    rank.gemm(down, module, [rows, hidden, width], count);
}

/// Router, dispatch, experts, combine; shared experts beside them.
fn run_moe(rank: &mut Rank, moe: &Moe, count: u32) {
    let (rows, hidden) = (exchange::moe_tokens(rank), rank.model.hidden);
    rank.gemm("router", Module::Router, [rows, moe.experts, hidden], count);
    rank.vector("topk", VectorKind::TopK, rows, moe.experts, count);
    if moe.latent > 0 {
        rank.gemm("latent_down", Module::SharedExperts, [rows, moe.latent, hidden], count);
    }
    exchange::dispatch(rank, moe, rows, count);
    experts(rank, moe, count);
    exchange::combine(rank, moe, rows, count);
    if moe.latent > 0 {
        rank.gemm("latent_up", Module::SharedExperts, [rows, hidden, moe.latent], count);
    }
    shared(rank, moe, rows, count);
    exchange::after_experts(rank, count);
}

/// The routed experts of this rank on the tokens of the whole group.
fn experts(rank: &mut Rank, moe: &Moe, count: u32) {
    let layout = rank.layout;
    let (hidden, width) = (moe.expert_hidden(rank.model.hidden), moe.width / layout.expert_tp());
    let projections = moe.activation.projections();
    let up = GroupedGemm {
        tokens: exchange::routed_tokens(rank),
        topk: moe.topk,
        experts: moe.experts,
        local_experts: moe.experts / layout.ep,
        n: projections * width,
        k: hidden,
        inner: width,
        scheme: rank.plan.scheme(Module::Experts),
        sparsity: rank.plan.sparsity_of(Module::Experts),
        imbalance: Imbalance::Uniform,
    };
    let rows = up.rows().ceil() as u32;
    let kind = match moe.activation {
        Activation::Gated => VectorKind::GatedActivation,
        Activation::Plain => VectorKind::Activation,
    };
    rank.vector("permute", VectorKind::Permute, rows, hidden, count);
    rank.push("experts_up", Operator::GroupedGemm(up), count);
    rank.vector("experts_activation", kind, rows, width, count);
    rank.push("experts_down", Operator::GroupedGemm(GroupedGemm { n: hidden, k: width, ..up }), count);
    rank.vector("unpermute", VectorKind::Unpermute, rows, hidden, count);
}

fn shared(rank: &mut Rank, moe: &Moe, rows: u32, count: u32) {
    if moe.shared == 0 {
        return;
    }
    let names = ["shared_gate_up", "shared_activation", "shared_down"];
    let width = moe.shared / rank.layout.shared_tp();
    feed_forward(rank, names, Module::SharedExperts, rows, [width, moe.activation.projections()], count);
    let join = if moe.shared_gate { VectorKind::Gate } else { VectorKind::Add };
    rank.vector("shared_add", join, rows, rank.model.hidden, count);
}
