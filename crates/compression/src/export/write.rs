//! Writing the files.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use vitruvian_diagnostics::Diagnostic;

use super::parts::{encoded, parts};
use super::plain::plain_bytes;
use super::{Export, Part, Quantiser, Recipe, Style, Target, Written};
use crate::checkpoint::{Stored, Weight};

/// Tensors begin at multiples of this, as safetensors wants it: those whose bytes are no multiple of it come last.
const ALIGNMENT: u64 = 8;

/// A tensor of the input and the tensors that stand for it.
struct Piece<'a> {
    name: &'a str,
    stored: &'a Stored,
    chosen: Option<&'a (Weight, Recipe)>,
    parts: Vec<Part>,
}

impl Export<'_> {
    /// Writes all files: tensors, index, configuration and, for msModelSlim, the description.
    ///
    /// # Errors
    /// A weight that is not finite, by name; what cannot be read or written.
    pub fn write(
        &self,
        target: &mut dyn Target,
        quantise: &mut Quantiser<'_>,
    ) -> Result<Written, Diagnostic> {
        let mut written =
            Written { files: Vec::new(), quantised: self.chosen.len(), kept: self.kept.len(), bytes: 0 };
        let (mut places, mut described) = (Map::new(), Vec::new());
        for file in self.files() {
            let pieces = self.pieces(&file);
            written.bytes += self.file(&file, &pieces, target, quantise)?;
            for piece in pieces {
                for part in piece.parts {
                    places.insert(part.name.clone(), json!(file));
                    described.push((part, piece.chosen.map(|(_, recipe)| recipe)));
                }
            }
            written.files.push(file);
        }
        let mut text = |name: &str, value: &Value| -> Result<(), Diagnostic> {
            written.files.push(name.to_owned());
            let text = format!("{value:#}\n");
            create(target, name, |out| out.write_all(text.as_bytes()))
        };
        text("config.json", &self.config())?;
        if self.files().len() > 1 {
            let total: u64 = described.iter().map(|(part, _)| part.bytes()).sum();
            let index = json!({"metadata": {"total_size": total}, "weight_map": places});
            text("model.safetensors.index.json", &index)?;
        }
        if self.style == Style::ModelSlim {
            let description = self.description(described.iter().map(|(part, recipe)| (part, *recipe)));
            text("quant_model_description.json", &description)?;
        }
        written.files.sort();
        Ok(written)
    }

    /// Names of the files that hold tensors.
    fn files(&self) -> Vec<String> {
        let tensors = self.checkpoint.tensors().values();
        let mut names: Vec<String> =
            tensors.map(|tensor| self.checkpoint.file_of(tensor).to_owned()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The tensors of a file, in the order in which they lie there.
    fn pieces(&self, file: &str) -> Vec<Piece<'_>> {
        let all = self.checkpoint.tensors().iter();
        let mut own: Vec<_> = all.filter(|(_, stored)| self.checkpoint.file_of(stored) == file).collect();
        own.sort_by_key(|(_, stored)| stored.offset);
        let piece = |(name, stored): (&'_ String, &'_ Stored)| {
            let chosen = self.chosen.get(name);
            let parts = match chosen {
                Some((weight, recipe)) => parts(self.style, weight, recipe),
                None => vec![Part { name: name.clone(), kind: stored.kind, shape: stored.shape.clone() }],
            };
            (chosen, parts)
        };
        own.into_iter()
            .map(|(name, stored)| {
                let (chosen, parts) = piece((name, stored));
                Piece { name, stored, chosen, parts }
            })
            .collect()
    }

    /// Writes one file and says how many bytes its tensors have.
    fn file(
        &self,
        name: &str,
        pieces: &[Piece<'_>],
        target: &mut dyn Target,
        quantise: &mut Quantiser<'_>,
    ) -> Result<u64, Diagnostic> {
        let (header, total) = header(pieces);
        let mut out = target.create(name).map_err(|error| unwritable(name, &error))?;
        put(&mut *out, name, &header)?;
        let mut late: Vec<(Part, Vec<u8>)> = Vec::new();
        for piece in pieces {
            match piece.chosen {
                None if is_late(&piece.parts[0]) => {
                    let mut bytes = Vec::new();
                    self.plain(piece, |piece| {
                        bytes.extend_from_slice(piece);
                        Ok(())
                    })?;
                    late.push((piece.parts[0].clone(), bytes));
                }
                None => self.plain(piece, |bytes| put(&mut *out, name, bytes))?,
                Some((weight, recipe)) => {
                    for (part, bytes) in self.quantised(piece.name, weight, recipe, quantise)? {
                        if is_late(&part) {
                            late.push((part, bytes));
                        } else {
                            put(&mut *out, name, &bytes)?;
                        }
                    }
                }
            }
        }
        late.sort_by_key(|(part, _)| std::cmp::Reverse(part.kind.block().1));
        late.iter().try_for_each(|(_, bytes)| put(&mut *out, name, bytes))?;
        out.flush().map_err(|error| unwritable(name, &error))?;
        Ok(total)
    }

    /// The bytes of a tensor that stays in its type, changed or as it was.
    fn plain(
        &self,
        piece: &Piece<'_>,
        mut take: impl FnMut(&[u8]) -> Result<(), Diagnostic>,
    ) -> Result<(), Diagnostic> {
        let changed = self.replaced.get(piece.name);
        match changed.and_then(|matrix| plain_bytes(piece.stored.kind, &matrix.data)) {
            Some(bytes) => take(&bytes),
            None => self.checkpoint.bytes(piece.stored, take),
        }
    }

    fn quantised(
        &self,
        name: &str,
        weight: &Weight,
        recipe: &Recipe,
        quantise: &mut Quantiser<'_>,
    ) -> Result<Vec<(Part, Vec<u8>)>, Diagnostic> {
        let matrix = self.checkpoint.matrix(name)?;
        let quantised = quantise(weight, matrix, recipe)
            .map_err(|what| Diagnostic::error("weight", format!("`{name}` cannot be quantised: {what}")))?;
        Ok(encoded(self.style, weight, recipe, &quantised))
    }
}

fn is_late(part: &Part) -> bool {
    !part.bytes().is_multiple_of(ALIGNMENT)
}

/// The header, padded with spaces so that tensors begin aligned, and the bytes of all tensors.
fn header(pieces: &[Piece<'_>]) -> (Vec<u8>, u64) {
    let parts = || pieces.iter().flat_map(|piece| &piece.parts);
    let mut late: Vec<&Part> = parts().filter(|part| is_late(part)).collect();
    late.sort_by_key(|part| std::cmp::Reverse(part.kind.block().1));
    let mut entries = Map::new();
    entries.insert("__metadata__".to_owned(), json!({"format": "pt"}));
    let mut end = 0;
    for part in parts().filter(|part| !is_late(part)).chain(late) {
        let start = end;
        end += part.bytes();
        let dtype = part.kind.safetensors().unwrap_or("U8");
        let entry = json!({"dtype": dtype, "shape": part.shape, "data_offsets": [start, end]});
        entries.insert(part.name.clone(), entry);
    }
    let mut text = Value::Object(entries).to_string().into_bytes();
    text.resize(text.len().next_multiple_of(ALIGNMENT as usize), b' ');
    let mut header = (text.len() as u64).to_le_bytes().to_vec();
    header.append(&mut text);
    (header, end)
}

fn create(
    target: &mut dyn Target,
    name: &str,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Diagnostic> {
    let mut out = target.create(name).map_err(|error| unwritable(name, &error))?;
    write(&mut *out).and_then(|()| out.flush()).map_err(|error| unwritable(name, &error))
}

fn put(out: &mut dyn Write, name: &str, bytes: &[u8]) -> Result<(), Diagnostic> {
    out.write_all(bytes).map_err(|error| unwritable(name, &error))
}

fn unwritable(name: &str, error: &io::Error) -> Diagnostic {
    if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        return Diagnostic::error("output-full", format!("no space is left for `{name}`")).help(
            "nothing is left of it; `checkpoint` in the answer without writing is the size that it needs",
        );
    }
    Diagnostic::error("output-unwritable", format!("cannot write `{name}`: {error}"))
}
