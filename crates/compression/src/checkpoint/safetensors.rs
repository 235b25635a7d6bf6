//! The header of a safetensors file: a length in 8 bytes, then JSON, then the tensors without gaps.

use serde::Deserialize;
use serde_json::Value;
use vitruvian_diagnostics::Diagnostic;

use super::shards::unreadable;
use super::{Kind, Source, Stored};

/// Longest header that the format allows.
const LONGEST: u64 = 100_000_000;

/// What the header says of one tensor.
#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

/// The tensors of a file, checked against its size and each other.
pub(super) fn header(
    name: &str,
    file: usize,
    source: &dyn Source,
) -> Result<Vec<(String, Stored)>, Diagnostic> {
    let size = source.size();
    let (text, start) = text(name, source)?;
    let object: serde_json::Map<String, Value> = serde_json::from_slice(&text)
        .map_err(|error| lying(name, format!("its header is not a JSON object: {error}")))?;
    let mut tensors = Vec::with_capacity(object.len());
    for (tensor, value) in object.into_iter().filter(|(tensor, _)| tensor != "__metadata__") {
        let entry: Entry = serde_json::from_value(value)
            .map_err(|error| lying(name, format!("the entry of `{tensor}` is unreadable: {error}")))?;
        let stored =
            checked(&entry, file, start, size).map_err(|what| lying(name, format!("`{tensor}` {what}")))?;
        tensors.push((tensor, stored));
    }
    contiguous(name, start, size, &tensors)?;
    Ok(tensors)
}

/// The header's text, and where the tensors begin.
fn text(name: &str, source: &dyn Source) -> Result<(Vec<u8>, u64), Diagnostic> {
    let size = source.size();
    if size < 8 {
        return Err(lying(name, format!("it has {size} bytes, too few for a header")));
    }
    let mut length = [0; 8];
    source.read_at(0, &mut length).map_err(|error| unreadable(name, &error))?;
    let length = u64::from_le_bytes(length);
    if length > LONGEST || length > size - 8 {
        return Err(lying(name, format!("its header claims {length} bytes of a file of {size}")));
    }
    let mut text = vec![0; length as usize];
    source.read_at(8, &mut text).map_err(|error| unreadable(name, &error))?;
    Ok((text, 8 + length))
}

fn checked(entry: &Entry, file: usize, start: u64, size: u64) -> Result<Stored, String> {
    let kind = Kind::of_safetensors(&entry.dtype)
        .ok_or_else(|| format!("has the unknown type `{}`", entry.dtype))?;
    let [from, to] = entry.data_offsets;
    let elements = entry.shape.iter().try_fold(1u64, |product, extent| product.checked_mul(*extent));
    let wanted = elements.and_then(|elements| kind.bytes(elements));
    let (shape, dtype) = (&entry.shape, &entry.dtype);
    let wanted = wanted.ok_or_else(|| format!("has the shape {shape:?}, which cannot be"))?;
    if to < from || to - from != wanted {
        return Err(format!("of {dtype} {shape:?} needs {wanted} bytes and claims {from}..{to}"));
    }
    if to > size - start {
        return Err(format!(
            "claims bytes up to {to}, the file has {} after its header: it is truncated",
            size - start
        ));
    }
    let shape = entry.shape.iter().map(|extent| *extent as usize).collect();
    Ok(Stored { file, kind, shape, offset: start + from, bytes: wanted })
}

/// Tensors lie one after another: no overlap, no gap, nothing behind.
fn contiguous(name: &str, start: u64, size: u64, tensors: &[(String, Stored)]) -> Result<(), Diagnostic> {
    let mut order: Vec<&(String, Stored)> = tensors.iter().collect();
    order.sort_by_key(|(_, stored)| (stored.offset, stored.bytes));
    let mut end = start;
    for (tensor, stored) in order {
        if stored.offset != end {
            let what =
                if stored.offset < end { "overlaps the tensor before it" } else { "leaves a gap before it" };
            return Err(lying(name, format!("`{tensor}` {what}")));
        }
        end += stored.bytes;
    }
    if end == size { Ok(()) } else { Err(lying(name, format!("{} bytes belong to no tensor", size - end))) }
}

fn lying(name: &str, what: impl Into<String>) -> Diagnostic {
    let what = what.into();
    Diagnostic::error("checkpoint-header", format!("`{name}` is no whole safetensors file: {what}"))
        .help("compare its size with the published one and download it again")
}
