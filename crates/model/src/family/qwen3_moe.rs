//! Qwen3 with experts, alone or beside a vision tower.

use serde::Deserialize;

use super::common::{Common, gated};
use super::{Refusal, Text, check_topk, vision};
use crate::config::{Dim, Size};
use crate::ffn::{Ffn, Moe};
use crate::mixer::Mixer;
use crate::model::{Layer, Model};

#[derive(Deserialize)]
struct Config {
    intermediate_size: Size,
    moe_intermediate_size: Size,
    num_experts: Dim,
    num_experts_per_tok: Dim,
    decoder_sparse_step: Option<Dim>,
    #[serde(default)]
    mlp_only_layers: Vec<u32>,
}

pub(super) fn read(text: Text) -> Result<Model, Refusal> {
    let common = Common::read(text)?;
    let config: Config = text.language()?;
    let (experts, topk) = (config.num_experts.0, config.num_experts_per_tok.0);
    check_topk(topk, experts)?;
    let step = config.decoder_sparse_step.map_or(1, |step| step.0);
    let layer = |index: u32| {
        let sparse = (index + 1).is_multiple_of(step) && !config.mlp_only_layers.contains(&index);
        let moe = Ffn::Moe(Moe::plain(experts, topk, config.moe_intermediate_size.0));
        let ffn = if sparse { moe } else { gated(config.intermediate_size.0) };
        Layer::new(Mixer::Attention(common.normed_attention()), ffn)
    };
    Ok(Model { vision: vision::qwen(text)?, ..common.model((0..common.depth()).map(layer)) })
}
