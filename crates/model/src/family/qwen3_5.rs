//! Qwen3-Next and Qwen3.5: three layers of Gated `DeltaNet` to one of gated attention, dense or with experts.

use serde::Deserialize;
use vitruvian_quantity::Dtype;

use super::common::{Common, gated};
use super::{Refusal, Text, check_topk, contradiction, vision};
use crate::config::{Dim, Few, Heads, Optional, Size};
use crate::ffn::{Ffn, Moe};
use crate::mixer::{Attention, Linear, Mixer, OutputGate};
use crate::model::{Layer, Model, Mtp};
use crate::operator::LinearKind;

#[derive(Deserialize)]
struct Config {
    layer_types: Option<Vec<String>>,
    full_attention_interval: Option<Dim>,
    intermediate_size: Option<Size>,
    num_experts: Option<Dim>,
    num_experts_per_tok: Option<Dim>,
    moe_intermediate_size: Option<Size>,
    shared_expert_intermediate_size: Option<Optional>,
    linear_conv_kernel_dim: Few,
    linear_key_head_dim: Dim,
    linear_value_head_dim: Dim,
    linear_num_key_heads: Heads,
    linear_num_value_heads: Heads,
    mtp_num_hidden_layers: Option<Few>,
}

pub(super) fn read(text: Text) -> Result<Model, Refusal> {
    let common = Common::read(text)?;
    let config: Config = text.language()?;
    let ffn = feed_forward(&config)?;
    if let Some(types) = &config.layer_types {
        common.one_a_layer("layer_types", types.len())?;
    }
    let attention = Mixer::Attention(Attention { gate: true, ..common.normed_attention() });
    let layer = |index| {
        Layer::new(if is_full(&config, index) { attention } else { Mixer::Linear(delta_net(&config)) }, ffn)
    };
    let drafting = config.mtp_num_hidden_layers.map_or(0, |count| count.0) as usize;
    let mtp = (drafting > 0).then(|| Mtp { modules: 1, layers: vec![Layer::new(attention, ffn); drafting] });
    Ok(Model { mtp, vision: vision::qwen(text)?, ..common.model((0..common.depth()).map(layer)) })
}

fn is_full(config: &Config, index: u32) -> bool {
    let interval = config.full_attention_interval.map_or(4, |interval| interval.0);
    match &config.layer_types {
        Some(types) => types.get(index as usize).is_some_and(|kind| kind == "full_attention"),
        None => (index + 1).is_multiple_of(interval),
    }
}

fn feed_forward(config: &Config) -> Result<Ffn, Refusal> {
    let Some(experts) = config.num_experts else {
        return match config.intermediate_size {
            Some(width) => Ok(gated(width.0)),
            None => contradiction("hidden_size", "neither `intermediate_size` nor `num_experts` is given"),
        };
    };
    let (Some(topk), Some(width)) = (config.num_experts_per_tok, config.moe_intermediate_size) else {
        let message = "experts need `num_experts_per_tok` and `moe_intermediate_size`";
        return contradiction("num_experts", message);
    };
    check_topk(topk.0, experts.0)?;
    let shared = config.shared_expert_intermediate_size.map_or(0, |width| width.0);
    Ok(Ffn::Moe(Moe { shared, shared_gate: shared > 0, ..Moe::plain(experts.0, topk.0, width.0) }))
}

fn delta_net(config: &Config) -> Linear {
    Linear {
        kind: LinearKind::GatedDeltaNet,
        key_heads: config.linear_num_key_heads.0,
        value_heads: config.linear_num_value_heads.0,
        key_dim: config.linear_key_head_dim.0,
        value_dim: config.linear_value_head_dim.0,
        conv: config.linear_conv_kernel_dim.0,
        gate: OutputGate::Full,
        state: Dtype::Fp32,
    }
}
