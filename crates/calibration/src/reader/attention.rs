//! Rows of softmax attention.

use vitruvian_cost::{Family, Precision};
use vitruvian_model::Operator;
use vitruvian_model::operator::{DecodeAttention, PrefillAttention};
use vitruvian_quantity::Dtype;

use super::{Reading, formats, point};
use crate::measurement::Slot;
use crate::table::Row;

/// Kernels that a stack falls back to for shapes which its attention kernel does not take.
const FALLBACKS: [&str; 2] = ["triton", "vllm_flash_attn_fa4"];
/// Keys of a block of the cache: a window that starts within one touches all of it.
const BLOCK: u32 = 128;

/// heads, `kv_heads`, `head_dim`, `seq_len`, and `batch` where it is not one; causal.
///
/// # Errors
/// A cell that is not what its column asks for.
pub fn prefill(row: &Row) -> Result<Reading, String> {
    let (compute, kv) = csv_formats(row)?;
    let dim = row.count("head_dim")?;
    let op = PrefillAttention {
        batch: if row.has("batch") { row.count("batch")? } else { 1 },
        new: row.count("seq_len")?,
        cached: 0,
        heads: row.count("heads")?,
        kv_heads: row.count("kv_heads")?,
        qk_dim: dim,
        v_dim: dim,
        window: 0,
        causal: true,
        compute,
        kv,
    };
    prefill_point(row, op)
}

/// heads, `kv_heads`, `head_dim`, batch, `kv_len`.
///
/// # Errors
/// A cell that is not what its column asks for.
pub fn decode(row: &Row) -> Result<Reading, String> {
    let (compute, kv) = csv_formats(row)?;
    let dim = row.count("head_dim")?;
    let op = DecodeAttention {
        batch: row.count("batch")?,
        queries: 1,
        context: row.count("kv_len")?,
        heads: row.count("heads")?,
        kv_heads: row.count("kv_heads")?,
        qk_dim: dim,
        v_dim: dim,
        window: 0,
        compute,
        kv,
    };
    decode_point(row, op)
}

/// Context rows (`step` cached tokens, `isl` new) and generation rows (`isl` + `step` cached).
///
/// # Errors
/// A cell that is not what its column asks for.
pub fn aiconfigurator(row: &Row) -> Result<Reading, String> {
    let (batch, heads) = (row.count("batch_size")?, row.count("num_heads")?);
    let (isl, step, dim) = (row.count("isl")?, row.count("step")?, row.count("head_dim")?);
    let window = if row.has("window_size") { row.count("window_size")? } else { 0 };
    if FALLBACKS.contains(&row.text("kernel_source")?) {
        return Ok(Reading::Skip("a fallback kernel of its own, not the stack's attention kernel"));
    }
    let kv_heads = match row.count("num_key_value_heads")? {
        0 => heads,
        some => some,
    };
    let compute = formats::dtype(row.text("attn_dtype")?)?;
    let kv = formats::dtype(row.text("kv_cache_dtype")?)?;
    let (qk_dim, v_dim) = (dim, values(row, dim)?);
    if row.text("op_name")? == "context_attention" {
        let op = PrefillAttention {
            batch,
            new: isl,
            cached: step,
            heads,
            kv_heads,
            qk_dim,
            v_dim,
            window,
            causal: true,
            compute,
            kv,
        };
        return prefill_point(row, op);
    }
    let cached = isl + step;
    let cut = window > 0 && window < cached;
    let (window, before) = if cut { (window, (cached - window) / BLOCK * BLOCK) } else { (0, 0) };
    let context = cached - before;
    let queries = 1;
    let op = DecodeAttention { batch, queries, context, heads, kv_heads, qk_dim, v_dim, window, compute, kv };
    decode_point(row, op)
}

/// Width of a value head, which no column states. `SGLang`'s heads of 192 hold values of 128 (MiMo's): its longest decode
/// rows would read 3.58 TB/s of 3.35 on H100 if they were as wide as the keys, and read 2.98 as heads of 128 do.
fn values(row: &Row, dim: u32) -> Result<u32, String> {
    Ok(if dim == 192 && row.text("framework")? == "SGLang" { 128 } else { dim })
}

/// `dtype` and `kv_dtype`; BF16 where a table has none.
fn csv_formats(row: &Row) -> Result<(Dtype, Dtype), String> {
    let of = |column| if row.has(column) { formats::dtype(row.text(column)?).map(Some) } else { Ok(None) };
    let compute = of("dtype")?.unwrap_or(Dtype::Bf16);
    Ok((compute, of("kv_dtype")?.unwrap_or(compute)))
}

fn prefill_point(row: &Row, op: PrefillAttention) -> Result<Reading, String> {
    let slot = Slot { family: Family::PrefillAttention, precision: Precision::formats(op.compute, op.kv) };
    let shape = format!("heads={} kv={} dim={} window={}", op.heads, op.kv_heads, op.qk_dim, op.window);
    Ok(point(row, slot, vec![Operator::PrefillAttention(op)], row.latency()?, shape))
}

fn decode_point(row: &Row, op: DecodeAttention) -> Result<Reading, String> {
    let slot = Slot { family: Family::DecodeAttention, precision: Precision::formats(op.compute, op.kv) };
    let shape = format!("heads={} kv={} dim={}", op.heads, op.kv_heads, op.qk_dim);
    Ok(point(row, slot, vec![Operator::DecodeAttention(op)], row.latency()?, shape))
}
