//! Rows of dense products.

use vitruvian_cost::{Family, Precision};
use vitruvian_model::operator::{Gemm, VectorKind, VectorOp};
use vitruvian_model::{Operator, Scheme, Sparsity};
use vitruvian_quantity::Dtype;

use super::{Reading, formats, point};
use crate::measurement::Slot;
use crate::table::Row;

/// `dtype` or `gemm_dtype`, m, n, k and a latency.
///
/// # Errors
/// A cell that is not what its column asks for.
pub fn read(row: &Row) -> Result<Reading, String> {
    let word = row.text(if row.has("dtype") { "dtype" } else { "gemm_dtype" })?;
    let Some(scheme) = formats::scheme(word) else {
        return Ok(Reading::Skip("a number format that is not modelled"));
    };
    if launched_one_by_one(row, scheme) {
        return Ok(Reading::Skip("kernels launched one by one by the host, which takes longer than they do"));
    }
    let (m, n, k) = (row.count("m")?, row.count("n")?, row.count("k")?);
    let product = Operator::Gemm(Gemm { m, n, k, batch: 1, scheme, sparsity: Sparsity::Dense });
    let mut operators = vec![product];
    if includes_quantisation(row, scheme) {
        operators.insert(0, quantisation(m, k));
    }
    let slot = Slot { family: Family::Gemm, precision: Precision::Scheme(scheme) };
    Ok(point(row, slot, operators, row.latency()?, format!("n={n} k={k}")))
}

/// Whether a row's time contains the kernel that quantises the activations: always for W8A8-dynamic (vllm-ascend), and for
/// FP8 in aiconfigurator's tables, but not in InferSim's.
fn includes_quantisation(row: &Row, scheme: Scheme) -> bool {
    scheme == Scheme::W8A8Dynamic
        || (matches!(scheme, Scheme::Fp8Block | Scheme::Fp8Tensor) && row.has("framework"))
}

/// vLLM's block FP8 in aiconfigurator's tables: 57, 84 or 178 µs at least, by kernel, whatever the shape, where SGLang's
/// captured graphs take 4.
fn launched_one_by_one(row: &Row, scheme: Scheme) -> bool {
    scheme == Scheme::Fp8Block && row.software().is_some_and(|software| software.name == "vllm")
}

/// Quantisation of m rows of k activations.
pub(super) fn quantisation(m: u32, k: u32) -> Operator {
    Operator::Vector(VectorOp { kind: VectorKind::Quantise, rows: m, width: k, dtype: Dtype::Bf16 })
}
