//! DeepSeek-V4: window and compressed entries, experts in every layer, four residual streams.
//!
//! `compress_ratios` gives one ratio a layer and one for the MTP module: 0 for the window alone, 4 with an index, 128
//! attending to every entry.

use serde::Deserialize;

use super::common::Common;
use super::{Refusal, Text, check_topk, contradiction};
use crate::config::{Dim, Few, Heads, Length, Rank, Size, Whole};
use crate::ffn::{Ffn, Moe};
use crate::mixer::{Compressed, CompressedIndex, IndexHeads, Mixer};
use crate::model::{Layer, Model};

#[derive(Deserialize)]
struct Config {
    compress_ratios: Vec<Rank>,
    hc_mult: Option<Few>,
    index_head_dim: Dim,
    index_n_heads: Heads,
    index_topk: Dim,
    moe_intermediate_size: Size,
    n_routed_experts: Dim,
    n_shared_experts: Option<Few>,
    num_experts_per_tok: Dim,
    o_groups: Heads,
    o_lora_rank: Dim,
    q_lora_rank: Rank,
    qk_rope_head_dim: Dim,
    sliding_window: Length,
}

/// The ratio whose entries overlap and are chosen by an index.
const INDEXED_RATIO: u32 = 4;

pub(super) fn read(text: Text) -> Result<Model, Refusal> {
    let common = Common::read(text)?;
    let config: Config = text.language()?;
    let (depth, listed) = (common.depth() as usize, config.compress_ratios.len());
    if listed != depth && listed != depth + 1 {
        let message = format!("`compress_ratios` has {listed} entries for {depth} layers and an MTP module");
        return contradiction("compress_ratios", message);
    }
    let ffn = experts(&config)?;
    let layer = |ratio: &Rank| Layer::new(Mixer::Compressed(attention(&common, &config, ratio.0)), ffn);
    let model = common.model(config.compress_ratios.iter().take(depth).map(layer));
    let drafting = layer(config.compress_ratios.last().unwrap_or(&Whole(0)));
    let streams = config.hc_mult.map_or(1, |streams| streams.0.clamp(1, 64));
    let left_out = vec!["hash-routing tables of the first layers".to_owned()];
    Ok(Model { mtp: common.mtp(vec![drafting]), streams, left_out, ..model })
}

fn attention(common: &Common, config: &Config, ratio: u32) -> Compressed {
    let heads = IndexHeads { heads: config.index_n_heads.0, dim: config.index_head_dim.0 };
    let index = CompressedIndex { heads, topk: config.index_topk.0 };
    Compressed {
        heads: common.heads(),
        head_dim: common.head_dim(),
        rope: config.qk_rope_head_dim.0.min(common.head_dim()),
        q_lora: config.q_lora_rank.0,
        o_groups: config.o_groups.0,
        o_lora: config.o_lora_rank.0,
        window: config.sliding_window.0,
        ratio,
        index: (ratio == INDEXED_RATIO).then_some(index),
    }
}

fn experts(config: &Config) -> Result<Ffn, Refusal> {
    let (experts, topk, width) =
        (config.n_routed_experts.0, config.num_experts_per_tok.0, config.moe_intermediate_size.0);
    check_topk(topk, experts)?;
    let shared = config.n_shared_experts.map_or(0, |count| count.0) * width;
    Ok(Ffn::Moe(Moe { shared, router_bias: true, ..Moe::plain(experts, topk, width) }))
}
