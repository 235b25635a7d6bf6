//! `MiniMax` M2 (full attention, experts everywhere) and M3 (block-sparse attention behind a few dense layers).

use serde::Deserialize;

use super::common::{Common, gated};
use super::{Refusal, Text, check_topk, vision};
use crate::config::{Dim, Few, Heads, Optional, Size};
use crate::ffn::{Ffn, Moe};
use crate::mixer::{Attention, BlockSparse, IndexHeads, Mixer};
use crate::model::{Layer, Model, Mtp};

#[derive(Deserialize)]
struct Experts {
    /// Inner width of an expert.
    intermediate_size: Size,
    #[serde(rename = "num_local_experts")]
    routed: Dim,
    num_experts_per_tok: Dim,
    shared_intermediate_size: Option<Optional>,
    #[serde(rename = "n_shared_experts")]
    shared_copies: Option<Few>,
    num_mtp_modules: Option<Few>,
}

impl Experts {
    fn moe(&self) -> Result<Ffn, Refusal> {
        let (experts, topk) = (self.routed.0, self.num_experts_per_tok.0);
        check_topk(topk, experts)?;
        let copies = self.shared_copies.map_or(1, |count| count.0);
        let shared = self.shared_intermediate_size.map_or(0, |width| width.0) * copies;
        Ok(Ffn::Moe(Moe { shared, router_bias: true, ..Moe::plain(experts, topk, self.intermediate_size.0) }))
    }

    fn mtp(&self, layer: Layer) -> Option<Mtp> {
        let modules = self.num_mtp_modules.map_or(0, |count| count.0);
        (modules > 0).then(|| Mtp { modules, layers: vec![layer] })
    }
}

/// M2 norms all queries and all keys at once.
pub(super) fn read_m2(text: Text) -> Result<Model, Refusal> {
    let common = Common::read(text)?;
    let experts: Experts = text.language()?;
    let small = (common.heads() + common.kv_heads()) * common.head_dim();
    let rope = rotary(text)?.unwrap_or(common.rope());
    let attention = Attention { rope, small, ..common.normed_attention() };
    let layer = Layer::new(Mixer::Attention(attention), experts.moe()?);
    let layers = std::iter::repeat_n(layer, common.depth() as usize);
    Ok(Model { mtp: experts.mtp(layer), ..common.model(layers) })
}

fn rotary(text: Text) -> Result<Option<u32>, Refusal> {
    #[derive(Deserialize)]
    struct Rotary {
        rotary_dim: Option<Dim>,
    }
    Ok(text.language::<Rotary>()?.rotary_dim.map(|dim| dim.0))
}

#[derive(Deserialize)]
struct M3 {
    moe_layer_freq: Vec<u32>,
    dense_intermediate_size: Size,
    sparse_attention_config: SparseConfig,
}

#[derive(Deserialize)]
struct SparseConfig {
    #[serde(rename = "sparse_attention_freq")]
    attention_freq: Vec<u32>,
    #[serde(rename = "sparse_num_index_heads")]
    num_index_heads: Heads,
    #[serde(rename = "sparse_index_dim")]
    index_dim: Dim,
    #[serde(rename = "sparse_topk_blocks")]
    topk_blocks: Dim,
    #[serde(rename = "sparse_block_size")]
    block_size: Dim,
    #[serde(default, rename = "sparse_local_block")]
    local_block: u32,
}

pub(super) fn read_m3(text: Text) -> Result<Model, Refusal> {
    let common = Common::read(text)?;
    let experts: Experts = text.language()?;
    let config: M3 = text.language()?;
    let sparse = &config.sparse_attention_config;
    common.one_a_layer("moe_layer_freq", config.moe_layer_freq.len())?;
    common.one_a_layer("sparse_attention_freq", sparse.attention_freq.len())?;
    let moe = experts.moe()?;
    let rope = rotary(text)?.unwrap_or(common.rope());
    let layer = |(chosen, routed): (&u32, &u32)| {
        let full = Attention { rope, ..common.normed_attention() };
        let attention = if *chosen == 1 { sparse.applied_to(full) } else { full };
        let ffn = if *routed == 1 { moe } else { gated(config.dense_intermediate_size.0) };
        Layer::new(Mixer::Attention(attention), ffn)
    };
    let model = common.model(sparse.attention_freq.iter().zip(&config.moe_layer_freq).map(layer));
    let mtp = model.layers().last().and_then(|last| experts.mtp(*last));
    Ok(Model { mtp, vision: vision::clip(text)?, ..model })
}

impl SparseConfig {
    /// Queries and key of the index carry a norm each.
    fn applied_to(&self, attention: Attention) -> Attention {
        let index = IndexHeads { heads: self.num_index_heads.0, dim: self.index_dim.0 };
        let blocks = self.topk_blocks.0.saturating_add(self.local_block);
        let kept = blocks.saturating_mul(self.block_size.0);
        Attention {
            sparse: Some(BlockSparse { index, kept }),
            small: attention.small + 2 * index.dim,
            ..attention
        }
    }
}
