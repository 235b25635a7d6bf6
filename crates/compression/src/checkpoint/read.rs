//! Tensors as numbers, read in pieces.

use vitruvian_diagnostics::Diagnostic;

use super::shards::unreadable;
use super::{Checkpoint, Kind, Stored};
use crate::format::power_of_two;
use crate::{Grid, Matrix};

/// Bytes read at a time, at most: pieces that stay in a core's cache.
const PIECE: usize = 1 << 18;

impl Checkpoint {
    /// Hands over the bytes of a tensor, in pieces of whole blocks.
    ///
    /// # Errors
    /// If the file cannot be read, or `take` refuses.
    pub fn bytes(
        &self,
        tensor: &Stored,
        mut take: impl FnMut(&[u8]) -> Result<(), Diagnostic>,
    ) -> Result<(), Diagnostic> {
        let file = &self.files[tensor.file];
        let (_, block) = tensor.kind.block();
        let mut buffer = vec![0; (PIECE / block * block).min(tensor.bytes as usize)];
        let mut done = 0;
        while done < tensor.bytes {
            let piece = (buffer.len() as u64).min(tensor.bytes - done) as usize;
            file.source
                .read_at(tensor.offset + done, &mut buffer[..piece])
                .map_err(|error| unreadable(&file.name, &error))?;
            take(&buffer[..piece])?;
            done += piece as u64;
        }
        Ok(())
    }

    /// A tensor as 32-bit floats.
    ///
    /// # Errors
    /// If there is none of that name or the file cannot be read.
    pub fn floats(&self, name: &str) -> Result<Vec<f32>, Diagnostic> {
        let tensor = self.stored(name)?;
        let mut values = Vec::with_capacity(tensor.elements());
        self.bytes(tensor, |bytes| {
            decode(tensor.kind, bytes, &mut values);
            Ok(())
        })?;
        Ok(values)
    }

    /// A tensor as a matrix: its last extent is the columns.
    ///
    /// # Errors
    /// As [`Self::floats`].
    pub fn matrix(&self, name: &str) -> Result<Matrix, Diagnostic> {
        let (rows, cols) = self.stored(name)?.matrix();
        Ok(Matrix { rows, cols, data: self.floats(name)? })
    }

    /// Whether all numbers of a tensor are finite, read in pieces.
    ///
    /// # Errors
    /// If they are not, with the name of the tensor; if there is none of that name or the file cannot be read.
    pub fn check_finite(&self, name: &str) -> Result<(), Diagnostic> {
        let tensor = self.stored(name)?;
        let mut values = Vec::new();
        self.bytes(tensor, |bytes| {
            values.clear();
            decode(tensor.kind, bytes, &mut values);
            match values.iter().find(|value| !value.is_finite()) {
                None => Ok(()),
                Some(value) => Err(Diagnostic::error("weight", format!("`{name}` holds {value}"))
                    .help("a checkpoint with such a weight is broken; download it again")),
            }
        })
    }

    /// A tensor of integers.
    ///
    /// # Errors
    /// If there is none of that name, it holds no integers of 8 or 32 bits, or the file cannot be read.
    pub(super) fn integers(&self, name: &str) -> Result<Vec<u32>, Diagnostic> {
        let tensor = self.stored(name)?;
        let mut values = Vec::with_capacity(tensor.elements());
        self.bytes(tensor, |bytes| {
            match tensor.kind {
                Kind::I32 => values.extend(words(bytes).map(u32::from_le_bytes)),
                Kind::I64 => values.extend(words(bytes).map(|word| u64::from_le_bytes(word) as u32)),
                Kind::U8 | Kind::Grid(Grid::Int8) => values.extend(bytes.iter().map(|byte| u32::from(*byte))),
                _ => return Err(Diagnostic::error("checkpoint-type", format!("`{name}` holds no integers"))),
            }
            Ok(())
        })?;
        Ok(values)
    }
}

fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks::<N>().0.iter().copied()
}

/// Appends the numbers of some bytes.
fn decode(kind: Kind, bytes: &[u8], values: &mut Vec<f32>) {
    match kind {
        Kind::F64 => values.extend(words(bytes).map(|word| f64::from_le_bytes(word) as f32)),
        Kind::F32 => values.extend(words(bytes).map(f32::from_le_bytes)),
        Kind::Grid(Grid::Bf16) => {
            values.extend(words(bytes).map(|word| f32::from_bits(u32::from(u16::from_le_bytes(word)) << 16)));
        }
        Kind::Grid(Grid::Fp16) => {
            values.extend(words(bytes).map(|word| half::f16::from_le_bytes(word).to_f32()));
        }
        Kind::Grid(Grid::Int8) => values.extend(bytes.iter().map(|byte| f32::from(*byte as i8))),
        Kind::Grid(grid) => {
            let numbers: Vec<f32> = (0..256).map(|code| grid.decode(code)).collect();
            values.extend(bytes.iter().map(|byte| numbers[usize::from(*byte)]));
        }
        Kind::E8m0 => values.extend(bytes.iter().map(|byte| power_of_two(i32::from(*byte) - 127))),
        Kind::U8 => values.extend(bytes.iter().map(|byte| f32::from(*byte))),
        Kind::I16 => values.extend(words(bytes).map(|word| f32::from(i16::from_le_bytes(word)))),
        Kind::I32 => values.extend(words(bytes).map(|word| i32::from_le_bytes(word) as f32)),
        Kind::I64 => values.extend(words(bytes).map(|word| i64::from_le_bytes(word) as f32)),
        Kind::Block(block) => bytes.chunks_exact(block.bytes()).for_each(|bytes| block.decode(bytes, values)),
    }
}
