//! The answer of `compress`, as plain data.

use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::{Deployment, Question};

/// The answer of `compress`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CompressAnswer {
    /// What was asked, with defaults filled in.
    pub question: Question,
    /// What was compressed.
    pub checkpoint: CheckpointAnswer,
    /// How errors were measured.
    pub protocol: String,
    /// Quality of each scheme, the same on every chip.
    pub schemes: Vec<SchemeAnswer>,
    /// Error of every linear layer.
    pub layers: Vec<LayerAnswer>,
    /// A checkpoint that is quantised already, against this one.
    pub against: Option<AgainstAnswer>,
    /// What each scheme gives on each chip.
    pub chips: Vec<ChipTrade>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// A checkpoint in figures.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CheckpointAnswer {
    /// Folder.
    pub name: String,
    /// Layout: `dense`, `gptq`, …
    pub layout: String,
    /// Elements of all tensors.
    pub parameters: u64,
    /// Elements of the linear layers that are quantised.
    pub linear_parameters: u64,
    /// Linear layers that are quantised.
    pub linear_layers: u64,
    /// Bytes of all tensors.
    pub bytes: u64,
}

/// Quality of one scheme.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SchemeAnswer {
    /// Name: `w4a16`, `w8a8-dynamic+4:2`.
    pub scheme: String,
    /// Bits of a weight of a linear layer, its share of scales and sparsity index included.
    pub bits_per_weight: f64,
    /// Bytes of the checkpoint in this scheme.
    pub checkpoint_bytes: f64,
    /// Signal over quantisation noise of all linear layers' weights; nothing where they are kept as they are.
    pub sqnr_db: Option<f64>,
    /// Relative squared error of the layers' outputs on the calibration text, mean of all layers.
    pub output_error: Option<f64>,
    /// Perplexity on the held-out text.
    pub perplexity: Option<f64>,
    /// The same over that of the original weights.
    pub perplexity_ratio: Option<f64>,
    /// Share of positions at which the likeliest next token is the original's.
    pub same_token: Option<f64>,
    /// Mean Kullback–Leibler divergence from the original, in nats a token.
    pub divergence_nats: Option<f64>,
    /// The layer with the lowest signal over noise.
    pub worst_layer: Option<String>,
}

impl SchemeAnswer {
    /// Whether it keeps all weights as they are.
    pub(crate) fn is_original(&self) -> bool {
        self.sqnr_db.is_none()
    }
}

/// Error of one linear layer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LayerAnswer {
    /// Module.
    pub module: String,
    /// Output channels.
    pub rows: u64,
    /// Input channels.
    pub cols: u64,
    /// Signal over quantisation noise by scheme, in the order of `schemes`; nothing where nothing is lost.
    pub sqnr_db: Vec<Option<f64>>,
}

/// What a checkpoint that is quantised already loses.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AgainstAnswer {
    /// Folder.
    pub name: String,
    /// Layout: `gptq`, `awq`, `gguf`, …
    pub layout: String,
    /// Bytes of all tensors.
    pub checkpoint_bytes: u64,
    /// Linear layers that both checkpoints have.
    pub layers: u64,
    /// Linear layers that it lacks.
    pub missing: Vec<String>,
    /// Signal over quantisation noise of the layers that both have; nothing where nothing is lost.
    pub sqnr_db: Option<f64>,
    /// The layer with the lowest signal over noise.
    pub worst_layer: Option<String>,
}

/// Every scheme on one chip.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ChipTrade {
    /// Name in the catalog, or in the user's file.
    pub chip: String,
    /// Name a person reads.
    pub title: String,
    /// Engine and version.
    pub engine: String,
    /// The operating point at which steps are held against each other: the best deployment in 16 bits.
    pub common_point: Option<String>,
    /// One entry a scheme, in the order of `schemes`.
    pub schemes: Vec<SchemeTrade>,
    /// Layers in different schemes: least error for some shares of the fastest scheme's saving.
    pub mixes: Vec<MixAnswer>,
}

/// One scheme on one chip.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SchemeTrade {
    /// The scheme.
    pub scheme: String,
    /// Why the chip cannot run it.
    pub refused: Option<String>,
    /// The best deployment that meets the targets.
    pub deployment: Option<Deployment>,
    /// What stops the nearest miss, where nothing meets the targets.
    pub misses: Option<String>,
    /// One decode step at the common point.
    pub decode_step_ms: Option<f64>,
    /// One prefill step at the common point.
    pub prefill_step_ms: Option<f64>,
    /// Output tokens per second over those in 16 bits, each in its best deployment.
    pub speedup: Option<f64>,
    /// Money per output token over that in 16 bits.
    pub cost_ratio: Option<f64>,
    /// Whether no other scheme on this chip has less error and costs less.
    pub on_front: bool,
    /// Phases that are slower than in 16 bits at the common point, and why.
    pub slower: Vec<Slower>,
    /// What the chip does instead of what was asked.
    pub notes: Vec<String>,
}

/// A phase in which a scheme is slower than 16 bits.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Slower {
    /// `decode` or `prefill`.
    pub phase: String,
    /// One step.
    pub step_ms: f64,
    /// One step in 16 bits.
    pub plain_step_ms: f64,
    /// The operators that take longer, and why.
    pub why: Vec<String>,
}

/// Layers in different schemes.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MixAnswer {
    /// Share of the time that the fastest choice saves.
    pub saving: f64,
    /// One decode step at the common point.
    pub decode_step_ms: f64,
    /// Sum of the relative squared errors of the groups of layers.
    pub error: f64,
    /// The same where all layers are in the one scheme that is fast enough with the least error; nothing if none is.
    pub uniform_error: Option<f64>,
    /// That scheme.
    pub uniform_scheme: Option<String>,
    /// Groups of layers by scheme, in the order of `schemes`.
    pub counts: Vec<MixCount>,
    /// The choice for each group of layers.
    pub layers: Vec<MixLayer>,
}

/// How many groups of layers are in a scheme.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MixCount {
    /// The scheme.
    pub scheme: String,
    /// Groups.
    pub groups: u64,
}

/// The choice for a group of layers that share one product.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MixLayer {
    /// The group: `layers.3 gate_up_proj`.
    pub group: String,
    /// Its modules.
    pub modules: Vec<String>,
    /// The scheme.
    pub scheme: String,
}
