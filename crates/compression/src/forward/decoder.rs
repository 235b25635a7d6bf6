//! A dense decoder of the Llama and Qwen families: RMSNorm, RoPE, grouped-query attention, SwiGLU; biases and QK norms where the
//! checkpoint has them.

use serde::Deserialize;

use crate::Matrix;
use crate::algebra::linear;

use super::Parameters;
use super::attention::{Mask, add, affine, attend, rotate_positions};
use super::network::{Network, Producer, Reads, Run};
use super::norm::{rms_norm, rms_norm_row};
use super::rope::{RopeScaling, inverse_frequencies};

/// The fields of `config.json` that a forward pass needs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct DecoderConfig {
    /// `llama`, `qwen2`, `qwen3` or `mistral`.
    pub model_type: String,
    /// Tokens of the vocabulary.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width between the two halves of the MLP.
    pub intermediate_size: usize,
    /// Blocks.
    pub num_hidden_layers: usize,
    /// Heads of queries.
    pub num_attention_heads: usize,
    /// Heads of keys and values; as many as queries where absent.
    pub num_key_value_heads: Option<usize>,
    /// Width of a head; hidden size over heads where absent.
    pub head_dim: Option<usize>,
    /// ε of the norms.
    pub rms_norm_eps: f32,
    /// Base of the rotary frequencies.
    #[serde(default = "rope_theta")]
    pub rope_theta: f32,
    /// How the frequencies are stretched.
    pub rope_scaling: Option<RopeScaling>,
    /// Base and stretch as newer configurations have them.
    pub rope_parameters: Option<RopeScaling>,
    /// Whether the head is the embedding.
    #[serde(default)]
    pub tie_word_embeddings: bool,
    /// The activation of the MLP.
    pub hidden_act: Option<String>,
}

fn rope_theta() -> f32 {
    10_000.0
}

/// Families whose blocks are computed as here.
const FAMILIES: [&str; 4] = ["llama", "qwen2", "qwen3", "mistral"];

impl DecoderConfig {
    /// From the text of a `config.json`.
    ///
    /// # Errors
    /// What is missing or not computed here.
    pub fn parse(text: &str) -> Result<Self, String> {
        let config: Self = serde_json::from_str(text).map_err(|error| format!("config.json: {error}"))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        if !FAMILIES.contains(&self.model_type.as_str()) {
            let families = FAMILIES.join(", ");
            return Err(format!(
                "no forward pass for model type `{}`; there is one for {families}",
                self.model_type
            ));
        }
        if self.hidden_act.as_deref().is_some_and(|name| name != "silu") {
            return Err(format!(
                "the MLP's activation is `{}`; only silu is computed",
                self.hidden_act.as_deref().unwrap_or_default()
            ));
        }
        let (heads, groups) = (self.num_attention_heads, self.groups());
        if heads == 0 || groups == 0 || !heads.is_multiple_of(groups) || !self.head_width().is_multiple_of(2)
        {
            return Err(format!(
                "{heads} query heads of width {} cannot share {groups} key heads",
                self.head_width()
            ));
        }
        Ok(())
    }

    /// Heads of keys and values.
    pub fn groups(&self) -> usize {
        self.num_key_value_heads.unwrap_or(self.num_attention_heads)
    }

    /// Base of the rotary frequencies and how they are stretched.
    fn rope(&self) -> (f32, Option<&RopeScaling>) {
        let nested = self.rope_parameters.as_ref();
        let base = nested.and_then(|rope| rope.rope_theta).unwrap_or(self.rope_theta);
        (base, nested.or(self.rope_scaling.as_ref()))
    }

    /// Width of a head.
    pub fn head_width(&self) -> usize {
        self.head_dim.unwrap_or(self.hidden_size / self.num_attention_heads.max(1))
    }
}

/// A decoder with its weights in 32 bits.
#[derive(Clone, Debug)]
pub struct Decoder {
    /// Its shape.
    pub config: DecoderConfig,
    /// Its tensors.
    pub parameters: Parameters,
    frequencies: Vec<f32>,
}

impl Decoder {
    /// A decoder from its configuration and a function that reads a tensor by name; tensors it may lack (biases, QK norms) are
    /// asked for only if `has` says that they are there.
    ///
    /// # Errors
    /// A tensor that is missing, cannot be read, or has another shape than the configuration asks for.
    pub fn load(
        config: DecoderConfig,
        has: impl Fn(&str) -> bool,
        mut read: impl FnMut(&str) -> Result<Matrix, String>,
    ) -> Result<Self, String> {
        let mut parameters = Parameters::default();
        for (name, rows, cols, need) in shapes(&config) {
            if need == Need::Always || has(&name) {
                parameters.0.insert(name.clone(), read(&name)?);
                parameters.require(&name, rows, cols)?;
            }
        }
        if config.tie_word_embeddings {
            let embedding = parameters.matrix(EMBEDDING)?.clone();
            parameters.0.insert(HEAD.to_owned(), embedding);
        }
        let (base, scaling) = config.rope();
        let frequencies = inverse_frequencies(config.head_width(), base, scaling)?;
        Ok(Self { config, parameters, frequencies })
    }

    /// Queries, keys and values on their way into attention.
    fn heads(&self, at: &str, name: &str, x: &Matrix, norm: &str) -> Result<Matrix, String> {
        let mut out = self.project(at, name, x)?;
        let width = self.config.head_width();
        if let Some(gain) = self.parameters.optional(&format!("{at}self_attn.{norm}.weight")) {
            out.data
                .chunks_exact_mut(width)
                .for_each(|head| rms_norm_row(head, gain, self.config.rms_norm_eps));
        }
        rotate_positions(&mut out, width, &self.frequencies);
        Ok(out)
    }

    fn project(&self, at: &str, name: &str, x: &Matrix) -> Result<Matrix, String> {
        let weights = self.parameters.matrix(&format!("{at}{name}.weight"))?;
        Ok(affine(x, weights, self.parameters.optional(&format!("{at}{name}.bias"))))
    }

    fn norm(&self, name: &str, x: &Matrix) -> Result<Matrix, String> {
        Ok(rms_norm(x, self.parameters.vector(name)?, self.config.rms_norm_eps))
    }

    fn attention(&self, at: &str, x: Matrix, run: &mut Run<'_, '_>) -> Result<Matrix, String> {
        let x = run.input(&format!("{at}self_attn.q_proj.weight"), x);
        let q = self.heads(at, "self_attn.q_proj", &x, "q_norm")?;
        let k = self.heads(at, "self_attn.k_proj", &x, "k_norm")?;
        let v = self.project(at, "self_attn.v_proj", &x)?;
        let mixed = attend(&q, &k, &v, self.config.num_attention_heads, self.config.groups(), Mask::Causal);
        self.project(at, "self_attn.o_proj", &run.input(&format!("{at}self_attn.o_proj.weight"), mixed))
    }

    fn mlp(&self, at: &str, x: Matrix, run: &mut Run<'_, '_>) -> Result<Matrix, String> {
        let x = run.input(&format!("{at}mlp.gate_proj.weight"), x);
        let mut inner = self.project(at, "mlp.gate_proj", &x)?;
        let up = self.project(at, "mlp.up_proj", &x)?;
        inner
            .data
            .iter_mut()
            .zip(&up.data)
            .for_each(|(gate, up)| *gate = *gate / (1.0 + (-*gate).exp()) * up);
        self.project(at, "mlp.down_proj", &run.input(&format!("{at}mlp.down_proj.weight"), inner))
    }
}

pub(crate) const EMBEDDING: &str = "model.embed_tokens.weight";
pub(crate) const HEAD: &str = "lm_head.weight";
pub(crate) const LAST_NORM: &str = "model.norm.weight";

/// The prefix of a block's tensors.
pub(crate) fn prefix(block: usize) -> String {
    format!("model.layers.{block}.")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Always,
    IfThere,
}

/// Every tensor with its rows and columns.
fn shapes(config: &DecoderConfig) -> Vec<(String, usize, usize, Need)> {
    let (hidden, inner, width) = (config.hidden_size, config.intermediate_size, config.head_width());
    let (q, kv) = (config.num_attention_heads * width, config.groups() * width);
    let linear = [
        ("self_attn.q_proj", q, hidden),
        ("self_attn.k_proj", kv, hidden),
        ("self_attn.v_proj", kv, hidden),
        ("self_attn.o_proj", hidden, q),
        ("mlp.gate_proj", inner, hidden),
        ("mlp.up_proj", inner, hidden),
        ("mlp.down_proj", hidden, inner),
    ];
    let mut all = vec![(EMBEDDING.to_owned(), config.vocab_size, hidden, Need::Always)];
    for block in 0..config.num_hidden_layers {
        let at = prefix(block);
        for (name, rows, cols) in linear {
            all.push((format!("{at}{name}.weight"), rows, cols, Need::Always));
            all.push((format!("{at}{name}.bias"), 1, rows, Need::IfThere));
        }
        for (name, cols, need) in [
            ("input_layernorm", hidden, Need::Always),
            ("post_attention_layernorm", hidden, Need::Always),
            ("self_attn.q_norm", width, Need::IfThere),
            ("self_attn.k_norm", width, Need::IfThere),
        ] {
            all.push((format!("{at}{name}.weight"), 1, cols, need));
        }
    }
    all.push((LAST_NORM.to_owned(), 1, hidden, Need::Always));
    if !config.tie_word_embeddings {
        all.push((HEAD.to_owned(), config.vocab_size, hidden, Need::Always));
    }
    all
}

impl Network for Decoder {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.parameters
    }

    fn blocks(&self) -> usize {
        self.config.num_hidden_layers
    }

    fn reads(&self, block: usize) -> Vec<Reads> {
        let at = prefix(block);
        let reads = |names: &[&str], producer: Option<Producer>| {
            let weights: Vec<String> = names.iter().map(|name| format!("{at}{name}.weight")).collect();
            Reads { input: weights[0].clone(), weights, producer }
        };
        let norm = |name: &str| Some(Producer::Norm(format!("{at}{name}")));
        let rows = |name: &str| Some(Producer::Rows(format!("{at}{name}")));
        // A shared value head feeds several heads of o_proj, which a factor a channel would have to agree on.
        let own_values = self.config.groups() == self.config.num_attention_heads;
        vec![
            reads(&["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"], norm("input_layernorm")),
            reads(&["self_attn.o_proj"], rows("self_attn.v_proj").filter(|_| own_values)),
            reads(&["mlp.gate_proj", "mlp.up_proj"], norm("post_attention_layernorm")),
            reads(&["mlp.down_proj"], rows("mlp.up_proj")),
        ]
    }

    fn embed(&self, tokens: &[u32]) -> Result<Matrix, String> {
        let table = self.parameters.matrix(EMBEDDING)?;
        if let Some(token) = tokens.iter().find(|&&token| token as usize >= table.rows) {
            return Err(format!("token {token} is beyond the vocabulary of {}", table.rows));
        }
        let data = tokens.iter().flat_map(|&token| table.row(token as usize).iter().copied()).collect();
        Ok(Matrix { rows: tokens.len(), cols: table.cols, data })
    }

    fn block(&self, block: usize, hidden: &Matrix, run: &mut Run<'_, '_>) -> Result<Matrix, String> {
        let at = prefix(block);
        let mut out = hidden.clone();
        let x = self.norm(&format!("{at}input_layernorm.weight"), &out)?;
        add(&mut out, &self.attention(&at, x, run)?);
        let x = self.norm(&format!("{at}post_attention_layernorm.weight"), &out)?;
        add(&mut out, &self.mlp(&at, x, run)?);
        Ok(out)
    }

    fn head(&self, hidden: &Matrix) -> Result<Matrix, String> {
        Ok(linear(&self.norm(LAST_NORM, hidden)?, self.parameters.matrix(HEAD)?))
    }
}

#[cfg(test)]
mod tests {
    use super::DecoderConfig;

    const SMALL: &str =
        r#""vocab_size":8,"hidden_size":4,"intermediate_size":8,"num_hidden_layers":1,"rms_norm_eps":1e-6"#;

    #[test]
    fn older_and_newer_names_of_the_rotary_base_are_read() {
        let read = |rope: &str| {
            let text = format!(r#"{{"model_type":"qwen3","num_attention_heads":2,{SMALL}{rope}}}"#);
            DecoderConfig::parse(&text).unwrap().rope().0
        };
        assert_eq!(read(""), 10_000.0);
        assert_eq!(read(r#","rope_theta":1000000.0"#), 1_000_000.0);
        assert_eq!(read(r#","rope_parameters":{"rope_type":"default","rope_theta":5000.0}"#), 5000.0);
        // Both names of the type, as some configurations have them.
        assert_eq!(read(r#","rope_scaling":{"type":"linear","rope_type":"linear","factor":2.0}"#), 10_000.0);
    }

    #[test]
    fn what_is_not_computed_is_named() {
        let read = |family: &str, heads: u32| {
            let text = format!(r#"{{"model_type":"{family}","num_attention_heads":{heads},{SMALL}}}"#);
            DecoderConfig::parse(&text).unwrap_err()
        };
        assert!(read("gpt2", 2).contains("llama, qwen2, qwen3, mistral"));
        assert!(read("llama", 0).contains("0 query heads"));
        assert!(DecoderConfig::parse("{}").unwrap_err().contains("missing field"));
    }
}
