//! Kimi K3: three layers of Kimi Delta Attention to one of gated latent attention; experts that work on a latent.

use serde::Deserialize;
use vitruvian_quantity::Dtype;

use super::common::{Common, gated};
use super::{Refusal, Text, check_topk, contradiction, vision};
use crate::config::{Dim, Few, Heads, Optional, Rank, Size};
use crate::ffn::{Ffn, Moe};
use crate::mixer::{Linear, Mixer, Mla, OutputGate};
use crate::model::{Layer, Model};
use crate::operator::LinearKind;

#[derive(Deserialize)]
struct Config {
    #[serde(rename = "linear_attn_config")]
    linear: LinearConfig,
    first_k_dense_replace: Optional,
    intermediate_size: Size,
    moe_intermediate_size: Size,
    num_experts: Dim,
    num_experts_per_token: Dim,
    num_shared_experts: Option<Few>,
    routed_expert_hidden_size: Option<Optional>,
    q_lora_rank: Option<Rank>,
    kv_lora_rank: Dim,
    qk_nope_head_dim: Dim,
    qk_rope_head_dim: Dim,
    v_head_dim: Dim,
    #[serde(default)]
    mla_use_output_gate: bool,
}

#[derive(Deserialize)]
struct LinearConfig {
    /// Layers of Kimi Delta Attention, counted from one.
    kda_layers: Vec<u32>,
    full_attn_layers: Vec<u32>,
    head_dim: Dim,
    num_heads: Heads,
    short_conv_kernel_size: Few,
    #[serde(default)]
    use_full_rank_gate: bool,
}

pub(super) fn read(text: Text) -> Result<Model, Refusal> {
    let common = Common::read(text)?;
    let config: Config = text.language()?;
    let linear = &config.linear;
    if let Some(layer) = (1..=common.depth()).find(|layer| linear.is_delta(*layer) == linear.is_full(*layer))
    {
        let message = format!("layer {layer} must stand in either `kda_layers` or `full_attn_layers`");
        return contradiction("linear_attn_config", message);
    }
    let moe = experts(&config)?;
    let layer = |index: u32| {
        let delta = linear.is_delta(index + 1);
        let mixer = if delta { Mixer::Linear(linear.mixer()) } else { Mixer::Mla(latent(&common, &config)) };
        let dense = index < config.first_k_dense_replace.0;
        Layer::new(mixer, if dense { gated(config.intermediate_size.0) } else { moe })
    };
    let left_out = vec!["attention over the residuals of earlier blocks (`attn_res_block_size`)".to_owned()];
    Ok(Model { vision: vision::moonvit(text)?, left_out, ..common.model((0..common.depth()).map(layer)) })
}

impl LinearConfig {
    fn is_delta(&self, layer: u32) -> bool {
        self.kda_layers.contains(&layer)
    }

    fn is_full(&self, layer: u32) -> bool {
        self.full_attn_layers.contains(&layer)
    }

    fn mixer(&self) -> Linear {
        let (heads, dim) = (self.num_heads.0, self.head_dim.0);
        Linear {
            kind: LinearKind::KimiDelta,
            key_heads: heads,
            value_heads: heads,
            key_dim: dim,
            value_dim: dim,
            conv: self.short_conv_kernel_size.0,
            gate: if self.use_full_rank_gate { OutputGate::Full } else { OutputGate::LowRank(dim) },
            state: Dtype::Fp32,
        }
    }
}

fn latent(common: &Common, config: &Config) -> Mla {
    Mla {
        heads: common.heads(),
        q_lora: config.q_lora_rank.map_or(0, |rank| rank.0),
        kv_lora: config.kv_lora_rank.0,
        nope: config.qk_nope_head_dim.0,
        rope: config.qk_rope_head_dim.0,
        v: config.v_head_dim.0,
        gate: config.mla_use_output_gate,
        sparse: None,
    }
}

fn experts(config: &Config) -> Result<Ffn, Refusal> {
    let (experts, topk, width) =
        (config.num_experts.0, config.num_experts_per_token.0, config.moe_intermediate_size.0);
    check_topk(topk, experts)?;
    let shared = config.num_shared_experts.map_or(0, |count| count.0) * width;
    let latent = config.routed_expert_hidden_size.map_or(0, |width| width.0);
    Ok(Ffn::Moe(Moe { shared, latent, router_bias: true, ..Moe::plain(experts, topk, width) }))
}
