//! Questions, as plain data.

use serde::{Deserialize, Serialize};
use vitruvian_quantity::Seconds;

/// A chip or a model: a name of the catalog, or the text of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A name of the catalog.
    Name(String),
    /// A file's text and the path that a person knows it by.
    File {
        /// Path, for diagnostics.
        path: String,
        /// Content.
        text: String,
    },
}

impl Default for Input {
    fn default() -> Self {
        Self::Name(String::new())
    }
}

/// Which service the question is about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// The model.
    pub model: Input,
    /// Prompt tokens of a request (ISL).
    pub input_tokens: u32,
    /// Generated tokens of a request (OSL).
    pub output_tokens: u32,
    /// Prompt tokens found in the prefix cache.
    #[serde(default)]
    pub cached_tokens: u32,
    /// Precisions to consider; empty for what the chip and the checkpoint suggest.
    #[serde(default)]
    pub precisions: Vec<String>,
    /// Format of the KV cache; nothing for the checkpoint's own.
    #[serde(default)]
    pub kv: Option<String>,
    /// Format of attention's products; nothing for 16 bits.
    #[serde(default)]
    pub attention: Option<String>,
    /// Structured sparsity of the weights.
    #[serde(default)]
    pub sparsity: Option<String>,
    /// Engine on every chip; nothing for each chip's default.
    #[serde(default)]
    pub engine: Option<String>,
    /// What hides the exchange of tokens between experts: `single-batch` or `two-batch`; nothing for an exchange in the open.
    #[serde(default)]
    pub overlap_experts: Option<String>,
    /// Node on every chip; nothing for each chip's default.
    #[serde(default)]
    pub node: Option<Input>,
    /// `tile` or `roofline`.
    #[serde(default)]
    pub fidelity: Option<String>,
    /// Region whose prices and tariff hold.
    #[serde(default)]
    pub region: Option<String>,
}

/// Which deployment of a number of chips is best, chip against chip?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompareStudy {
    /// The chips, at least one.
    pub chips: Vec<Input>,
    /// The service.
    #[serde(flatten)]
    pub service: Service,
    /// Number of chips of each.
    pub count: u32,
    /// Time to first token at most.
    #[serde(default)]
    pub ttft: Option<Seconds>,
    /// Time per output token at most.
    #[serde(default)]
    pub tpot: Option<Seconds>,
    /// `throughput`, `cost`, `energy` or `latency`.
    #[serde(default)]
    pub objective: Option<String>,
    /// Whether the answer lists every candidate.
    #[serde(default)]
    pub all: bool,
}

/// What does one deployment deliver?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EstimateStudy {
    /// The chip.
    pub chip: Input,
    /// The service.
    #[serde(flatten)]
    pub service: Service,
    /// Parallel degrees of the replica.
    #[serde(default)]
    pub layout: Degrees,
    /// Running sequences.
    pub batch: u32,
    /// Most tokens of one step; nothing for the engine's default.
    #[serde(default)]
    pub chunk: Option<u32>,
    /// `prefill`, `decode` or `both`.
    #[serde(default)]
    pub phase: Phase,
}

/// Parallel degrees of one replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Degrees {
    /// Tensor parallel.
    pub tp: u32,
    /// Pipeline parallel.
    pub pp: u32,
    /// Data-parallel attention.
    pub dp: u32,
    /// Expert parallel.
    pub ep: u32,
}

impl Default for Degrees {
    fn default() -> Self {
        Self { tp: 1, pp: 1, dp: 1, ep: 1 }
    }
}

/// Which part of a request is costed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Prompts alone.
    Prefill,
    /// One token for each running sequence.
    Decode,
    /// Both.
    #[default]
    Both,
}
