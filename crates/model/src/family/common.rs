//! Fields that almost every family has, and the model they outline.

use serde::Deserialize;

use super::{Refusal, Text, contradiction};
use crate::config::{Depth, Dim, Few, Heads, Length, Size, Vocabulary};
use crate::ffn::{Activation, Dense, Ffn};
use crate::mixer::Attention;
use crate::model::{Layer, Model, Mtp};

/// Fields that almost every family has.
#[derive(Deserialize)]
pub(crate) struct Common {
    pub(crate) hidden_size: Size,
    num_hidden_layers: Option<Depth>,
    pub(crate) vocab_size: Vocabulary,
    num_attention_heads: Heads,
    num_key_value_heads: Option<Heads>,
    head_dim: Option<Dim>,
    max_position_embeddings: Option<Length>,
    tie_word_embeddings: Option<bool>,
    pub(crate) attention_bias: Option<bool>,
    sliding_window: Option<Length>,
    partial_rotary_factor: Option<f64>,
    rope_parameters: Option<RopeParameters>,
    num_nextn_predict_layers: Option<Few>,
}

/// `rope_parameters`, where newer configurations keep the rotated share of a head.
#[derive(Deserialize)]
struct RopeParameters {
    partial_rotary_factor: Option<f64>,
}

/// Length where a configuration gives none.
const UNSTATED_CONTEXT: u32 = 4096;

impl Common {
    /// Reads them, and checks that layers are counted and heads divide into groups.
    pub(crate) fn read(text: Text) -> Result<Self, Refusal> {
        let common = Self::read_uncounted(text)?;
        if common.num_hidden_layers.is_none() {
            return contradiction("hidden_size", "missing field `num_hidden_layers`");
        }
        Ok(common)
    }

    /// The same for families that list their layers instead of counting them.
    pub(crate) fn read_uncounted(text: Text) -> Result<Self, Refusal> {
        #[derive(Deserialize)]
        struct Whole {
            tie_word_embeddings: Option<bool>,
        }
        let mut common: Self = text.language()?;
        if common.tie_word_embeddings.is_none() {
            common.tie_word_embeddings = text.whole::<Whole>()?.tie_word_embeddings;
        }
        let (heads, kv_heads) = (common.heads(), common.kv_heads());
        if heads % kv_heads != 0 {
            let message = format!("{heads} query heads do not divide into {kv_heads} key-value heads");
            return contradiction("num_key_value_heads", message);
        }
        if common.head_dim() == 0 {
            let message =
                format!("a hidden width of {} leaves nothing for each of {heads} heads", common.hidden());
            return contradiction("num_attention_heads", message);
        }
        Ok(common)
    }

    pub(crate) fn hidden(&self) -> u32 {
        self.hidden_size.0
    }

    pub(crate) fn depth(&self) -> u32 {
        self.num_hidden_layers.map_or(0, |depth| depth.0)
    }

    pub(crate) fn heads(&self) -> u32 {
        self.num_attention_heads.0
    }

    pub(crate) fn kv_heads(&self) -> u32 {
        self.num_key_value_heads.map_or(self.heads(), |heads| heads.0)
    }

    pub(crate) fn head_dim(&self) -> u32 {
        self.head_dim.map_or(self.hidden() / self.heads(), |dim| dim.0)
    }

    /// Elements of a head that are rotated.
    pub(crate) fn rope(&self) -> u32 {
        let nested = self.rope_parameters.as_ref().and_then(|rope| rope.partial_rotary_factor);
        let factor = self.partial_rotary_factor.or(nested).unwrap_or(1.0);
        (f64::from(self.head_dim()) * factor.clamp(0.0, 1.0)) as u32
    }

    /// The window as an [`Attention::window`]: zero where it is absent or never binds.
    pub(crate) fn window(&self) -> u32 {
        let window = self.sliding_window.map_or(0, |window| window.0);
        if window >= self.max_context() { 0 } else { window }
    }

    /// Query, key and value biases.
    pub(crate) fn qkv_bias(&self) -> u32 {
        (self.heads() + 2 * self.kv_heads()) * self.head_dim()
    }

    /// Attention as the common fields describe it, without window, norms or biases.
    pub(crate) fn attention(&self) -> Attention {
        Attention { rope: self.rope(), ..Attention::plain(self.heads(), self.kv_heads(), self.head_dim()) }
    }

    /// Attention with norms of queries and keys, each as wide as a head.
    pub(crate) fn normed_attention(&self) -> Attention {
        Attention { qk_norm: true, small: 2 * self.head_dim(), ..self.attention() }
    }

    /// MTP modules of these layers, as many as announced.
    pub(crate) fn mtp(&self, layers: Vec<Layer>) -> Option<Mtp> {
        let modules = self.num_nextn_predict_layers.map_or(0, |count| count.0);
        (modules > 0).then_some(Mtp { modules, layers })
    }

    pub(crate) fn max_context(&self) -> u32 {
        self.max_position_embeddings.map_or(UNSTATED_CONTEXT, |length| length.0)
    }

    /// The model with these layers, first to last, and nothing beside them.
    pub(crate) fn model(&self, layers: impl Iterator<Item = Layer>) -> Model {
        let (kinds, order) = stack(layers);
        Model {
            name: String::new(),
            family: String::new(),
            hidden: self.hidden(),
            vocab: self.vocab_size.0,
            tied: self.tie_word_embeddings.unwrap_or(false),
            max_context: self.max_context(),
            streams: 1,
            kinds,
            order,
            mtp: None,
            vision: None,
            published: None,
            left_out: Vec::new(),
        }
    }

    /// Checks that a list has one entry a layer.
    pub(crate) fn one_a_layer(&self, key: &'static str, length: usize) -> Result<(), Refusal> {
        if length == self.depth() as usize {
            return Ok(());
        }
        contradiction(key, format!("`{key}` has {length} entries for {} layers", self.depth()))
    }
}

/// Different layers in order of first occurrence, and which of them each layer is.
fn stack(layers: impl Iterator<Item = Layer>) -> (Vec<Layer>, Vec<u8>) {
    let mut kinds: Vec<Layer> = Vec::new();
    let order = layers.map(|layer| kind_of(&mut kinds, layer)).collect();
    (kinds, order)
}

fn kind_of(kinds: &mut Vec<Layer>, layer: Layer) -> u8 {
    let known = kinds.iter().position(|kind| *kind == layer);
    let index = known.unwrap_or_else(|| {
        kinds.push(layer);
        kinds.len() - 1
    });
    u8::try_from(index).unwrap_or(u8::MAX)
}

/// A gated dense feed-forward layer.
pub(crate) fn gated(width: u32) -> Ffn {
    Ffn::Dense(Dense { width, activation: Activation::Gated })
}
