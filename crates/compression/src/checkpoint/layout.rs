//! The layouts in which engines store quantised weights, and reading weights out of them.

mod awq;
mod bits;
mod gptq;
mod packed;
mod scaled;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use vitruvian_diagnostics::Diagnostic;

use super::{Checkpoint, Kind, Stored};
use crate::Matrix;

/// What msModelSlim writes beside its tensors.
pub(super) const DESCRIPTION: &str = "quant_model_description.json";

/// How the weights of a checkpoint are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// 16 or 32 bits throughout.
    Dense,
    /// `quant_method: compressed-tensors` (llm-compressor; vLLM, SGLang).
    CompressedTensors,
    /// `qweight` packed along the input (AutoGPTQ, GPTQModel).
    Gptq,
    /// `qweight` packed along the output, in the order 0, 2, 4, 6, 1, 3, 5, 7 (AutoAWQ).
    Awq,
    /// FP8 with `weight_scale_inv` a block (`DeepSeek`, Qwen).
    Fp8Block,
    /// INT8 or INT4 with scale and offset, described in `quant_model_description.json` (Ascend).
    ModelSlim,
    /// GGUF blocks (llama.cpp).
    Gguf,
    /// Quantised in another way.
    Other,
}

/// A matrix of a checkpoint, dense or quantised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weight {
    /// Its module: `model.layers.0.mlp.up_proj`, or the whole name of a tensor that is not called `weight`.
    pub module: String,
    /// Output channels.
    pub rows: usize,
    /// Input channels.
    pub cols: usize,
    /// Whether it is stored in fewer than 16 bits.
    pub quantised: bool,
    /// The tensor that holds its numbers.
    pub tensor: String,
}

impl Layout {
    pub(super) fn of(config: &Value, described: Option<&Value>, tensors: &BTreeMap<String, Stored>) -> Self {
        let published = config.get("quantization_config").or_else(|| config.get("compression_config"));
        let method = published.and_then(|published| published.get("quant_method")).and_then(Value::as_str);
        let has = |end: &str| tensors.keys().any(|name| name.ends_with(end));
        if described.is_some() {
            return Self::ModelSlim;
        }
        match method {
            Some("compressed-tensors") => Self::CompressedTensors,
            Some("gptq" | "gptqmodel") => Self::Gptq,
            Some("awq") => Self::Awq,
            Some("fp8") => Self::Fp8Block,
            _ if tensors.values().any(|tensor| matches!(tensor.kind, Kind::Block(_))) => Self::Gguf,
            _ if has(".weight_scale_inv") => Self::Fp8Block,
            _ if has(".g_idx") => Self::Gptq,
            _ if tensors
                .iter()
                .any(|(name, tensor)| name.ends_with("weight") && tensor.kind.is_quantised()) =>
            {
                Self::Other
            }
            _ => Self::Dense,
        }
    }

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dense => "dense",
            Self::CompressedTensors => "compressed-tensors",
            Self::Gptq => "gptq",
            Self::Awq => "awq",
            Self::Fp8Block => "fp8-block",
            Self::ModelSlim => "msmodelslim",
            Self::Gguf => "gguf",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Checkpoint {
    /// All matrices, in the order of their names. Norms, biases, scales and zero points are none.
    ///
    /// # Errors
    /// A quantised matrix whose companions are missing or of other shapes.
    pub fn weights(&self) -> Result<Vec<Weight>, Diagnostic> {
        let found = self.tensors.iter().filter_map(|(name, tensor)| self.weight_of(name, tensor).transpose());
        found.collect()
    }

    /// The matrix whose numbers a tensor holds, if it holds such.
    fn weight_of(&self, name: &str, tensor: &Stored) -> Result<Option<Weight>, Diagnostic> {
        let weight = |module: &str, (rows, cols): (usize, usize), quantised: bool| {
            let (module, tensor) = (module.to_owned(), name.to_owned());
            Some(Weight { module, rows, cols, quantised, tensor })
        };
        if let Some(module) = name.strip_suffix(".weight_packed") {
            return Ok(weight(module, packed::shape(self, module, tensor)?, true));
        }
        if let Some(module) = name.strip_suffix(".qweight") {
            let shape = match self.layout {
                Layout::Awq => awq::shape(tensor),
                _ => gptq::shape(self, tensor),
            };
            return Ok(weight(module, shape, true));
        }
        let module = name.strip_suffix(".weight").unwrap_or(name);
        let holds = tensor.shape.len() >= 2 && !is_companion(name);
        Ok(if holds { weight(module, tensor.matrix(), tensor.kind.is_quantised()) } else { None })
    }

    /// A matrix in 32-bit floats, whatever its layout.
    ///
    /// # Errors
    /// If the file cannot be read or the companions of a quantised matrix do not belong to it.
    pub fn dequantised(&self, weight: &Weight) -> Result<Matrix, Diagnostic> {
        let tensor = self.stored(&weight.tensor)?;
        if weight.tensor.ends_with(".weight_packed") {
            return packed::read(self, weight, tensor);
        }
        if weight.tensor.ends_with(".qweight") {
            return if self.layout == Layout::Awq {
                awq::read(self, weight)
            } else {
                gptq::read(self, weight)
            };
        }
        if !weight.quantised || matches!(tensor.kind, Kind::Block(_)) {
            return self.matrix(&weight.tensor);
        }
        scaled::read(self, weight)
    }

    /// A number of the published quantisation: `bits`, `group_size`.
    fn published(&self, key: &str) -> Option<&Value> {
        self.config.get("quantization_config")?.get(key)
    }

    /// Rows and columns of a block, as `weight_block_size` or a group of compressed-tensors has them.
    fn block_size(&self) -> Option<[usize; 2]> {
        let of_groups = || {
            let mut groups = self.published("config_groups")?.as_object()?.values();
            groups.find_map(|group| group.get("weights")?.get("block_structure"))
        };
        let sides = self.published("weight_block_size").or_else(of_groups)?.as_array()?;
        let side =
            |index: usize| sides.get(index)?.as_u64().filter(|side| *side > 0).map(|side| side as usize);
        Some([side(0)?, side(1)?])
    }
}

/// What belongs to a quantised matrix.
const COMPANIONS: [&str; 14] = [
    "weight_scale",
    "weight_scale_inv",
    "weight_scale_second",
    "weight_offset",
    "weight_offset_second",
    "weight_zero_point",
    "weight_global_scale",
    "weight_shape",
    "weight_g_idx",
    "scales",
    "qzeros",
    "g_idx",
    "deq_scale",
    "quant_bias",
];

fn is_companion(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    COMPANIONS.contains(&last) || last.starts_with("input_") || last.ends_with("bias")
}

/// A fault of a matrix's companions.
fn unfit(weight: &str, what: impl fmt::Display) -> Diagnostic {
    Diagnostic::error("checkpoint-layout", format!("the quantised weight `{weight}` cannot be read: {what}"))
}
