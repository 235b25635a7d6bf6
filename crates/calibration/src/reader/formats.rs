//! The words that tables use for number formats.

use vitruvian_model::Scheme;
use vitruvian_quantity::Dtype;

/// A scheme of a product; nothing for one that we do not model.
pub fn scheme(word: &str) -> Option<Scheme> {
    Some(match word {
        "bf16" | "bfloat16" => Scheme::Bf16,
        "fp16" | "float16" | "half" => Scheme::Fp16,
        "fp8_block" => Scheme::Fp8Block,
        "fp8" | "fp8_static" | "fp8_ootb" => Scheme::Fp8Tensor,
        "w8a8_dynamic" => Scheme::W8A8Dynamic,
        "w8a8" | "int8" | "sq" | "int8_w8a8" => Scheme::W8A8Static,
        "w8a16" | "int8_wo" => Scheme::W8A16,
        "w4a16" | "int4_wo" | "w4a16_awq" | "w4a16_gptq" => Scheme::W4A16,
        "w4a16_mxfp4" | "mxfp4" => Scheme::Mxfp4,
        "nvfp4" => Scheme::Nvfp4,
        _ => return None,
    })
}

/// A number format of attention.
///
/// # Errors
/// A word that is none.
pub fn dtype(word: &str) -> Result<Dtype, String> {
    Ok(match word {
        "bf16" | "bfloat16" => Dtype::Bf16,
        "fp16" | "float16" | "half" => Dtype::Fp16,
        "fp8" | "fp8_e4m3" => Dtype::Fp8,
        "int8" => Dtype::Int8,
        other => return other.parse(),
    })
}
