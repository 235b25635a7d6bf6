//! What one rank executes in one step.

mod attention;
mod compressed;
mod ends;
mod exchange;
mod ffn;
mod linear;
mod mla;
mod rank;

use crate::ffn::Ffn;
use crate::layout::Layout;
use crate::mixer::Mixer;
use crate::model::{Layer, Model};
use crate::operator::{Task, VectorKind};
use crate::quant::QuantPlan;
use crate::step::Step;
use crate::weights::Module;

use rank::Rank;

/// Appends the operators that one rank of pipeline stage `stage` executes for `step`.
///
/// Equal operators of one name are one entry with a count. The layout must have passed [`crate::validate`]. `step` is
/// that of one data-parallel group; expert layers see the tokens of all groups. Quantisation of activations is no
/// entry: whether it is a kernel of its own is the engine's matter.
pub fn tasks(model: &Model, plan: &QuantPlan, layout: Layout, stage: u32, step: &Step, out: &mut Vec<Task>) {
    let mut rank = Rank::new(model, plan, layout, step, out);
    if step.tokens() == 0 {
        return;
    }
    if stage == 0 {
        ends::embedding(&mut rank);
    }
    for (layer, count) in model.kinds_in(layout.layers_of(stage, model.depth())) {
        run_layer(&mut rank, layer, count);
    }
    if stage + 1 == layout.pp {
        ends::head(&mut rank);
    } else {
        ends::send(&mut rank);
    }
}

/// Appends the operators with which one MTP module drafts one token for each of `step`'s rows, on the last stage.
pub fn draft_tasks(model: &Model, plan: &QuantPlan, layout: Layout, step: &Step, out: &mut Vec<Task>) {
    let mut rank = Rank::new(model, plan, layout, step, out);
    let Some(mtp) = model.mtp.as_ref().filter(|_| step.tokens() > 0) else { return };
    ends::embedding(&mut rank);
    let (tokens, hidden) = (rank.tokens, model.hidden);
    rank.vector("norm", VectorKind::Norm, tokens, hidden, 2);
    rank.gemm("mtp_proj", Module::Attention, [tokens, hidden, 2 * hidden], 1);
    for layer in &mtp.layers {
        run_layer(&mut rank, layer, 1);
    }
    ends::head(&mut rank);
}

/// A layer that occurs `count` times: norm, mixer, reduction; norm, feed-forward, reduction.
fn run_layer(rank: &mut Rank, layer: &Layer, count: u32) {
    let sublayers = u32::from(layer.mixer != Mixer::None) + u32::from(layer.ffn != Ffn::None);
    if layer.mixer != Mixer::None {
        rank.residual(rank.tokens, count);
        mixer(rank, &layer.mixer, count);
        exchange::after_mixer(rank, &layer.ffn, count);
    }
    if layer.ffn != Ffn::None {
        rank.residual(exchange::ffn_tokens(rank, &layer.ffn), count);
        ffn::run(rank, &layer.ffn, count);
    }
    let further = layer.norms.saturating_sub(sublayers);
    rank.vector("norm", VectorKind::Norm, rank.tokens, rank.model.hidden, count * further);
}

fn mixer(rank: &mut Rank, mixer: &Mixer, count: u32) {
    match mixer {
        Mixer::None => {}
        Mixer::Attention(shape) => attention::run(rank, shape, count),
        Mixer::Mla(shape) => mla::run(rank, shape, count),
        Mixer::Compressed(shape) => compressed::run(rank, shape, count),
        Mixer::Linear(shape) => linear::run(rank, shape, count),
    }
}
