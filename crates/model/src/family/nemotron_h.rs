//! Nemotron-H: each layer is one of Mamba-2, attention, a dense layer or experts.

use serde::Deserialize;
use vitruvian_quantity::Dtype;

use super::common::Common;
use super::{Refusal, Text, check_topk, contradiction};
use crate::config::{Dim, Few, Heads, Optional, Size};
use crate::ffn::{Activation, Dense, Ffn, Moe};
use crate::mixer::{Attention, Linear, Mixer, OutputGate};
use crate::model::{Layer, Model};
use crate::operator::LinearKind;

#[derive(Deserialize)]
struct Config {
    hybrid_override_pattern: Option<String>,
    layers_block_type: Option<Vec<String>>,
    mtp_hybrid_override_pattern: Option<String>,
    mtp_layers_block_type: Option<Vec<String>>,
    intermediate_size: Size,
    mamba_num_heads: Heads,
    mamba_head_dim: Dim,
    n_groups: Heads,
    ssm_state_size: Dim,
    conv_kernel: Few,
    mamba_ssm_cache_dtype: Option<String>,
    moe_intermediate_size: Option<Size>,
    moe_latent_size: Option<Optional>,
    moe_shared_expert_intermediate_size: Option<Optional>,
    n_routed_experts: Option<Dim>,
    num_experts_per_tok: Option<Dim>,
    n_shared_experts: Option<Few>,
}

pub(super) fn read(text: Text) -> Result<Model, Refusal> {
    let common = Common::read_uncounted(text)?;
    let config: Config = text.language()?;
    let kinds = kinds(config.layers_block_type.as_deref(), config.hybrid_override_pattern.as_deref());
    if kinds.is_empty() {
        return contradiction(
            "model_type",
            "neither `layers_block_type` nor `hybrid_override_pattern` lists layers",
        );
    }
    if common.depth() > 0 {
        common.one_a_layer("hybrid_override_pattern", kinds.len())?;
    }
    let layers = layers(&common, &config, &kinds)?;
    let drafting =
        self::kinds(config.mtp_layers_block_type.as_deref(), config.mtp_hybrid_override_pattern.as_deref());
    let mtp = common.mtp(self::layers(&common, &config, &drafting)?);
    Ok(Model { mtp, ..common.model(layers.into_iter()) })
}

/// Letters of a pattern or words of a list, as letters.
fn kinds(words: Option<&[String]>, pattern: Option<&str>) -> Vec<char> {
    let letter = |word: &String| match word.as_str() {
        "mamba" => 'M',
        "attention" => '*',
        "moe" => 'E',
        "mlp" => '-',
        _ => '?',
    };
    match (words, pattern) {
        (Some(words), _) => words.iter().map(letter).collect(),
        (None, Some(pattern)) => pattern.chars().collect(),
        (None, None) => Vec::new(),
    }
}

fn layers(common: &Common, config: &Config, kinds: &[char]) -> Result<Vec<Layer>, Refusal> {
    kinds.iter().map(|kind| layer(common, config, *kind)).collect()
}

fn layer(common: &Common, config: &Config, kind: char) -> Result<Layer, Refusal> {
    match kind {
        'M' => Ok(Layer::new(Mixer::Linear(mamba(config)), Ffn::None)),
        // Nemotron-H's attention does not rotate.
        '*' => Ok(Layer::new(Mixer::Attention(Attention { rope: 0, ..common.attention() }), Ffn::None)),
        'E' => Ok(Layer::new(Mixer::None, experts(config)?)),
        '-' => {
            let dense = Dense { width: config.intermediate_size.0, activation: Activation::Plain };
            Ok(Layer::new(Mixer::None, Ffn::Dense(dense)))
        }
        _ => contradiction(
            "hybrid_override_pattern",
            "layers are `M` (mamba), `*` (attention), `E` (moe) and `-` (mlp)",
        ),
    }
}

fn mamba(config: &Config) -> Linear {
    let wide = config.mamba_ssm_cache_dtype.as_deref() == Some("float32");
    Linear {
        kind: LinearKind::Mamba2,
        key_heads: config.n_groups.0,
        value_heads: config.mamba_num_heads.0,
        key_dim: config.ssm_state_size.0,
        value_dim: config.mamba_head_dim.0,
        conv: config.conv_kernel.0,
        gate: OutputGate::Full,
        state: if wide { Dtype::Fp32 } else { Dtype::Bf16 },
    }
}

/// Squared-ReLU experts, on a latent in the larger models.
fn experts(config: &Config) -> Result<Ffn, Refusal> {
    let (Some(experts), Some(topk), Some(width)) =
        (config.n_routed_experts, config.num_experts_per_tok, config.moe_intermediate_size)
    else {
        let message = "experts need `n_routed_experts`, `num_experts_per_tok` and `moe_intermediate_size`";
        return contradiction("model_type", message);
    };
    check_topk(topk.0, experts.0)?;
    let copies = config.n_shared_experts.map_or(1, |count| count.0);
    Ok(Ffn::Moe(Moe {
        activation: Activation::Plain,
        latent: config.moe_latent_size.map_or(0, |width| width.0),
        shared: config.moe_shared_expert_intermediate_size.map_or(0, |width| width.0) * copies,
        router_bias: true,
        ..Moe::plain(experts.0, topk.0, width.0)
    }))
}
