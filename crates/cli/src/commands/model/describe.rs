//! Layers in the field's words.

use vitruvian_model::ffn::{Activation, Dense, Moe};
use vitruvian_model::mixer::{Attention, Compressed, Linear, Mla};
use vitruvian_model::{Ffn, LinearKind, Mixer};

/// `GQA 64/8 heads of 128`.
pub(super) fn mixer(mixer: &Mixer) -> String {
    match mixer {
        Mixer::None => "–".to_owned(),
        Mixer::Attention(shape) => attention(shape),
        Mixer::Mla(shape) => mla(shape),
        Mixer::Compressed(shape) => compressed(shape),
        Mixer::Linear(shape) => linear(shape),
    }
}

/// `8 of 256 experts of 2048, gated, 1 shared of 2048`.
pub(super) fn ffn(ffn: &Ffn) -> String {
    match ffn {
        Ffn::None => "–".to_owned(),
        Ffn::Dense(Dense { width, activation }) => format!("dense, width {width}, {}", gate(*activation)),
        Ffn::Moe(shape) => moe(shape),
    }
}

fn attention(shape: &Attention) -> String {
    let kind = match shape.kv_heads {
        1 => "MQA",
        heads if heads == shape.heads => "MHA",
        _ => "GQA",
    };
    let window = some(shape.window).map(|tokens| format!(", window {tokens}"));
    let sparse = shape.sparse.map(|sparse| format!(", sparse: {} keys kept", sparse.kept));
    let extras: String = window.into_iter().chain(sparse).collect();
    format!("{kind}, {} query and {} KV heads of {}{extras}", shape.heads, shape.kv_heads, shape.qk_dim)
}

fn mla(shape: &Mla) -> String {
    let sparse =
        shape.sparse.map_or_else(String::new, |sparse| format!(", sparse: {} keys kept", sparse.topk));
    format!("MLA, {} heads, KV latent {} + {}{sparse}", shape.heads, shape.kv_lora, shape.rope)
}

fn compressed(shape: &Compressed) -> String {
    let past = some(shape.ratio).map(|ratio| format!(", one entry for {ratio} older tokens"));
    let kept = shape.index.map(|index| format!(", {} entries kept", index.topk));
    let extras: String = past.into_iter().chain(kept).collect();
    format!(
        "compressed attention, {} heads of {}, window {}{extras}",
        shape.heads, shape.head_dim, shape.window
    )
}

fn linear(shape: &Linear) -> String {
    let kind = match shape.kind {
        LinearKind::GatedDeltaNet => "Gated DeltaNet",
        LinearKind::KimiDelta => "KDA",
        LinearKind::Mamba2 => "Mamba-2",
    };
    format!("{kind}, {} heads of {} × {}", shape.value_heads, shape.key_dim, shape.value_dim)
}

fn moe(shape: &Moe) -> String {
    let shared = some(shape.shared).map_or_else(String::new, |width| format!(", shared width {width}"));
    let Moe { topk, experts, width, activation, .. } = shape;
    format!("{topk} of {experts} experts of width {width}, {}{shared}", gate(*activation))
}

fn gate(activation: Activation) -> &'static str {
    match activation {
        Activation::Gated => "gated",
        Activation::Plain => "plain",
    }
}

/// Zero stands for "none" in shapes.
fn some(count: u32) -> Option<u32> {
    (count > 0).then_some(count)
}
