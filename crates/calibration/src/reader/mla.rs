//! Rows of latent attention.

use vitruvian_cost::{Family, Precision};
use vitruvian_model::Operator;
use vitruvian_model::operator::{Indexer, MlaDecode, PrefillAttention};
use vitruvian_quantity::Dtype;

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

/// Kernels of DeepSeek-V3 (latent 512, rotary key 64, query and key head 192, value head 128) and of GLM-5's index (32
/// heads of 128, top 2,048). Rows of whole modules contain projections and are not points.
///
/// # Errors
/// A cell that is not what its column asks for.
pub fn aiconfigurator(row: &Row) -> Result<Reading, String> {
    match row.text("op_name")? {
        "mla_context" => context(row),
        "mla_generation" => generation(row),
        "glm5_mqa_logits_module" => index(row, 32, u32::MAX),
        "glm5_topk_module" => selection(row),
        _ => Ok(Reading::Skip("a whole module: projections besides the kernel")),
    }
}

fn context(row: &Row) -> Result<Reading, String> {
    let (compute, kv) = formats_of(row)?;
    if kv != compute {
        return Ok(Reading::Skip("new tokens are attended in the format of the products, not of the cache"));
    }
    let heads = row.count("num_heads")?;
    let op = PrefillAttention {
        batch: row.count("batch_size")?,
        new: row.count("isl")?,
        cached: row.count("step")?,
        heads,
        kv_heads: heads,
        qk_dim: 192,
        v_dim: 128,
        window: 0,
        causal: true,
        compute,
        kv,
    };
    let slot = Slot { family: Family::PrefillAttention, precision: Precision::formats(compute, kv) };
    let shape = format!("heads={heads} kv={heads} qk=192 v=128");
    Ok(point(row, slot, vec![Operator::PrefillAttention(op)], row.latency()?, shape))
}

fn generation(row: &Row) -> Result<Reading, String> {
    let (compute, kv) = formats_of(row)?;
    let (heads, context) = (row.count("num_heads")?, row.count("isl")? + row.count("step")?);
    let op = MlaDecode {
        batch: row.count("batch_size")?,
        queries: 1,
        context,
        attended: context,
        heads,
        latent: 512,
        rope: 64,
        compute,
        kv,
    };
    let slot = Slot { family: Family::MlaDecode, precision: Precision::formats(compute, kv) };
    Ok(point(row, slot, vec![Operator::MlaDecode(op)], row.latency()?, format!("heads={heads}")))
}

fn formats_of(row: &Row) -> Result<(Dtype, Dtype), String> {
    Ok((formats::dtype(row.text("mla_dtype")?)?, formats::dtype(row.text("kv_cache_dtype")?)?))
}

/// The selection alone: an index without heads. Scores drawn around one value take other passes than spread ones.
fn selection(row: &Row) -> Result<Reading, String> {
    if row.text("score_mode")? != "flat" {
        return Ok(Reading::Skip("scores that the selection sorts early"));
    }
    if row.number("latency")? <= 0.0 {
        return Ok(Reading::Skip("every key is kept: no kernel runs"));
    }
    index(row, 0, 2048)
}

fn index(row: &Row, heads: u32, topk: u32) -> Result<Reading, String> {
    let (new, cached) = (row.count("isl")?, row.count("step")?);
    if new == 1 && heads > 0 {
        return Ok(Reading::Skip("a decode step runs the paged score kernel, not this one"));
    }
    let op =
        Indexer { batch: row.count("batch_size")?, new, cached, heads, dim: 128, topk, dtype: Dtype::Fp8 };
    let slot = Slot { family: Family::Indexer, precision: Precision::formats(Dtype::Fp8, Dtype::Fp8) };
    Ok(point(row, slot, vec![Operator::Indexer(op)], row.latency()?, format!("heads={heads} new={new}")))
}
