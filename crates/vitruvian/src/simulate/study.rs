//! What is simulated, as plain data.

use serde::{Deserialize, Serialize};
use vitruvian_quantity::Seconds;

use crate::study::{Degrees, Input, Service};

/// How does a deployment serve this traffic?
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SimulateStudy {
    /// Model, formats, software; its lengths are those of made-up requests.
    #[serde(flatten)]
    pub service: Service,
    /// One pool that does everything, or one that prefills and one that decodes.
    pub pools: Vec<PoolStudy>,
    /// What is asked of it.
    pub traffic: Traffic,
    /// Time to first token at most.
    #[serde(default)]
    pub ttft: Option<Seconds>,
    /// Time per output token at most.
    #[serde(default)]
    pub tpot: Option<Seconds>,
    /// `round-robin`, `least-loaded` or `prefix-aware`.
    #[serde(default)]
    pub routing: Option<String>,
    /// Prompts are computed whole, whatever earlier ones left in the cache.
    #[serde(default)]
    pub no_prefix_cache: bool,
    /// Speculative decoding: `3:0.8` or `0.85,0.6,0.4`.
    #[serde(default)]
    pub speculation: Option<String>,
    /// `prefill` or `decode`: the side that shows the first token.
    #[serde(default)]
    pub first_token: Option<String>,
    /// Send each cache when its prompt is done instead of layer by layer.
    #[serde(default)]
    pub whole_transfer: bool,
    /// `vllm`, `sglang` or `mindie`; nothing for the engine's own.
    #[serde(default)]
    pub scheduler: Option<String>,
    /// Most tokens of one step; nothing for the engine's default.
    #[serde(default)]
    pub chunk: Option<u32>,
    /// Most running sequences of a data-parallel group; nothing for the engine's default.
    #[serde(default)]
    pub max_sequences: Option<u32>,
    /// Longest sequence; nothing for the model's own.
    #[serde(default)]
    pub context: Option<u32>,
    /// Exponent of the power law by which tokens choose experts; nothing for the engine's own.
    #[serde(default)]
    pub expert_skew: Option<f64>,
    /// Requests at the start that are served but not measured.
    #[serde(default)]
    pub warmup: u32,
    /// Seed of all draws.
    #[serde(default)]
    pub seed: u64,
    /// Whether the answer keeps every step.
    #[serde(default)]
    pub steps: bool,
}

/// Equal replicas on chips of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PoolStudy {
    /// What they do.
    #[serde(default)]
    pub role: RoleName,
    /// The chip.
    pub chip: Input,
    /// How many of them.
    pub chips: u32,
    /// Parallel degrees of a replica; nothing for the layout of most throughput at the traffic's mean lengths.
    #[serde(default)]
    pub layout: Option<Degrees>,
    /// Engine, where it is another than the service's.
    #[serde(default)]
    pub engine: Option<String>,
    /// Precision, where it is another than the service's.
    #[serde(default)]
    pub precision: Option<String>,
}

/// What a pool does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoleName {
    /// Prompts and tokens.
    #[default]
    Whole,
    /// Prompts.
    Prefill,
    /// Tokens after the first.
    Decode,
}

/// Requests over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Traffic {
    /// As recorded.
    Recorded(Recorded),
    /// Drawn at random.
    Made(Made),
}

/// A trace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Path, for diagnostics.
    pub path: String,
    /// Content.
    pub text: String,
    /// `azure`, `mooncake`, `burstgpt`, or a map of columns; nothing to recognise it.
    #[serde(default)]
    pub columns: Option<String>,
    /// Leave out rows that are wrong.
    #[serde(default)]
    pub lenient: bool,
    /// Times the recorded pace; nothing for the pace as it was.
    #[serde(default)]
    pub speed: Option<f64>,
    /// Share of the requests that is kept; nothing for all.
    #[serde(default)]
    pub sample: Option<f64>,
    /// Most requests; nothing for all.
    #[serde(default)]
    pub requests: Option<u32>,
}

/// Made-up requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// How many.
    pub requests: u32,
    /// When they come.
    pub arriving: Arriving,
    /// Least over most length, for lengths spread evenly; nothing for equal ones.
    #[serde(default)]
    pub range_ratio: Option<f64>,
    /// Standard deviations of the logarithms of prompt and output lengths, for log-normal ones.
    #[serde(default)]
    pub length_sigma: Option<[f64; 2]>,
    /// A trace whose pairs of lengths are drawn.
    #[serde(default)]
    pub lengths_of: Option<Recorded>,
    /// Number of different beginnings of prompts, and the tokens of each.
    #[serde(default)]
    pub shared: Option<[u32; 2]>,
}

/// When made-up requests come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arriving {
    /// Exponential gaps, at so many requests per second.
    Poisson(f64),
    /// Gamma gaps: rate and coefficient of variation.
    Gamma(f64, f64),
    /// Poisson at one rate after another: rates and the mean seconds of each.
    Modulated(Vec<f64>, f64),
    /// Poisson at a rate that swings: mean rate, swing from zero to one, seconds of a period.
    Diurnal(f64, f64, f64),
    /// Equal gaps.
    Even(f64),
    /// All at the start.
    Burst,
    /// Clients that wait for their answers, and their pause in seconds.
    Closed(u32, f64),
}

impl Default for Traffic {
    fn default() -> Self {
        Self::Recorded(Recorded::default())
    }
}
