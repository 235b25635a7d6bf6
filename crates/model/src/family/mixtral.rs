//! Mixtral: routed experts in every layer.

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
}

pub(super) fn read(text: Text) -> Result<Model, Refusal> {
    let common = Common::read(text)?;
    let config: Config = text.language()?;
    let (experts, topk) = (config.num_local_experts.0, config.num_experts_per_tok.0);
    check_topk(topk, experts)?;
    let attention = Attention { window: common.window(), ..common.attention() };
    let moe = Moe::plain(experts, topk, config.intermediate_size.0);
    let layer = Layer::new(Mixer::Attention(attention), Ffn::Moe(moe));
    Ok(common.model(std::iter::repeat_n(layer, common.depth() as usize)))
}
