//! GPT-like decoders whose configurations use their own words: GPT-2 and 3 (`n_embd`), MPT (`d_model`), BLOOM.

use serde::Deserialize;

use super::{Refusal, Text, contradiction};
use crate::config::{Depth, Heads, Length, Size, Vocabulary};
use crate::ffn::{Activation, Dense, Ffn};
use crate::mixer::{Attention, Mixer};
use crate::model::{Layer, Model};

#[derive(Deserialize)]
struct Config {
    #[serde(alias = "d_model", alias = "hidden_size")]
    n_embd: Size,
    #[serde(alias = "n_layers")]
    n_layer: Depth,
    #[serde(alias = "n_heads")]
    n_head: Heads,
    n_inner: Option<Size>,
    expansion_ratio: Option<Size>,
    vocab_size: Vocabulary,
    #[serde(alias = "max_seq_len", alias = "seq_length")]
    n_positions: Option<Length>,
    tie_word_embeddings: Option<bool>,
    no_bias: Option<bool>,
}

/// Length where a configuration gives none.
const UNSTATED_CONTEXT: u32 = 2048;

pub(super) fn read(text: Text) -> Result<Model, Refusal> {
    let config: Config = text.language()?;
    let (hidden, heads) = (config.n_embd.0, config.n_head.0);
    if heads == 0 || hidden < heads {
        let message = format!("a hidden width of {hidden} leaves nothing for each of {heads} heads");
        return contradiction("n_head", message);
    }
    let width = config.n_inner.map_or_else(
        || hidden.saturating_mul(config.expansion_ratio.map_or(4, |ratio| ratio.0)),
        |inner| inner.0,
    );
    // Biases of four projections; norms of two sublayers have one each.
    let biased = !config.no_bias.unwrap_or(text.model_type == "mpt");
    let small = if biased { 5 * hidden + width + 3 * hidden } else { 0 };
    let attention = Attention { rope: 0, small, ..Attention::plain(heads, heads, hidden / heads) };
    let ffn = Ffn::Dense(Dense { width, activation: Activation::Plain });
    let layer = Layer::new(Mixer::Attention(attention), ffn);
    Ok(Model {
        name: String::new(),
        family: String::new(),
        hidden,
        vocab: config.vocab_size.0,
        tied: config.tie_word_embeddings.unwrap_or(true),
        max_context: config.n_positions.map_or(UNSTATED_CONTEXT, |length| length.0),
        streams: 1,
        kinds: vec![layer],
        order: vec![0; config.n_layer.0 as usize],
        mtp: None,
        vision: None,
        published: None,
        left_out: vec!["learned positions, where there are any".to_owned()],
    })
}
