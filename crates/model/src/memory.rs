//! Bytes that one rank holds: weights, caches, states, activations.

use vitruvian_quantity::Bytes;

use crate::ffn::Ffn;
use crate::layout::Layout;
use crate::mixer::Cache;
use crate::model::{Layer, Model};
use crate::quant::QuantPlan;
use crate::step::Step;
use crate::weights::Weight;

/// Weights of a rank of pipeline stage `stage`, without MTP modules.
///
/// The first stage adds embedding and vision tower, the last the LM head (again, if tied and on another stage).
pub fn weight_bytes(model: &Model, plan: &QuantPlan, layout: Layout, stage: u32) -> Bytes {
    let mut sum = 0.0;
    let mut add = |weight: Weight, copies: u32| {
        sum += f64::from(copies) * plan.bytes_of(&weight) * weight.split.share(layout);
    };
    for (layer, copies) in model.kinds_in(layout.layers_of(stage, model.depth())) {
        model.layer_weights(layer, &mut |weight| add(weight, copies));
    }
    if stage == 0 {
        model.first_weights(&mut |weight| add(weight, 1));
    }
    if stage + 1 == layout.pp {
        let apart = model.tied && stage > 0;
        model.last_weights(&mut |weight| {
            add(if apart { Weight { parameters: weight.active, ..weight } } else { weight }, 1);
        });
    }
    Bytes::new(sum)
}

/// Weights of the MTP modules on a rank of the last stage; none without such modules.
pub fn mtp_weight_bytes(model: &Model, plan: &QuantPlan, layout: Layout) -> Bytes {
    let mut sum = 0.0;
    if let Some(mtp) = &model.mtp {
        let copies = f64::from(mtp.modules);
        model.mtp_weights(mtp, &mut |weight| {
            sum += copies * plan.bytes_of(&weight) * weight.split.share(layout);
        });
    }
    Bytes::new(sum)
}

/// Cache that one more token of a long sequence adds, over all layers, on the ranks of one TP group's rank.
///
/// Layers with a window or a state do not grow; [`kv_bytes`] counts them.
pub fn kv_bytes_per_token(model: &Model, plan: &QuantPlan, layout: Layout) -> Bytes {
    sum_caches(model, plan, layout, 0..model.depth(), Cache::growth) * (1.0 / f64::from(layout.cp))
}

/// Cache of one sequence of `context` tokens on a rank of pipeline stage `stage`, states included.
pub fn kv_bytes(model: &Model, plan: &QuantPlan, layout: Layout, stage: u32, context: u32) -> Bytes {
    let range = layout.layers_of(stage, model.depth());
    // Context-parallel ranks share the tokens of a sequence.
    sum_caches(model, plan, layout, range, |cache| match cache {
        Cache::State { bytes } => bytes,
        tokens => tokens.at(context.div_ceil(layout.cp)),
    })
}

/// States of fixed size of one sequence over all layers, on one rank.
pub fn state_bytes_per_sequence(model: &Model, plan: &QuantPlan, layout: Layout) -> Bytes {
    sum_caches(model, plan, layout, 0..model.depth(), |cache| match cache {
        Cache::State { bytes } => bytes,
        Cache::Growing { .. } | Cache::Window { .. } => 0.0,
    })
}

/// Peak of the activations of one step on a rank: what is live at once in the widest layer, and the logits.
///
/// Residual streams, the sublayer's input and output, and the widest inner tensor (fused projection or feed-forward
/// inner values with their activation); for experts, the rows gathered, their inner values and their outputs. Logits
/// are 16-bit and fp32. An estimate: engines measure theirs with a trial run.
pub fn activation_bytes(model: &Model, plan: &QuantPlan, layout: Layout, step: &Step) -> Bytes {
    let element = plan.activation().bytes();
    let tokens = f64::from(step.tokens()) / f64::from(layout.cp);
    let stream = tokens * f64::from(model.hidden) * element;
    let widest =
        model.kinds.iter().map(|layer| inner_elements(model, layer, layout, tokens)).fold(0.0, f64::max);
    let logits = f64::from(step.sampled()) * f64::from(model.vocab) * (element + 4.0);
    Bytes::new(stream * f64::from(model.streams + 2) + (widest * element).max(logits))
}

/// Elements of the widest inner tensors of a layer on one rank.
fn inner_elements(model: &Model, layer: &Layer, layout: Layout, tokens: f64) -> f64 {
    let tp = f64::from(layout.tp);
    let mixer = tokens * layer.mixer.widest() as f64 / tp;
    let ffn = match layer.ffn {
        Ffn::None => 0.0,
        Ffn::Dense(dense) => {
            tokens * f64::from(dense.width) * f64::from(dense.activation.projections() + 1) / tp
        }
        Ffn::Moe(moe) => {
            let group = f64::from(layout.token_group().size);
            let rows = tokens * group * f64::from(moe.topk) / f64::from(layout.ep);
            let inner = f64::from(moe.width) * f64::from(moe.activation.projections() + 1)
                / f64::from(layout.expert_tp());
            rows * (2.0 * f64::from(moe.expert_hidden(model.hidden)) + inner)
        }
    };
    mixer.max(ffn)
}

fn sum_caches(
    model: &Model,
    plan: &QuantPlan,
    layout: Layout,
    range: std::ops::Range<usize>,
    bytes: impl Fn(Cache) -> f64,
) -> Bytes {
    let mut sum = 0.0;
    for (layer, copies) in model.kinds_in(range) {
        layer.mixer.caches(plan, layout, &mut |cache| sum += f64::from(copies) * bytes(cache));
    }
    Bytes::new(sum)
}
