//! Writing a quantised checkpoint in a layout that engines load.
//!
//! A file of the output holds what the file of the same name held, weights quantised as [`Recipe`]s say and all else as it
//! was. Tensors are read, quantised and written one at a time; the header, which comes first, follows from the shapes.

mod config;
mod parts;
mod plain;
mod recipe;
mod write;

use std::collections::BTreeMap;
use std::io;

use vitruvian_diagnostics::{Diagnostic, Diagnostics};

use crate::checkpoint::{Checkpoint, Layout, Weight};
use crate::{Matrix, Quantised};

pub use parts::Part;
pub use plain::round_plain;
pub use recipe::{Activations, Recipe};

/// The dialect of a quantised checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// compressed-tensors: vLLM, SGLang.
    CompressedTensors,
    /// `DeepSeek`'s FP8 with `weight_scale_inv`: vLLM, SGLang.
    Fp8Block,
    /// INT8 beside `quant_model_description.json`: vllm-ascend, MindIE.
    ModelSlim,
}

impl Style {
    /// All styles.
    pub const ALL: [Self; 3] = [Self::CompressedTensors, Self::Fp8Block, Self::ModelSlim];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CompressedTensors => "compressed-tensors",
            Self::Fp8Block => "fp8-block",
            Self::ModelSlim => "msmodelslim",
        }
    }
}

/// Where files go.
pub trait Target {
    /// Begins a file, which is whole once the writer is flushed and dropped.
    ///
    /// # Errors
    /// If it cannot be created.
    fn create(&mut self, name: &str) -> io::Result<Box<dyn io::Write + '_>>;
}

/// Rounds a weight to the format of its recipe.
pub type Quantiser<'a> = dyn FnMut(&Weight, Matrix, &Recipe) -> Result<Quantised, String> + 'a;

/// A checkpoint to write: which weights become what.
pub struct Export<'a> {
    checkpoint: &'a Checkpoint,
    style: Style,
    chosen: BTreeMap<String, (Weight, Recipe)>,
    kept: Vec<Weight>,
    replaced: BTreeMap<String, Matrix>,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Files, in the order of their names.
    pub files: Vec<String>,
    /// Weights that were quantised.
    pub quantised: usize,
    /// Matrices that stayed as they were.
    pub kept: usize,
    /// Bytes of all tensors.
    pub bytes: u64,
}

impl<'a> Export<'a> {
    /// Chooses a recipe for each matrix that is a linear layer's; the others stay as they are.
    ///
    /// # Errors
    /// A checkpoint that is quantised already or is read-only; every weight whose shape its recipe does not fit; a recipe
    /// that the style cannot express.
    pub fn new(
        checkpoint: &'a Checkpoint,
        style: Style,
        mut choose: impl FnMut(&Weight) -> Option<Recipe>,
    ) -> Result<Self, Diagnostics> {
        dense(checkpoint)?;
        let (mut chosen, mut kept, mut faults) = (BTreeMap::new(), Vec::new(), Vec::new());
        for weight in checkpoint.weights()? {
            match choose(&weight).filter(|_| is_linear(checkpoint, &weight)) {
                None => kept.push(weight),
                Some(recipe) => {
                    faults.extend(fault(style, &weight, &recipe));
                    chosen.insert(weight.tensor.clone(), (weight, recipe));
                }
            }
        }
        if faults.is_empty() {
            Ok(Self { checkpoint, style, chosen, kept, replaced: BTreeMap::new() })
        } else {
            Err(Diagnostics(faults))
        }
    }

    /// Weights that will be quantised, with their recipes.
    pub fn chosen(&self) -> impl Iterator<Item = &(Weight, Recipe)> {
        self.chosen.values()
    }
}

/// Only what is in full precision can be quantised.
///
/// # Errors
/// If it is not.
pub fn dense(checkpoint: &Checkpoint) -> Result<(), Diagnostic> {
    match checkpoint.layout() {
        Layout::Dense => Ok(()),
        Layout::Gguf => Err(Diagnostic::error("checkpoint-quantised", "GGUF files are read, not compressed")
            .help("start from the safetensors of the model that the file was made from")),
        layout => Err(Diagnostic::error(
            "checkpoint-quantised",
            format!("the checkpoint is quantised already, in the layout {layout}"),
        )
        .help("quantising twice adds both errors; start from the BF16 checkpoint")),
    }
}

/// Last parts of the names of modules that engines keep in 16 bits: routers, embeddings, heads, convolutions.
const KEPT: [&str; 10] = [
    "gate",
    "router",
    "embed_tokens",
    "lm_head",
    "wte",
    "wpe",
    "conv1d",
    "word_embeddings",
    "shared_expert_gate",
    "relative_attention_bias",
];

/// Whether a matrix is the weight of a linear layer inside the stack: two extents and a number in its name.
pub fn is_linear(checkpoint: &Checkpoint, weight: &Weight) -> bool {
    let parts = || weight.module.split('.');
    let stored = checkpoint.tensors().get(&weight.tensor);
    let plain = stored.is_some_and(|tensor| tensor.shape.len() == 2) && weight.tensor.ends_with(".weight");
    let inside = parts().any(|part| part.parse::<u32>().is_ok());
    let last = parts().next_back().unwrap_or_default();
    plain && inside && !KEPT.contains(&last) && !last.contains("norm") && !weight.module.contains("visual")
}

fn fault(style: Style, weight: &Weight, recipe: &Recipe) -> Option<Diagnostic> {
    if let Err(what) = recipe.scheme.granularity.shape(weight.rows, weight.cols) {
        let message = format!("`{}` cannot be quantised to {}: {what}", weight.module, recipe.name);
        return Some(
            Diagnostic::error("shape-group", message)
                .help("choose a group that divides its columns, or keep it"),
        );
    }
    let known = recipe.fits(style);
    (!known).then(|| {
        let able: Vec<&str> =
            Style::ALL.into_iter().filter(|style| recipe.fits(*style)).map(Style::name).collect();
        let message = format!("{} has no place in the layout {}", recipe.name, style.name());
        Diagnostic::error("style-recipe", message).help(format!("use {}", able.join(" or ")))
    })
}
