//! Dense decoders with grouped-query attention: Llama 2 and 3, Mistral, Qwen 2 and 3, Qwen3-VL, `MiMo`.

use serde::Deserialize;

use super::common::{Common, gated};
use super::{Refusal, Text, vision};
use crate::config::Size;
use crate::mixer::{Attention, Mixer};
use crate::model::{Layer, Model};

#[derive(Deserialize)]
struct Config {
    intermediate_size: Size,
    use_sliding_window: Option<bool>,
}

pub(super) fn read(text: Text) -> Result<Model, Refusal> {
    let common = Common::read(text)?;
    let config: Config = text.language()?;
    let layer = Layer::new(
        Mixer::Attention(attention(&common, &config, text.model_type)),
        gated(config.intermediate_size.0),
    );
    let layers = std::iter::repeat_n(layer, common.depth() as usize);
    Ok(Model { mtp: common.mtp(vec![layer]), vision: vision::qwen(text)?, ..common.model(layers) })
}

/// Qwen 3 norms queries and keys; Qwen 2 and `MiMo` bias them; `use_sliding_window` must be true where it exists.
fn attention(common: &Common, config: &Config, model_type: &str) -> Attention {
    let norms = model_type.starts_with("qwen3");
    let biased = common.attention_bias.unwrap_or(model_type == "qwen2");
    let window = if config.use_sliding_window.unwrap_or(true) { common.window() } else { 0 };
    let small = u32::from(norms) * 2 * common.head_dim() + u32::from(biased) * common.qkv_bias();
    Attention { qk_norm: norms, small, window, ..common.attention() }
}
