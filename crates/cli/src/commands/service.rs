//! Arguments that say which service a question is about.

use clap::Args;
use vitruvian::study::Service;
use vitruvian_diagnostics::{Diagnostics, both};

use crate::inputs;

/// Model, lengths, formats and software.
#[derive(Debug, Args)]
pub(crate) struct ServiceArgs {
    /// The model: a name of the catalog (`model list`), a config.json, or a folder that holds one
    #[arg(long, default_value = "qwen3-32b", value_name = "MODEL")]
    model: String,
    /// Prompt tokens of a request (ISL)
    #[arg(long, default_value_t = 4096, value_name = "TOKENS")]
    isl: u32,
    /// Generated tokens of a request (OSL)
    #[arg(long, default_value_t = 1024, value_name = "TOKENS")]
    osl: u32,
    /// Prompt tokens found in the prefix cache
    #[arg(long, default_value_t = 0, value_name = "TOKENS")]
    cached: u32,
    /// Precisions to consider: bf16, fp16, fp8, fp8-block, w8a8, w8a8-dynamic, w8a16, w4a16, w4a8, mxfp8, mxfp4, nvfp4, or
    /// published for the checkpoint's own; without it, what the chip and the checkpoint suggest
    #[arg(long = "precision", value_delimiter = ',', value_name = "SCHEME")]
    precisions: Vec<String>,
    /// Format of the KV cache: bf16, fp8 or int8; without it, the checkpoint's own
    #[arg(long, value_name = "DTYPE")]
    kv: Option<String>,
    /// Format of attention's products: bf16, fp8 or int8; without it, 16 bits
    #[arg(long, value_name = "DTYPE")]
    attention: Option<String>,
    /// Structured sparsity of the weights: dense, 2:4 (NVIDIA) or 4:2 (Da Vinci)
    #[arg(long, value_name = "PATTERN")]
    sparsity: Option<String>,
    /// Serving engine: vllm, sglang, tensorrt-llm, vllm-ascend or mindie; without it, the first that runs on the chip
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
    /// What hides the exchange of tokens between experts: single-batch or two-batch, where the engine has it; without it,
    /// nothing
    #[arg(long, value_name = "HOW")]
    overlap_experts: Option<String>,
    /// Node the chips sit in: a name of the catalog or a TOML file; without it, the one they are usually sold in
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    /// How closely kernels are looked at: roofline, tile with fitted profiles, or simulated on a Da Vinci core
    #[arg(long, default_value = "tile", value_name = "FIDELITY")]
    fidelity: String,
    /// Region whose tariff and prices hold: cn, cn-coast, us or eu
    #[arg(long, default_value = "cn", value_name = "REGION")]
    region: String,
}

impl ServiceArgs {
    /// The service asked for, its model file read.
    pub(crate) fn service(&self) -> Result<Service, Diagnostics> {
        let node = self.node.as_deref().map(inputs::node_input).transpose();
        let (model, node) = both(inputs::model_input(&self.model), node)?;
        Ok(Service {
            model,
            input_tokens: self.isl,
            output_tokens: self.osl,
            cached_tokens: self.cached,
            precisions: self.precisions.clone(),
            kv: self.kv.clone(),
            attention: self.attention.clone(),
            sparsity: self.sparsity.clone(),
            engine: self.engine.clone(),
            overlap_experts: self.overlap_experts.clone(),
            node,
            fidelity: Some(self.fidelity.clone()),
            region: Some(self.region.clone()),
        })
    }
}
