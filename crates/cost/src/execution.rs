//! How a chip executes a scheme: natively, after converting the weights, or not at all.

use vitruvian_hardware::Chip;
use vitruvian_hardware::chip::StructuredSparsity;
use vitruvian_model::{Scheme, Sparsity};
use vitruvian_quantity::Dtype;

use crate::refusal::Refusal;

/// How a chip executes the product of one scheme.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Execution {
    /// Format the matrix unit multiplies.
    pub multiply: Dtype,
    /// Bytes read from device memory per weight of the dense matrix: scales, kept share and sparsity index included.
    pub weight_read: f64,
    /// Format that vector units convert each weight to before the product; nothing if stored as multiplied.
    pub dequantise: Option<Dtype>,
    /// Peak rate of the matrix unit against dense: above one under structured sparsity.
    pub speedup: f64,
    /// What a reader should know: what is done instead of what was asked, or that no released stack does it.
    pub note: Option<&'static str>,
}

const AS_FP16: &str = "no BF16 in the matrix unit: runs in FP16";
const FP8_TO_16: &str =
    "no FP8 in the matrix unit: weights are converted to 16 bits and multiplied there (W8A16)";
const FP4_TO_16: &str = "no FP4 in the matrix unit: weights are converted to 16 bits and multiplied there";
const MXFP8_TO_16: &str =
    "no MXFP8 in the matrix unit: weights are converted to 16 bits and multiplied there";
const INT4_TO_INT8: &str = "4-bit weights are widened to INT8 and multiplied there";
const WEIGHT_ONLY: &str = "weight-only: weights are converted to 16 bits before the product";
const UNDEPLOYED: &str =
    "the instruction set has this sparsity, no released LLM stack executes it: a what-if";

/// How `chip` executes `scheme` with weights of this sparsity (`methods` 6.1).
///
/// # Errors
/// [`Refusal::Scheme`] where no released kernel does it, [`Refusal::Sparsity`] where the matrix unit lacks the pattern.
pub fn of(scheme: Scheme, sparsity: Sparsity, chip: &Chip) -> Result<Execution, Refusal> {
    let dense = dense(scheme, chip)?;
    if sparsity == Sparsity::Dense { Ok(dense) } else { sparse(dense, sparsity, chip) }
}

fn dense(scheme: Scheme, chip: &Chip) -> Result<Execution, Refusal> {
    let native = |multiply, note| Execution { note, ..plain(scheme, multiply) };
    let convert = |multiply, note| Execution {
        dequantise: Some(multiply),
        note: Some(note),
        ..plain(scheme, multiply)
    };
    let can = |dtype| chip.compute.matrix.supports(dtype);
    let half = || half(chip).ok_or_else(|| refuse(scheme, chip, "its matrix unit has no 16-bit float"));
    Ok(match scheme {
        Scheme::Bf16 if can(Dtype::Bf16) => native(Dtype::Bf16, None),
        Scheme::Bf16 | Scheme::Fp16 if can(Dtype::Fp16) => {
            native(Dtype::Fp16, (scheme == Scheme::Bf16).then_some(AS_FP16))
        }
        Scheme::Bf16 | Scheme::Fp16 => {
            return Err(refuse(scheme, chip, "its matrix unit has no 16-bit float"));
        }
        Scheme::Fp8Block | Scheme::Fp8Tensor if can(Dtype::Fp8) => native(Dtype::Fp8, None),
        Scheme::Fp8Block | Scheme::Fp8Tensor => convert(half()?, FP8_TO_16),
        Scheme::W8A8Static | Scheme::W8A8Dynamic if can(Dtype::Int8) => native(Dtype::Int8, None),
        Scheme::W8A8Static | Scheme::W8A8Dynamic => {
            return Err(refuse(scheme, chip, "its matrix unit has no INT8: use w8a16 or an FP8 scheme"));
        }
        // MXFP4 has 16-bit activations: converted even where the matrix unit multiplies MXFP4 by MXFP4.
        Scheme::W8A16 | Scheme::W4A16 | Scheme::Mxfp4 => convert(half()?, WEIGHT_ONLY),
        Scheme::W4A8 if can(Dtype::Int8) => convert(Dtype::Int8, INT4_TO_INT8),
        Scheme::W4A8 => return Err(refuse(scheme, chip, "its matrix unit has no INT8: use w4a16")),
        Scheme::Mxfp8 if can(Dtype::Mxfp8) => native(Dtype::Mxfp8, None),
        Scheme::Mxfp8 => convert(half()?, MXFP8_TO_16),
        Scheme::Nvfp4 if can(Dtype::Nvfp4) => native(Dtype::Nvfp4, None),
        Scheme::Nvfp4 => convert(half()?, FP4_TO_16),
    })
}

fn plain(scheme: Scheme, multiply: Dtype) -> Execution {
    Execution { multiply, weight_read: scheme.weight_bytes(), dequantise: None, speedup: 1.0, note: None }
}

/// The 16-bit float that the matrix unit multiplies: BF16 where it can.
pub fn half(chip: &Chip) -> Option<Dtype> {
    [Dtype::Bf16, Dtype::Fp16].into_iter().find(|dtype| chip.compute.matrix.supports(*dtype))
}

fn refuse(scheme: Scheme, chip: &Chip, reason: &str) -> Refusal {
    Refusal::Scheme { chip: chip.title.clone(), scheme, reason: reason.to_owned() }
}

/// Half of the weights and two index bits for each kept one; the matrix unit runs at its stated multiple of dense.
fn sparse(dense: Execution, sparsity: Sparsity, chip: &Chip) -> Result<Execution, Refusal> {
    let refuse = |reason: String| Refusal::Sparsity { chip: chip.title.clone(), sparsity, reason };
    let unit = chip
        .compute
        .sparsity
        .ok_or_else(|| refuse("its matrix unit has no structured sparsity".to_owned()))?;
    let has = pattern(unit.pattern);
    if has != sparsity {
        return Err(refuse(format!("its matrix unit has {has}")));
    }
    if !unit.dtypes.supports(dense.multiply) {
        let formats: Vec<&str> = unit.dtypes.supported().map(|(dtype, _)| dtype.name()).collect();
        let formats = formats.join(", ");
        return Err(refuse(format!("its matrix unit has it for {formats}, not for {}", dense.multiply)));
    }
    let index = sparsity.kept() * sparsity.index_bits() / 8.0;
    let note = if unit.deployed { dense.note } else { Some(UNDEPLOYED) };
    Ok(Execution {
        weight_read: dense.weight_read * sparsity.kept() + index,
        speedup: unit.speedup,
        note,
        ..dense
    })
}

const fn pattern(pattern: StructuredSparsity) -> Sparsity {
    match pattern {
        StructuredSparsity::TwoOfFour => Sparsity::TwoOfFour,
        StructuredSparsity::FourToTwo => Sparsity::FourToTwo,
    }
}
