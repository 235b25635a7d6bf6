//! Rows of quantisation kernels.

use vitruvian_cost::{Family, Precision};
use vitruvian_model::Operator;
use vitruvian_model::operator::{VectorKind, VectorOp};
use vitruvian_quantity::Dtype;

use super::{Reading, point};
use crate::measurement::Slot;
use crate::table::Row;

/// m, k and a latency of scaling alone: one read in 16 bits, one write in FP8, as a write to an FP8 cache is.
///
/// What aiconfigurator states for computing the scale is the difference to the kernel that does both: no kernel of its own.
/// SGLang's rows time a reference in eager PyTorch at a tenth of the bandwidth, not a kernel that serves.
///
/// # Errors
/// A cell that is not what its column asks for.
pub fn read(row: &Row) -> Result<Reading, String> {
    if row.text("op_name")? != "scale_matrix" {
        return Ok(Reading::Skip("the difference of two kernels"));
    }
    if row.text("kernel_source")? != "static_scaled_fp8_quant" {
        return Ok(Reading::Skip("not the kernel that an engine runs"));
    }
    let (m, k) = (row.count("m")?, row.count("k")?);
    let slot = Slot { family: Family::Vector, precision: Precision::VECTOR };
    let op = VectorOp { kind: VectorKind::CacheWrite, rows: m, width: k, dtype: Dtype::Fp8 };
    Ok(point(row, slot, vec![Operator::Vector(op)], row.latency()?, format!("k={k}")))
}
