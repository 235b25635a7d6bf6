//! MiMo-V2-Flash: windowed layers with sinks and full layers of fewer key-value heads; queries wider than values.

use serde::Deserialize;

use super::common::{Common, gated};
use super::{Refusal, Text, check_topk};
use crate::config::{Dim, Few, Heads, Size};
use crate::ffn::{Ffn, Moe};
use crate::mixer::{Attention, Mixer};
use crate::model::{Layer, Model};

#[derive(Deserialize)]
struct Config {
    hybrid_layer_pattern: Vec<u32>,
    moe_layer_freq: Vec<u32>,
    intermediate_size: Size,
    moe_intermediate_size: Size,
    n_routed_experts: Dim,
    num_experts_per_tok: Dim,
    n_shared_experts: Option<Few>,
    v_head_dim: Dim,
    swa_num_attention_heads: Heads,
    swa_num_key_value_heads: Heads,
    swa_head_dim: Dim,
    swa_v_head_dim: Dim,
}

pub(super) fn read(text: Text) -> Result<Model, Refusal> {
    let common = Common::read(text)?;
    let config: Config = text.language()?;
    common.one_a_layer("hybrid_layer_pattern", config.hybrid_layer_pattern.len())?;
    common.one_a_layer("moe_layer_freq", config.moe_layer_freq.len())?;
    let moe = experts(&config)?;
    let layer = |(windowed, sparse): (&u32, &u32)| {
        let attention =
            if *windowed == 1 { windowed_attention(&common, &config) } else { full(&common, &config) };
        let ffn = if *sparse == 1 { moe } else { gated(config.intermediate_size.0) };
        Layer::new(Mixer::Attention(attention), ffn)
    };
    Ok(common.model(config.hybrid_layer_pattern.iter().zip(&config.moe_layer_freq).map(layer)))
}

fn full(common: &Common, config: &Config) -> Attention {
    Attention { v_dim: config.v_head_dim.0, ..common.attention() }
}

/// One sink a head.
fn windowed_attention(common: &Common, config: &Config) -> Attention {
    let heads = config.swa_num_attention_heads.0;
    Attention {
        heads,
        kv_heads: config.swa_num_key_value_heads.0,
        qk_dim: config.swa_head_dim.0,
        v_dim: config.swa_v_head_dim.0,
        window: common.window(),
        small: heads,
        ..common.attention()
    }
}

fn experts(config: &Config) -> Result<Ffn, Refusal> {
    let (experts, topk, width) =
        (config.n_routed_experts.0, config.num_experts_per_tok.0, config.moe_intermediate_size.0);
    check_topk(topk, experts)?;
    let shared = config.n_shared_experts.map_or(0, |count| count.0) * width;
    Ok(Ffn::Moe(Moe { shared, router_bias: true, ..Moe::plain(experts, topk, width) }))
}
