//! Rows of run-time quantisation.

use vitruvian_cost::{Family, Precision};
use vitruvian_quantity::Dtype;

use super::{Reading, gemm, point};
use crate::measurement::Slot;
use crate::table::Row;

/// m, k and a latency. Scaling alone and computing the scale are measured apart; only whole kernels are points.
///
/// # Errors
/// A cell that is not what its column asks for.
pub fn read(row: &Row) -> Result<Reading, String> {
    if row.has("op_name") && row.text("op_name")? != "scale_matrix" {
        return Ok(Reading::Skip("the difference of two kernels"));
    }
    if row.number("latency")? <= 0.0 {
        return Ok(Reading::Skip("too short to be timed"));
    }
    let (m, k) = (row.count("m")?, row.count("k")?);
    let slot = Slot { family: Family::Vector, precision: Precision::formats(Dtype::Bf16, Dtype::Bf16) };
    Ok(point(row, slot, vec![gemm::quantisation(m, k)], row.latency()?, format!("k={k}")))
}
