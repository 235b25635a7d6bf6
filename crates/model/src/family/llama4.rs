//! Llama 4: chunked attention in three of four layers, one routed and one shared expert a token.

use serde::Deserialize;

use super::common::{Common, gated};
use super::{Refusal, Text, check_topk};
use crate::config::{Dim, Length, Size};
use crate::ffn::{Ffn, Moe};
use crate::mixer::{Attention, Mixer};
use crate::model::{Layer, Model};

#[derive(Deserialize)]
struct Config {
    intermediate_size: Size,
    intermediate_size_mlp: Size,
    num_local_experts: Dim,
    num_experts_per_tok: Dim,
    interleave_moe_layer_step: Dim,
    attention_chunk_size: Option<Length>,
}

/// Every fourth layer sees all tokens and does not rotate.
const GLOBAL_EVERY: u32 = 4;

pub(super) fn read(text: Text) -> Result<Model, Refusal> {
    let common = Common::read(text)?;
    let config: Config = text.language()?;
    check_topk(config.num_experts_per_tok.0, config.num_local_experts.0)?;
    let layer = |index: u32| {
        let sparse = (index + 1).is_multiple_of(config.interleave_moe_layer_step.0);
        let ffn = if sparse { experts(&config) } else { gated(config.intermediate_size_mlp.0) };
        Layer::new(Mixer::Attention(attention(&common, &config, index)), ffn)
    };
    let left_out = vec![
        "vision tower, if any (this config.json does not describe one)".to_owned(),
        "chunked attention counts as a sliding window of a chunk, which no token of a chunk exceeds"
            .to_owned(),
    ];
    Ok(Model { left_out, ..common.model((0..common.depth()).map(layer)) })
}

fn attention(common: &Common, config: &Config, index: u32) -> Attention {
    if (index + 1).is_multiple_of(GLOBAL_EVERY) {
        return Attention { rope: 0, ..common.attention() };
    }
    Attention { window: config.attention_chunk_size.map_or(0, |size| size.0), ..common.attention() }
}

fn experts(config: &Config) -> Ffn {
    let width = config.intermediate_size.0;
    let (experts, topk) = (config.num_local_experts.0, config.num_experts_per_tok.0);
    Ffn::Moe(Moe { shared: width, ..Moe::plain(experts, topk, width) })
}
