//! Checkpoints: tensors of a model in one or more files, dense or in one of the layouts that engines load.
//!
//! Files are read at offsets, a tensor at a time and in pieces, so that a checkpoint of any size needs the memory of its
//! largest tensor. What a header says is checked before it is believed.

mod gguf;
mod kind;
mod layout;
mod read;
mod safetensors;
mod shards;
mod source;

use std::collections::BTreeMap;

use serde_json::Value;
use vitruvian_diagnostics::{Diagnostic, Diagnostics};

pub use kind::Kind;
pub use layout::{Layout, Weight};
pub use source::{Folder, Memory, Source};

/// A checkpoint whose headers are read.
pub struct Checkpoint {
    files: Vec<File>,
    tensors: BTreeMap<String, Stored>,
    config: Value,
    layout: Layout,
}

/// An open file.
struct File {
    name: String,
    source: Box<dyn Source>,
}

/// Where a tensor lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Index of its file.
    pub(crate) file: usize,
    /// Type of its elements.
    pub kind: Kind,
    /// Extents, the slowest first.
    pub shape: Vec<usize>,
    /// First byte in its file.
    pub(crate) offset: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Stored {
    /// Elements.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Rows and columns: all extents but the last, and the last.
    pub fn matrix(&self) -> (usize, usize) {
        let cols = self.shape.last().copied().unwrap_or(1);
        (self.elements() / cols.max(1), cols)
    }
}

impl Checkpoint {
    /// Reads the headers of a folder's checkpoint: the shards of `model.safetensors.index.json`, else all safetensors
    /// files, else the one GGUF file.
    ///
    /// # Errors
    /// Every shard that is missing, and every header that is truncated or says what cannot be.
    pub fn open(folder: &dyn Folder) -> Result<Self, Diagnostics> {
        let config = shards::json(folder, "config.json")?.unwrap_or(Value::Null);
        let described = shards::json(folder, layout::DESCRIPTION)?;
        let (files, tensors) = shards::open(folder)?;
        let layout = Layout::of(&config, described.as_ref(), &tensors);
        Ok(Self { files, tensors, config, layout })
    }

    /// How its weights are stored.
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// `config.json`, or null.
    pub const fn config(&self) -> &Value {
        &self.config
    }

    /// All tensors by name, as they are stored.
    pub const fn tensors(&self) -> &BTreeMap<String, Stored> {
        &self.tensors
    }

    /// The file of a tensor.
    pub fn file_of(&self, tensor: &Stored) -> &str {
        &self.files[tensor.file].name
    }

    fn stored(&self, name: &str) -> Result<&Stored, Diagnostic> {
        self.tensors.get(name).ok_or_else(|| {
            Diagnostic::error("checkpoint-tensor", format!("the checkpoint has no tensor `{name}`"))
        })
    }
}
