//! GGUF files: a magic word, metadata, tensor descriptions, then tensors at aligned offsets. Read-only.

pub(super) mod blocks;
mod cursor;

use vitruvian_diagnostics::Diagnostic;

use super::{Kind, Source, Stored};
use crate::Grid;
use blocks::Block;
use cursor::Cursor;

/// Types of metadata values, as numbered in `ggml/include/gguf.h`.
const STRING: u32 = 8;
const ARRAY: u32 = 9;

/// The tensors of a file.
pub(super) fn header(
    name: &str,
    file: usize,
    source: &dyn Source,
) -> Result<Vec<(String, Stored)>, Diagnostic> {
    read(file, source).map_err(|what| {
        Diagnostic::error("checkpoint-header", format!("`{name}` is no whole GGUF file: {what}"))
            .help("compare its size with the published one and download it again")
    })
}

fn read(file: usize, source: &dyn Source) -> Result<Vec<(String, Stored)>, String> {
    let mut cursor = Cursor::new(source);
    if cursor.take::<4>()? != *b"GGUF" {
        return Err("it does not begin with `GGUF`".to_owned());
    }
    let version = cursor.u32()?;
    if !(2..=3).contains(&version) {
        return Err(format!("its version is {version}, known are 2 and 3"));
    }
    let (tensors, values) = (cursor.u64()?, cursor.u64()?);
    let mut alignment = 32;
    for _ in 0..values {
        let key = cursor.string()?;
        let value = value(&mut cursor)?;
        if key == "general.alignment" {
            alignment = value
                .filter(|value| value.is_power_of_two() && *value <= 1 << 20)
                .ok_or("its alignment is no power of two, or too large")?;
        }
    }
    let described: Vec<Described> =
        (0..tensors).map(|_| Described::read(&mut cursor)).collect::<Result<_, _>>()?;
    let start = cursor.at.next_multiple_of(alignment);
    described.into_iter().map(|tensor| tensor.placed(file, start, source.size())).collect()
}

/// Reads one metadata value; whole numbers are handed back.
fn value(cursor: &mut Cursor<'_>) -> Result<Option<u64>, String> {
    let kind = cursor.u32()?;
    value_of(kind, cursor, 0)
}

fn value_of(kind: u32, cursor: &mut Cursor<'_>, depth: u32) -> Result<Option<u64>, String> {
    match kind {
        0 | 1 | 7 => Ok(Some(u64::from(cursor.take::<1>()?[0]))),
        2 | 3 => Ok(Some(u64::from(u16::from_le_bytes(cursor.take()?)))),
        4..=6 => Ok(Some(u64::from(cursor.u32()?))),
        10..=12 => Ok(Some(cursor.u64()?)),
        STRING => cursor.string().map(|_| None),
        ARRAY if depth < 4 => {
            let (kind, count) = (cursor.u32()?, cursor.u64()?);
            (0..count).try_for_each(|_| value_of(kind, cursor, depth + 1).map(|_| ()))?;
            Ok(None)
        }
        other => Err(format!("a metadata value has the unknown type {other}")),
    }
}

/// What the header says of one tensor.
struct Described {
    name: String,
    shape: Vec<usize>,
    kind: Kind,
    offset: u64,
}

impl Described {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, String> {
        let name = cursor.string()?;
        let dimensions = cursor.u32()?;
        if dimensions > 4 {
            return Err(format!("`{name}` has {dimensions} dimensions"));
        }
        let extents: Vec<u64> = (0..dimensions).map(|_| cursor.u64()).collect::<Result<_, _>>()?;
        let number = cursor.u32()?;
        let kind =
            kind(number).ok_or_else(|| format!("`{name}` has the type {number}, which is not read here"))?;
        // The fastest extent comes first.
        let shape = extents.iter().rev().map(|extent| *extent as usize).collect();
        Ok(Self { name, shape, kind, offset: cursor.u64()? })
    }

    fn placed(self, file: usize, start: u64, size: u64) -> Result<(String, Stored), String> {
        let Self { name, shape, kind, offset } = self;
        let elements = shape.iter().try_fold(1u64, |product, extent| product.checked_mul(*extent as u64));
        let rows_whole = shape.last().is_none_or(|cols| cols.is_multiple_of(kind.block().0));
        let bytes = elements.filter(|_| rows_whole).and_then(|elements| kind.bytes(elements));
        let bytes = bytes.ok_or_else(|| format!("`{name}` has the shape {shape:?}, which cannot be"))?;
        let offset = start.checked_add(offset).ok_or_else(|| format!("`{name}` lies beyond all files"))?;
        match offset.checked_add(bytes) {
            Some(end) if end <= size => Ok((name, Stored { file, kind, shape, offset, bytes })),
            _ => Err(format!("`{name}` claims bytes beyond the end: it is truncated")),
        }
    }
}

/// Types as numbered in `ggml/include/ggml.h`.
fn kind(number: u32) -> Option<Kind> {
    Some(match number {
        0 => Kind::F32,
        1 => Kind::Grid(Grid::Fp16),
        2 => Kind::Block(Block::Q4_0),
        8 => Kind::Block(Block::Q8_0),
        12 => Kind::Block(Block::Q4K),
        14 => Kind::Block(Block::Q6K),
        24 => Kind::Grid(Grid::Int8),
        25 => Kind::I16,
        26 => Kind::I32,
        27 => Kind::I64,
        28 => Kind::F64,
        30 => Kind::Grid(Grid::Bf16),
        _ => return None,
    })
}
