//! Rows of linear attention.

use vitruvian_cost::{Family, Precision};
use vitruvian_model::Operator;
use vitruvian_model::operator::{LinearAttention, LinearKind};
use vitruvian_quantity::Dtype;

use super::{Reading, point};
use crate::measurement::Slot;
use crate::table::Row;

/// Gated `DeltaNet` and Kimi Delta Attention: the kernel that mixes, without its short convolution.
///
/// # Errors
/// A cell that is not what its column asks for.
pub fn read(row: &Row) -> Result<Reading, String> {
    let kind = match row.text("op_name")? {
        "gdn" => LinearKind::GatedDeltaNet,
        "kda" => LinearKind::KimiDelta,
        _ => return Ok(Reading::Skip("a mixer that we do not model")),
    };
    if row.text("kernel_source")?.starts_with("causal_conv1d") {
        return Ok(Reading::Skip("the short convolution, a kernel besides the mixer"));
    }
    let new = row.count("seq_len")?;
    if row.text("phase")? == "context" && new < kind.chunk() {
        return Ok(Reading::Skip("a chain of chunked kernels on less than a chunk"));
    }
    let (key_heads, value_heads) = (row.count("num_k_heads")?, row.count("num_v_heads")?);
    let op = LinearAttention {
        kind,
        batch: row.count("batch_size")?,
        new,
        key_heads,
        value_heads,
        key_dim: row.count("head_k_dim")?,
        value_dim: row.count("head_v_dim")?,
        conv: 0,
        dtype: Dtype::Bf16,
        state: Dtype::Fp32,
    };
    let slot =
        Slot { family: Family::LinearAttention, precision: Precision::formats(Dtype::Bf16, Dtype::Fp32) };
    let shape = format!("{kind:?} k={key_heads} v={value_heads}");
    Ok(point(row, slot, vec![Operator::LinearAttention(op)], row.latency()?, shape))
}
