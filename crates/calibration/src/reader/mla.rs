//! Rows of latent attention.

use vitruvian_cost::{Family, Precision};
use vitruvian_model::Operator;
use vitruvian_model::operator::MlaDecode;

use super::{Reading, formats, point};
use crate::measurement::Slot;
use crate::table::Row;

/// dtype, `kv_dtype`, `batch_size`, `kv_len`: 128 query heads over a latent of 512 and a rotary key of 64 (DeepSeek-V3).
///
/// # Errors
/// A cell that is not what its column asks for.
pub fn decode(row: &Row) -> Result<Reading, String> {
    let (compute, kv) = (formats::dtype(row.text("dtype")?)?, formats::dtype(row.text("kv_dtype")?)?);
    let (batch, context) = (row.count("batch_size")?, row.count("kv_len")?);
    let op = MlaDecode {
        batch,
        queries: 1,
        context,
        attended: context,
        heads: 128,
        latent: 512,
        rope: 64,
        compute,
        kv,
    };
    let slot = Slot { family: Family::MlaDecode, precision: Precision::formats(compute, kv) };
    Ok(point(row, slot, vec![Operator::MlaDecode(op)], row.latency()?, format!("batch={batch}")))
}
