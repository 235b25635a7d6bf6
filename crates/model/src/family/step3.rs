//! Step-3.7: full attention every fourth layer, windows between; shared and routed experts behind a few dense layers.

use serde::Deserialize;

use super::common::{Common, gated};
use super::{Refusal, Text, check_topk};
use crate::config::{Dim, Optional, Size};
use crate::ffn::{Ffn, Moe};
use crate::mixer::{Attention, Mixer};
use crate::model::{Layer, Model};

#[derive(Deserialize)]
struct Config {
    layer_types: Vec<String>,
    first_k_dense_replace: Optional,
    intermediate_size: Size,
    moe_intermediate_size: Size,
    num_experts: Dim,
    num_experts_per_tok: Dim,
    share_expert_dim: Option<Optional>,
    #[serde(default)]
    use_moe_router_bias: bool,
}

pub(super) fn read(text: Text) -> Result<Model, Refusal> {
    let common = Common::read(text)?;
    let config: Config = text.language()?;
    common.one_a_layer("layer_types", config.layer_types.len())?;
    let (experts, topk) = (config.num_experts.0, config.num_experts_per_tok.0);
    check_topk(topk, experts)?;
    let moe = Ffn::Moe(Moe {
        shared: config.share_expert_dim.map_or(0, |width| width.0),
        router_bias: config.use_moe_router_bias,
        ..Moe::plain(experts, topk, config.moe_intermediate_size.0)
    });
    let layer = |(index, kind): (usize, &String)| {
        let window = if kind == "sliding_attention" { common.window() } else { 0 };
        let attention = Attention { window, ..common.normed_attention() };
        let dense = index < config.first_k_dense_replace.0 as usize;
        Layer::new(Mixer::Attention(attention), if dense { gated(config.intermediate_size.0) } else { moe })
    };
    let model = common.model(config.layer_types.iter().enumerate().map(layer));
    let mtp = model.layers().last().and_then(|last| common.mtp(vec![*last]));
    Ok(Model { mtp, ..model })
}
