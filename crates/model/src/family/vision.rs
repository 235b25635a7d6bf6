//! Vision towers: parameters only.
//!
//! A transformer over image patches and a projector to the language model's width. Blocks have four h × h attention
//! matrices and two (three if gated) h × i feed-forward matrices; biases and norms where the tower has them.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Refusal, Text};
use crate::config::{Depth, Dim, Few};
use crate::model::Vision;

/// `vision_config`, if there is one.
fn config<T: DeserializeOwned>(text: Text) -> Result<Option<T>, Refusal> {
    #[derive(Deserialize)]
    struct Whole<T> {
        vision_config: Option<T>,
    }
    if !text.nested {
        return Ok(None);
    }
    Ok(text.whole::<Whole<T>>()?.vision_config)
}

/// Attention and a plain feed-forward layer with biases, and two `LayerNorms`.
fn biased_block(h: u64, i: u64) -> u64 {
    4 * h * h + 4 * h + 2 * h * i + i + h + 4 * h
}

/// Two layers with biases from `inputs` through `inputs` to `outputs`.
fn merger(inputs: u64, outputs: u64) -> u64 {
    inputs * inputs + inputs + inputs * outputs + outputs
}

fn tower(parameters: u64) -> Vision {
    Vision { parameters }
}

#[derive(Deserialize)]
struct Qwen {
    depth: Depth,
    hidden_size: Dim,
    intermediate_size: Dim,
    in_channels: Few,
    patch_size: Few,
    temporal_patch_size: Few,
    num_position_embeddings: Dim,
    spatial_merge_size: Few,
    out_hidden_size: Dim,
    #[serde(default)]
    deepstack_visual_indexes: Vec<u32>,
}

/// Qwen3-VL: learned positions, a merger of neighbouring patches, and one more for each `DeepStack` level.
pub(super) fn qwen(text: Text) -> Result<Option<Vision>, Refusal> {
    let Some(c) = config::<Qwen>(text)? else { return Ok(None) };
    let h = u64::from(c.hidden_size.0);
    let area = u64::from(c.patch_size.0).pow(2) * u64::from(c.temporal_patch_size.0);
    let patches = u64::from(c.in_channels.0) * area * h + h;
    let positions = u64::from(c.num_position_embeddings.0) * h;
    let merged = h * u64::from(c.spatial_merge_size.0).pow(2);
    let one = merger(merged, c.out_hidden_size.0.into());
    let deep = c.deepstack_visual_indexes.len() as u64 * (one + 2 * merged);
    let blocks = u64::from(c.depth.0) * biased_block(h, c.intermediate_size.0.into());
    Ok(Some(tower(blocks + patches + positions + one + 2 * h + deep)))
}

#[derive(Deserialize)]
struct MoonVit {
    vt_num_hidden_layers: Depth,
    vt_hidden_size: Dim,
    vt_intermediate_size: Dim,
    qkv_hidden_size: Option<Dim>,
    init_pos_emb_height: Few,
    init_pos_emb_width: Few,
    patch_size: Few,
    merge_kernel_size: [Few; 2],
    text_hidden_size: Dim,
    attn_bias: Option<bool>,
}

/// Kimi's `MoonViT`; K3's has wider queries and no biases.
pub(super) fn moonvit(text: Text) -> Result<Option<Vision>, Refusal> {
    let Some(c) = config::<MoonVit>(text)? else { return Ok(None) };
    let (h, i) = (u64::from(c.vt_hidden_size.0), u64::from(c.vt_intermediate_size.0));
    let inner = c.qkv_hidden_size.map_or(h, |size| u64::from(size.0));
    let plain = 4 * h * inner + 2 * h * i + 2 * h;
    let block = if c.attn_bias.unwrap_or(true) { biased_block(h, i) } else { plain };
    let positions = u64::from(c.init_pos_emb_height.0) * u64::from(c.init_pos_emb_width.0) * h;
    let patches = 3 * u64::from(c.patch_size.0).pow(2) * h + h;
    let merged = h * u64::from(c.merge_kernel_size[0].0) * u64::from(c.merge_kernel_size[1].0);
    let projector = merger(merged, c.text_hidden_size.0.into()) + 2 * h;
    Ok(Some(tower(u64::from(c.vt_num_hidden_layers.0) * block + positions + patches + projector)))
}

#[derive(Deserialize)]
struct Gemma {
    num_hidden_layers: Depth,
    hidden_size: Dim,
    intermediate_size: Dim,
    position_embedding_size: Dim,
    patch_size: Few,
}

/// Gemma 4: gated blocks without biases, positions by row and by column, a linear projector.
pub(super) fn gemma(text: Text, hidden: u32) -> Result<Option<Vision>, Refusal> {
    let Some(c) = config::<Gemma>(text)? else { return Ok(None) };
    let (h, i) = (u64::from(c.hidden_size.0), u64::from(c.intermediate_size.0));
    let block = 4 * h * h + 3 * h * i + 4 * h;
    let positions = 2 * u64::from(c.position_embedding_size.0) * h;
    let patches = 3 * u64::from(c.patch_size.0).pow(2) * h;
    let blocks = u64::from(c.num_hidden_layers.0) * block;
    Ok(Some(tower(blocks + positions + patches + h * u64::from(hidden))))
}

#[derive(Deserialize)]
struct Clip {
    num_hidden_layers: Depth,
    hidden_size: Dim,
    intermediate_size: Dim,
    patch_size: Few,
    projection_dim: Dim,
}

/// MiniMax-M3's CLIP tower: biased blocks, a two-layer projector, and a merger of four neighbouring patches.
pub(super) fn clip(text: Text) -> Result<Option<Vision>, Refusal> {
    let Some(c) = config::<Clip>(text)? else { return Ok(None) };
    let (h, p) = (u64::from(c.hidden_size.0), u64::from(c.projection_dim.0));
    let patches = 3 * 2 * u64::from(c.patch_size.0).pow(2) * h;
    let projector = h * p + p * p + 4 * p * p + p * p;
    let blocks = u64::from(c.num_hidden_layers.0) * biased_block(h, c.intermediate_size.0.into());
    Ok(Some(tower(blocks + patches + projector)))
}
