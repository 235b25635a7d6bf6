//! Model families: how each writes its shape into `config.json`. One file a family or a group of near kin.

mod common;
mod deepseek_v3;
mod deepseek_v4;
mod dense;
mod gemma4;
mod gpt;
mod gpt_oss;
mod kimi_k3;
mod llama4;
mod mimo_v2;
mod minimax;
mod mixtral;
mod nemotron_h;
mod nemotron_nas;
mod qwen3_5;
mod qwen3_moe;
mod step3;
mod vision;

use serde::de::DeserializeOwned;

use crate::model::Model;

/// A family of models.
pub(crate) struct Family {
    /// The `model_type`s it reads.
    pub(crate) types: &'static [&'static str],
    /// Reads a configuration. The caller sets name, family and published quantisation.
    pub(crate) read: fn(Text) -> Result<Model, Refusal>,
}

/// All families.
const FAMILIES: &[Family] = &[
    Family { types: &["llama", "mistral", "qwen2", "qwen3", "qwen3_vl", "mimo"], read: dense::read },
    Family { types: &["gpt2", "mpt", "bloom"], read: gpt::read },
    Family { types: &["nemotron-nas"], read: nemotron_nas::read },
    Family { types: &["mixtral"], read: mixtral::read },
    Family { types: &["qwen3_moe", "qwen3_vl_moe"], read: qwen3_moe::read },
    Family { types: &["qwen3_next", "qwen3_5", "qwen3_5_moe"], read: qwen3_5::read },
    Family { types: &["llama4"], read: llama4::read },
    Family { types: &["gpt_oss"], read: gpt_oss::read },
    Family { types: &["gemma4"], read: gemma4::read },
    Family { types: &["mimo_v2_flash"], read: mimo_v2::read },
    Family { types: &["minimax_m2"], read: minimax::read_m2 },
    Family { types: &["minimax_m3", "minimax_m3_vl"], read: minimax::read_m3 },
    Family { types: &["step3p7"], read: step3::read },
    Family {
        types: &["deepseek_v3", "kimi_k2", "kimi_k25", "deepseek_v32", "glm_moe_dsa"],
        read: deepseek_v3::read,
    },
    Family { types: &["deepseek_v4", "deepseek_ref"], read: deepseek_v4::read },
    Family { types: &["kimi_k3"], read: kimi_k3::read },
    Family { types: &["nemotron_h"], read: nemotron_h::read },
];

/// The family that reads a `model_type`.
pub(crate) fn find(model_type: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.types.contains(&model_type))
}

/// All known `model_type`s.
pub(crate) fn names() -> Vec<&'static str> {
    FAMILIES.iter().flat_map(|family| family.types).copied().collect()
}

/// A configuration, whose language model may stand in `text_config`.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    pub(crate) json: &'a str,
    pub(crate) model_type: &'a str,
    pub(crate) nested: bool,
}

/// Why a configuration is no model.
pub(crate) enum Refusal {
    /// Not readable; the error knows the line.
    Json(serde_json::Error),
    /// Readable, but not consistent.
    Contradiction {
        /// Key to point at.
        key: &'static str,
        /// What is wrong.
        message: String,
    },
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}

impl Text<'_> {
    /// Fields of the language model.
    pub(crate) fn language<T: DeserializeOwned>(self) -> Result<T, Refusal> {
        #[derive(serde::Deserialize)]
        struct Nested<T> {
            text_config: T,
        }
        if self.nested {
            return Ok(serde_json::from_str::<Nested<T>>(self.json)?.text_config);
        }
        Ok(serde_json::from_str(self.json)?)
    }

    /// Fields of the whole.
    pub(crate) fn whole<T: DeserializeOwned>(self) -> Result<T, Refusal> {
        Ok(serde_json::from_str(self.json)?)
    }
}

/// Refuses a token more experts than there are.
pub(crate) fn check_topk(topk: u32, experts: u32) -> Result<(), Refusal> {
    if topk <= experts {
        return Ok(());
    }
    contradiction("num_experts_per_tok", format!("{topk} experts a token of only {experts}"))
}

/// Refuses with a message that points at `key`.
pub(crate) fn contradiction<T>(key: &'static str, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Contradiction { key, message: message.into() })
}
