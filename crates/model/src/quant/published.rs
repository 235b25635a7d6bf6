//! The quantisation a checkpoint is published in: `quantization_config` and `hf_quant_config.json`.
//!
//! Three ways of saying it occur, often together: a method for all linear layers (`quant_method: fp8`), a scheme for
//! all with names left out (`ignore`, `modules_to_not_convert`, `exclude_modules`), and a scheme a module
//! (`quantized_layers`). A plan has one scheme a class of modules: where layers of a class differ, the majority decides.

use std::collections::BTreeMap;

use serde::Deserialize;
use vitruvian_diagnostics::{Diagnostic, SourceText};
use vitruvian_quantity::Dtype;

use super::QuantPlan;
use super::names::{self, Class, Patterns};
use crate::config::json_diagnostic;
use crate::model::Model;
use crate::scheme::Scheme;

/// `quantization_config`, in any of its dialects.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct PublishedConfig {
    quant_method: Option<String>,
    quant_algo: Option<String>,
    moe_quant_algo: Option<String>,
    weight_block_size: Option<Vec<u32>>,
    bits: Option<u32>,
    group_size: Option<u32>,
    modules_to_not_convert: Option<Vec<String>>,
    ignore: Option<Vec<String>>,
    exclude_modules: Option<Vec<String>>,
    config_groups: Option<BTreeMap<String, Group>>,
    quantized_layers: Option<BTreeMap<String, Algorithm>>,
    kv_cache_scheme: Option<KvScheme>,
    kv_cache_quant_algo: Option<String>,
}

#[derive(Deserialize)]
struct Group {
    weights: Option<Tensor>,
    input_activations: Option<Tensor>,
}

/// How a tensor is quantised.
#[derive(Deserialize)]
struct Tensor {
    num_bits: u32,
    r#type: Option<String>,
    dynamic: Option<serde_json::Value>,
    strategy: Option<String>,
    group_size: Option<u32>,
}

#[derive(Deserialize)]
struct Algorithm {
    quant_algo: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum KvScheme {
    Name(String),
    Tensor(Tensor),
}

/// The plan that `quantization_config` amounts to, and what of it is not understood.
pub(crate) fn plan_of(config: &PublishedConfig, expert_dtype: Option<&str>, model: &Model) -> Published {
    let Some(base) = base_scheme(config) else {
        return Published { plan: None, doubt: unknown(config) };
    };
    let left_out = left_out(config);
    let scheme = |class: Class| class_scheme(config, &left_out, base, class, model);
    let experts = match expert_dtype {
        Some("fp4") if config.moe_quant_algo.is_none() => Scheme::Mxfp4,
        _ => scheme(Class::Experts),
    };
    let attention = scheme(Class::Attention);
    // Tokens travel, and index keys are kept, in the 8-bit format of the experts or of the rest.
    let eight_bit = if experts.activation().bits() == 16 { base } else { experts };
    let plan = QuantPlan {
        attention,
        indexer: attention,
        dense_ffn: scheme(Class::DenseFfn),
        experts,
        shared_experts: scheme(Class::SharedExperts),
        lm_head: scheme(Class::LmHead),
        kv: kv_dtype(config),
        group: group(config),
        ..QuantPlan::uniform(eight_bit)
    };
    Published { plan: Some(plan), doubt: None }
}

/// What could be made of a published quantisation.
pub(crate) struct Published {
    /// The plan; none for 16-bit, or where nothing could be made of it.
    pub(crate) plan: Option<QuantPlan>,
    /// What was not understood.
    pub(crate) doubt: Option<String>,
}

/// Reads `ModelOpt`'s `hf_quant_config.json`, which stands beside some `config.json`s in place of a
/// `quantization_config`.
pub(crate) fn read_hf_quant_config(source: &SourceText) -> Result<PublishedConfig, Diagnostic> {
    #[derive(Deserialize)]
    struct File {
        quantization: PublishedConfig,
    }
    let file: File = serde_json::from_str(source.text()).map_err(|error| json_diagnostic(source, &error))?;
    Ok(file.quantization)
}

fn unknown(config: &PublishedConfig) -> Option<String> {
    let name = config.quant_algo.as_deref().or(config.quant_method.as_deref())?;
    Some(format!("quantisation `{name}` is not known: weights are counted in 16 bits"))
}

/// The scheme of all linear layers that nothing else is said of.
fn base_scheme(config: &PublishedConfig) -> Option<Scheme> {
    let method = config.quant_method.as_deref();
    let block = config.weight_block_size.is_some();
    match (method, config.bits) {
        (Some("fp8"), _) => return Some(if block { Scheme::Fp8Block } else { Scheme::Fp8Tensor }),
        (Some("mxfp4"), _) => return Some(Scheme::Mxfp4),
        (Some("awq" | "gptq"), Some(8)) => return Some(Scheme::W8A16),
        (Some("awq" | "gptq"), _) => return Some(Scheme::W4A16),
        _ => {}
    }
    match config.quant_algo.as_deref() {
        // Whatever `quantized_layers` does not list is 16-bit.
        Some("MIXED_PRECISION") => Some(Scheme::Bf16),
        Some(algorithm) => of_algorithm(algorithm),
        None => config.config_groups.as_ref()?.values().next().and_then(of_group),
    }
}

/// Names of `ModelOpt` and TensorRT-LLM.
fn of_algorithm(name: &str) -> Option<Scheme> {
    Some(match name {
        "FP8" | "FP8_PER_CHANNEL_PER_TOKEN" => Scheme::Fp8Tensor,
        "FP8_BLOCK_SCALES" | "FP8_PB_WO" => Scheme::Fp8Block,
        // Weight-only NVFP4 is stored like NVFP4; that it multiplies in 16 bits is not modelled.
        "NVFP4" | "NVFP4_AWQ" | "W4A16_NVFP4" => Scheme::Nvfp4,
        "MXFP8" => Scheme::Mxfp8,
        "MXFP4" | "W4A8_MXFP4_FP8" | "W4A16_MXFP4" => Scheme::Mxfp4,
        "W8A16" => Scheme::W8A16,
        "W4A16" | "W4A16_AWQ" | "INT4_AWQ" => Scheme::W4A16,
        "W4A8_AWQ" => Scheme::W4A8,
        "W8A8_SQ_PER_CHANNEL" | "INT8_SQ" => Scheme::W8A8Static,
        "W8A8_SQ_PER_CHANNEL_PER_TOKEN_PLUGIN" => Scheme::W8A8Dynamic,
        _ => return None,
    })
}

/// A group of `compressed-tensors`: bits and kind of weights, and whether activations are quantised.
fn of_group(group: &Group) -> Option<Scheme> {
    let weights = group.weights.as_ref()?;
    let float = weights.r#type.as_deref() == Some("float");
    let activation = group.input_activations.as_ref();
    match (weights.num_bits, float, activation) {
        (8, true, _) if weights.strategy.as_deref() == Some("block") => Some(Scheme::Fp8Block),
        (8, true, _) => Some(Scheme::Fp8Tensor),
        (8, false, None) => Some(Scheme::W8A16),
        (8, false, Some(tensor)) => {
            Some(if tensor.is_dynamic() { Scheme::W8A8Dynamic } else { Scheme::W8A8Static })
        }
        (4, true, _) => Some(if weights.group_size == Some(16) { Scheme::Nvfp4 } else { Scheme::Mxfp4 }),
        (4, false, Some(tensor)) if tensor.num_bits == 8 => Some(Scheme::W4A8),
        (4, false, _) => Some(Scheme::W4A16),
        _ => None,
    }
}

impl Tensor {
    /// `dynamic` is a truth value, or `"local"`.
    fn is_dynamic(&self) -> bool {
        self.dynamic.as_ref().is_some_and(|value| *value != serde_json::Value::Bool(false))
    }
}

/// Scheme of a class: what its modules are listed under, else the base unless they are left out.
fn class_scheme(
    config: &PublishedConfig,
    left_out: &Patterns,
    base: Scheme,
    class: Class,
    model: &Model,
) -> Scheme {
    if let Some(listed) = listed_scheme(config, class, model) {
        return listed;
    }
    // MXFP4 as OpenAI publishes it is a format of experts alone.
    let experts_only = config.quant_method.as_deref() == Some("mxfp4") && class != Class::Experts;
    // A head tied to the embedding is not a linear layer of the checkpoint; many lists do not name it.
    let kept = class == Class::LmHead && (model.tied || !names_head(config));
    if experts_only || kept || is_left_out(left_out, class, model) { base.sixteen_bit() } else { base }
}

/// Checkpoints quantise the LM head only where they say so.
fn names_head(config: &PublishedConfig) -> bool {
    let listed = config.quantized_layers.as_ref();
    listed.is_some_and(|layers| layers.keys().any(|name| name.ends_with("lm_head")))
}

/// Scheme under which most layers that have the class list it.
fn listed_scheme(config: &PublishedConfig, class: Class, model: &Model) -> Option<Scheme> {
    let listed = config.quantized_layers.as_ref()?;
    let mut found = names::of_class(class, model).filter_map(|candidates| {
        let algorithm = candidates.into_iter().find_map(|name| listed.get(&name))?;
        algorithm.quant_algo.as_deref().and_then(of_algorithm)
    });
    found.next()
}

/// Patterns of the modules left out.
fn left_out(config: &PublishedConfig) -> Patterns<'_> {
    // Beside `quant_method: fp8`, `ignore` belongs to the format of `quantized_layers`.
    let mixed = config.quant_method.as_deref() == Some("fp8") && config.quantized_layers.is_some();
    let ignored = if mixed { None } else { config.ignore.as_ref().or(config.exclude_modules.as_ref()) };
    Patterns::new(config.modules_to_not_convert.iter().chain(ignored).flatten().map(String::as_str))
}

/// Whether most layers that have the class leave it out.
fn is_left_out(left_out: &Patterns, class: Class, model: &Model) -> bool {
    let (mut out, mut all) = (0, 0);
    for candidates in names::of_class(class, model) {
        all += 1;
        out += usize::from(candidates.iter().any(|name| left_out.pick(name)));
    }
    2 * out > all
}

fn kv_dtype(config: &PublishedConfig) -> Dtype {
    let named = |name: &str| match name {
        "FP8" => Dtype::Fp8,
        "INT8" => Dtype::Int8,
        "NVFP4" => Dtype::Nvfp4,
        _ => Dtype::Bf16,
    };
    match (&config.kv_cache_scheme, &config.kv_cache_quant_algo) {
        (Some(KvScheme::Name(name)), _) | (None, Some(name)) => named(name),
        (Some(KvScheme::Tensor(tensor)), _) if tensor.num_bits == 8 => {
            if tensor.r#type.as_deref() == Some("float") { Dtype::Fp8 } else { Dtype::Int8 }
        }
        _ => Dtype::Bf16,
    }
}

/// Weights a scale.
fn group(config: &PublishedConfig) -> u16 {
    let of_groups = config.config_groups.as_ref().and_then(|groups| {
        groups.values().find_map(|group| group.weights.as_ref().and_then(|weights| weights.group_size))
    });
    let size = config.group_size.or(of_groups).unwrap_or(128);
    u16::try_from(size).unwrap_or(128).max(1)
}
