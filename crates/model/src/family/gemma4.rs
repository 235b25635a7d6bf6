//! Gemma 4: windowed layers and global ones of other heads, whose values are their keys; experts beside a dense layer.

use serde::Deserialize;

use super::common::{Common, gated};
use super::{Refusal, Text, check_topk, contradiction, vision};
use crate::config::{Dim, Heads, Size};
use crate::ffn::{Ffn, Moe};
use crate::mixer::{Attention, Mixer};
use crate::model::{Layer, Model};

#[derive(Deserialize)]
struct Config {
    layer_types: Vec<String>,
    intermediate_size: Size,
    global_head_dim: Option<Dim>,
    num_global_key_value_heads: Option<Heads>,
    #[serde(default)]
    attention_k_eq_v: bool,
    #[serde(default)]
    enable_moe_block: bool,
    num_experts: Option<Dim>,
    top_k_experts: Option<Dim>,
    moe_intermediate_size: Option<Size>,
    rope_parameters: Option<Rope>,
}

#[derive(Deserialize)]
struct Rope {
    full_attention: Option<FullRope>,
}

#[derive(Deserialize)]
struct FullRope {
    partial_rotary_factor: Option<f64>,
}

pub(super) fn read(text: Text) -> Result<Model, Refusal> {
    let common = Common::read(text)?;
    let config: Config = text.language()?;
    common.one_a_layer("layer_types", config.layer_types.len())?;
    let ffn = feed_forward(&config)?;
    // Norms before and after each sublayer; experts add one before and two after.
    let norms = if config.enable_moe_block { 7 } else { 4 };
    let layer = |kind: &String| {
        let local = Attention { window: common.window(), ..common.normed_attention() };
        let attention = if kind == "full_attention" { global(&common, &config) } else { local };
        Layer { norms, ..Layer::new(Mixer::Attention(attention), ffn) }
    };
    let model = common.model(config.layer_types.iter().map(layer));
    let left_out = vec!["per-layer scalars and router scales".to_owned()];
    Ok(Model { vision: vision::gemma(text, common.hidden())?, left_out, ..model })
}

fn global(common: &Common, config: &Config) -> Attention {
    let dim = config.global_head_dim.map_or(common.head_dim(), |dim| dim.0);
    let full = config.rope_parameters.as_ref().and_then(|rope| rope.full_attention.as_ref());
    let factor = full.and_then(|rope| rope.partial_rotary_factor).unwrap_or(1.0).clamp(0.0, 1.0);
    Attention {
        kv_heads: config.num_global_key_value_heads.map_or(common.kv_heads(), |heads| heads.0),
        qk_dim: dim,
        v_dim: dim,
        rope: (f64::from(dim) * factor) as u32,
        shared_kv: config.attention_k_eq_v,
        small: 2 * dim,
        ..common.normed_attention()
    }
}

/// The dense layer beside the experts counts as a shared expert.
fn feed_forward(config: &Config) -> Result<Ffn, Refusal> {
    let dense = config.intermediate_size.0;
    if !config.enable_moe_block {
        return Ok(gated(dense));
    }
    let (Some(experts), Some(topk), Some(width)) =
        (config.num_experts, config.top_k_experts, config.moe_intermediate_size)
    else {
        let message = "experts need `num_experts`, `top_k_experts` and `moe_intermediate_size`";
        return contradiction("enable_moe_block", message);
    };
    check_topk(topk.0, experts.0)?;
    Ok(Ffn::Moe(Moe { shared: dense, ..Moe::plain(experts.0, topk.0, width.0) }))
}
