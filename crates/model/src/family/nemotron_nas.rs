//! Nemotron from neural architecture search: each layer with its own attention, feed-forward width, or none.

use serde::Deserialize;

use super::common::{Common, gated};
use super::{Refusal, Text, contradiction};
use crate::ffn::Ffn;
use crate::mixer::{Attention, Mixer};
use crate::model::{Layer, Model};

#[derive(Deserialize)]
struct Config {
    block_configs: Vec<Block>,
}

#[derive(Deserialize)]
struct Block {
    attention: AttentionBlock,
    ffn: FfnBlock,
}

#[derive(Deserialize)]
struct AttentionBlock {
    #[serde(default)]
    no_op: bool,
    #[serde(default)]
    replace_with_linear: bool,
    n_heads_in_group: Option<u32>,
}

#[derive(Deserialize)]
struct FfnBlock {
    #[serde(default)]
    no_op: bool,
    #[serde(default)]
    replace_with_linear: bool,
    ffn_mult: Option<f64>,
}

pub(super) fn read(text: Text) -> Result<Model, Refusal> {
    let common = Common::read(text)?;
    let config: Config = text.language()?;
    common.one_a_layer("block_configs", config.block_configs.len())?;
    if config
        .block_configs
        .iter()
        .any(|block| block.attention.replace_with_linear || block.ffn.replace_with_linear)
    {
        return contradiction("replace_with_linear", "sublayers replaced by a linear map are not supported");
    }
    let layers: Result<Vec<Layer>, Refusal> =
        config.block_configs.iter().map(|block| layer(&common, block)).collect();
    Ok(common.model(layers?.into_iter()))
}

fn layer(common: &Common, block: &Block) -> Result<Layer, Refusal> {
    Ok(Layer::new(mixer(common, &block.attention)?, feed_forward(common.hidden(), &block.ffn)?))
}

fn mixer(common: &Common, block: &AttentionBlock) -> Result<Mixer, Refusal> {
    if block.no_op {
        return Ok(Mixer::None);
    }
    let heads = common.heads();
    match block.n_heads_in_group {
        Some(group) if group > 0 && heads.is_multiple_of(group) => {
            Ok(Mixer::Attention(Attention::plain(heads, heads / group, common.head_dim())))
        }
        _ => contradiction("n_heads_in_group", format!("`n_heads_in_group` must divide {heads} query heads")),
    }
}

/// 2/3 · `ffn_mult` · hidden, rounded up to a multiple of 256, as the model's own code does.
fn feed_forward(hidden: u32, block: &FfnBlock) -> Result<Ffn, Refusal> {
    if block.no_op {
        return Ok(Ffn::None);
    }
    match block.ffn_mult {
        Some(multiple) if multiple > 0.0 && multiple < 1024.0 => {
            let width = (2.0 * multiple * f64::from(hidden) / 3.0) as u32;
            Ok(gated(width.next_multiple_of(256)))
        }
        _ => contradiction("ffn_mult", "`ffn_mult` must be positive"),
    }
}
