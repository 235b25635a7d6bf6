//! DeepSeek-V3 and its kin: latent attention, shared and routed experts behind a few dense layers.
//!
//! V3.2 and GLM-5 add a sparse index; GLM-5.2's `indexer_types` marks the layers that reuse an earlier layer's choice.
//! Kimi K2.5 puts the same language model beside a vision tower.

use serde::Deserialize;

use super::common::{Common, gated};
use super::{Refusal, Text, check_topk, vision};
use crate::config::{Dim, Few, Heads, Optional, Rank, Size};
use crate::ffn::{Ffn, Moe};
use crate::mixer::{IndexHeads, Mixer, Mla, SparseIndex};
use crate::model::{Layer, Model};

#[derive(Deserialize)]
struct Config {
    intermediate_size: Size,
    moe_intermediate_size: Size,
    n_routed_experts: Dim,
    num_experts_per_tok: Dim,
    n_shared_experts: Option<Few>,
    first_k_dense_replace: Optional,
    q_lora_rank: Option<Rank>,
    kv_lora_rank: Dim,
    qk_nope_head_dim: Dim,
    qk_rope_head_dim: Dim,
    v_head_dim: Dim,
    index_n_heads: Option<Heads>,
    index_head_dim: Option<Dim>,
    index_topk: Option<Dim>,
    indexer_types: Option<Vec<String>>,
}

pub(super) fn read(text: Text) -> Result<Model, Refusal> {
    let common = Common::read(text)?;
    let config: Config = text.language()?;
    let moe = experts(&config)?;
    if let Some(types) = &config.indexer_types {
        common.one_a_layer("indexer_types", types.len())?;
    }
    let layer = |index: u32| {
        let ffn =
            if index < config.first_k_dense_replace.0 { gated(config.intermediate_size.0) } else { moe };
        Layer::new(Mixer::Mla(latent(&common, &config, index)), ffn)
    };
    let mtp = common.mtp(vec![Layer::new(Mixer::Mla(latent(&common, &config, 0)), moe)]);
    Ok(Model { mtp, vision: vision::moonvit(text)?, ..common.model((0..common.depth()).map(layer)) })
}

fn experts(config: &Config) -> Result<Ffn, Refusal> {
    let (experts, topk, width) =
        (config.n_routed_experts.0, config.num_experts_per_tok.0, config.moe_intermediate_size.0);
    check_topk(topk, experts)?;
    let shared = config.n_shared_experts.map_or(0, |count| count.0) * width;
    Ok(Ffn::Moe(Moe { shared, router_bias: true, ..Moe::plain(experts, topk, width) }))
}

fn latent(common: &Common, config: &Config, layer: u32) -> Mla {
    Mla {
        heads: common.heads(),
        q_lora: config.q_lora_rank.map_or(0, |rank| rank.0),
        kv_lora: config.kv_lora_rank.0,
        nope: config.qk_nope_head_dim.0,
        rope: config.qk_rope_head_dim.0,
        v: config.v_head_dim.0,
        gate: false,
        sparse: sparse(config, layer),
    }
}

fn sparse(config: &Config, layer: u32) -> Option<SparseIndex> {
    let topk = config.index_topk?.0;
    let heads = IndexHeads { heads: config.index_n_heads?.0, dim: config.index_head_dim?.0 };
    let types = config.indexer_types.as_deref().unwrap_or_default();
    let reuses = types.get(layer as usize).is_some_and(|kind| kind == "shared");
    Some(SparseIndex { topk, index: (!reuses).then_some(heads) })
}
