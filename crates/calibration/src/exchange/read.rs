//! Rows of aiconfigurator's communication tables: NCCL, all-reduce kernels of engines, expert exchange.
//!
//! Sizes are elements, not bytes; NCCL and all-reduce times are ms, those of the expert exchange µs.

use vitruvian_model::{Collective, CollectiveKind, Group};
use vitruvian_quantity::Seconds;

use super::{Engine, Exchange, Path};
use crate::reader::Reading;
use crate::table::Row;

/// `op_name`, `nccl_dtype`, `num_gpus`, `message_size`.
///
/// # Errors
/// A cell that is not what its column asks for.
pub fn library(row: &Row) -> Result<Reading, String> {
    let kind = match row.text("op_name")? {
        "all_reduce" => CollectiveKind::AllReduce,
        "all_gather" => CollectiveKind::AllGather,
        "reduce_scatter" => CollectiveKind::ReduceScatter,
        "alltoall" => CollectiveKind::AllToAll,
        _ => return Ok(Reading::Skip("a pattern that is not modelled")),
    };
    let bytes = row.number("message_size")? * element(row.text("nccl_dtype")?)?;
    Ok(point(row, kind, row.count("num_gpus")?, bytes, Path::Library, row.latency()?))
}

/// `allreduce_dtype`, `num_gpus`, `message_size`, and `backend`, whose eager rows time the host's launch.
///
/// # Errors
/// A cell that is not what its column asks for.
pub fn all_reduce(row: &Row) -> Result<Reading, String> {
    if row.has("backend") && row.text("backend")?.contains("eager") {
        return Ok(Reading::Skip("launched eagerly: the host was measured"));
    }
    let Some(engine) = engine(row) else { return Ok(Reading::Skip("an engine that is not modelled")) };
    let bytes = row.number("message_size")? * element(row.text("allreduce_dtype")?)?;
    Ok(point(
        row,
        CollectiveKind::AllReduce,
        row.count("num_gpus")?,
        bytes,
        Path::Engine(engine),
        row.latency()?,
    ))
}

/// `comm_backend`, `phase`, `ep_size`, `num_tokens`, `topk`, `hidden_size`; rows of 16 bits both ways.
///
/// # Errors
/// A cell that is not what its column asks for.
pub fn experts(row: &Row) -> Result<Reading, String> {
    let path = match row.text("comm_backend")? {
        "deepep_ll" => Path::LowLatency,
        "deepep_ht" => Path::Normal,
        _ => return Ok(Reading::Skip("an expert kernel that is not modelled")),
    };
    let topk = row.count("topk")?;
    let kind = match row.text("phase")? {
        "dispatch" => CollectiveKind::Dispatch { topk },
        "combine" => CollectiveKind::Combine { topk },
        _ => return Ok(Reading::Skip("a phase that is not modelled")),
    };
    let rows = row.number("num_tokens")? * f64::from(topk);
    let bytes = rows * row.number("hidden_size")? * 2.0;
    Ok(point(row, kind, row.count("ep_size")?, bytes, path, row.time("latency", 1e-6)?))
}

fn point(row: &Row, kind: CollectiveKind, size: u32, bytes: f64, path: Path, time: Seconds) -> Reading {
    let collective = Collective { kind, group: Group { size, stride: 1 }, bytes: bytes as u64 };
    Reading::Exchange(Exchange { collective, path, time, software: row.software(), line: row.line.number })
}

fn engine(row: &Row) -> Option<Engine> {
    match row.software()?.name.as_str() {
        "vllm" => Some(Engine::Vllm),
        "sglang" => Some(Engine::Sglang),
        "trtllm" => Some(Engine::TensorRtLlm),
        _ => None,
    }
}

/// Bytes of one element.
fn element(word: &str) -> Result<f64, String> {
    match word {
        "half" | "float16" | "bfloat16" => Ok(2.0),
        "int8" | "uint8" | "fp8" => Ok(1.0),
        "float" | "float32" => Ok(4.0),
        other => Err(format!("`{other}` is not a format of collectives")),
    }
}
