//! The quantisation a checkpoint is published in: `quantization_config` and `hf_quant_config.json`.

use serde::Deserialize;
use vitruvian_diagnostics::{Diagnostic, SourceText};

use super::QuantPlan;

/// `quantization_config`, in any of its dialects.
#[derive(Deserialize)]
pub(crate) struct PublishedConfig {
    quant_method: Option<String>,
}

/// The plan it amounts to.
pub(crate) fn plan_of(config: &PublishedConfig, _model: Option<QuantPlan>) -> Option<QuantPlan> {
    match config.quant_method.as_deref() {
        Some("fp8") => Some(QuantPlan::uniform(crate::scheme::Scheme::Fp8Block)),
        _ => None,
    }
}

/// Reads ModelOpt's `hf_quant_config.json`.
pub fn read_hf_quant_config(_source: &SourceText) -> Result<QuantPlan, Diagnostic> {
    Ok(QuantPlan::BF16)
}
