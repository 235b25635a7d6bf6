//! gpt-oss: windowed and full attention by turns, sinks, biases everywhere.

use serde::Deserialize;

use super::common::Common;
use super::{Refusal, Text, check_topk};
use crate::config::{Dim, Size};
use crate::ffn::{Ffn, Moe};
use crate::mixer::{Attention, Mixer};
use crate::model::{Layer, Model};

#[derive(Deserialize)]
struct Config {
    intermediate_size: Size,
    num_local_experts: Dim,
    num_experts_per_tok: Dim,
    layer_types: Vec<String>,
}

pub(super) fn read(text: Text) -> Result<Model, Refusal> {
    let common = Common::read(text)?;
    let config: Config = text.language()?;
    let (experts, topk) = (config.num_local_experts.0, config.num_experts_per_tok.0);
    check_topk(topk, experts)?;
    common.one_a_layer("layer_types", config.layer_types.len())?;
    let moe = Moe { router_bias: true, bias: true, ..Moe::plain(experts, topk, config.intermediate_size.0) };
    let biases = if common.attention_bias.unwrap_or(true) { common.qkv_bias() + common.hidden() } else { 0 };
    let sinks = common.heads();
    let layer = |kind: &String| {
        let window = if kind == "sliding_attention" { common.window() } else { 0 };
        let attention = Attention { window, small: biases + sinks, ..common.attention() };
        Layer::new(Mixer::Attention(attention), Ffn::Moe(moe))
    };
    Ok(common.model(config.layer_types.iter().map(layer)))
}
