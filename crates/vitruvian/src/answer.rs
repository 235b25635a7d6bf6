//! Answers, as plain data. Keys carry their unit; the JSON Schema is generated from these types.

use schemars::JsonSchema;
use serde::Serialize;

/// A figure with its uncertainty: the truth lies between `p10` and `p90` in four cases of five.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Range {
    /// One in ten truths lies below.
    pub p10: f64,
    /// The estimate.
    pub p50: f64,
    /// One in ten truths lies above.
    pub p90: f64,
}

/// The answer of `compare`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CompareAnswer {
    /// What was asked, with defaults filled in.
    pub question: Question,
    /// One entry a chip, in the order asked.
    pub chips: Vec<ChipAnswer>,
    /// Which chip wins where, and why.
    pub reasons: Vec<String>,
}

/// What was asked, with defaults filled in.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Question {
    /// Model name.
    pub model: String,
    /// Parameters of the model.
    pub parameters_total: u64,
    /// Parameters that one token uses, without the embedding.
    pub parameters_active: u64,
    /// Prompt tokens.
    pub input_tokens: u32,
    /// Generated tokens.
    pub output_tokens: u32,
    /// Prompt tokens in the prefix cache.
    pub cached_tokens: u32,
    /// Chips of each kind.
    pub chips: u32,
    /// Time to first token at most.
    pub ttft_ms: Option<f64>,
    /// Time per output token at most.
    pub tpot_ms: Option<f64>,
    /// What is best.
    pub objective: String,
    /// `tile` or `roofline`.
    pub fidelity: String,
    /// Region of prices and tariff.
    pub region: String,
    /// Parts of the model that are held in memory but not costed.
    pub left_out: Vec<String>,
}

/// What one chip can do.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ChipAnswer {
    /// Name in the catalog, or in the user's file.
    pub chip: String,
    /// Name a person reads.
    pub title: String,
    /// The chip that a user's file extends.
    pub extends: Option<String>,
    /// Node.
    pub node: String,
    /// Engine and version.
    pub engine: String,
    /// The best deployment that meets the targets.
    pub best: Option<Deployment>,
    /// The nearest miss, where nothing meets the targets.
    pub closest: Option<Closest>,
    /// The Pareto front of throughput per chip against speed per user among those that meet the targets.
    pub front: Vec<FrontPoint>,
    /// The same with the targets set aside.
    pub unbound_front: Vec<FrontPoint>,
    /// How the search went.
    pub search: Search,
    /// Prefill of the best deployment (or of the nearest miss) by operator.
    pub prefill: Vec<OperatorShare>,
    /// Decode of the best deployment (or of the nearest miss) by operator.
    pub decode: Vec<OperatorShare>,
    /// Peaks and bandwidth, for a roofline.
    pub roofline: Roofline,
    /// Fitted profiles and how they were come by: what the uncertainty rests on.
    pub profiles: Vec<ProfileNote>,
    /// What a reader should know: conversions, borrowed profiles, roadmap figures.
    pub notes: Vec<String>,
}

/// The candidate that came closest, where nothing meets the targets.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Closest {
    /// What stops it.
    pub stops: String,
    /// The candidate in one line.
    pub candidate: String,
    /// What it would deliver, where it could run at all.
    pub deployment: Option<Deployment>,
}

/// One deployment and what it delivers.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Deployment {
    /// Parallel degrees of one replica: `"TP4 PP2"`.
    pub layout: String,
    /// Tensor parallel degree.
    pub tp: u32,
    /// Pipeline parallel degree.
    pub pp: u32,
    /// Data-parallel attention degree.
    pub dp: u32,
    /// Expert parallel degree.
    pub ep: u32,
    /// Replicas.
    pub replicas: u32,
    /// Precision.
    pub precision: String,
    /// Format in which the matrix unit multiplies most of the model.
    pub matrix_format: String,
    /// Running sequences of one replica.
    pub batch: u32,
    /// Most tokens of one step.
    pub chunk: u32,
    /// Mean time to first token under load.
    pub ttft_ms: Range,
    /// Mean time per output token after the first.
    pub tpot_ms: Range,
    /// Mean time of a whole request.
    pub request_time_s: Range,
    /// Requests per second, all chips.
    pub requests_per_s: Range,
    /// Output tokens per second, all chips.
    pub output_tokens_per_s: Range,
    /// Output tokens per second and chip.
    pub output_tokens_per_s_per_chip: Range,
    /// Output tokens per second that one user sees.
    pub output_tokens_per_s_per_user: Range,
    /// Prompt tokens per second, all chips.
    pub input_tokens_per_s: Range,
    /// Memory of the fullest rank: used by weights, cache, activations and runtime.
    pub memory_used_gb: f64,
    /// Memory of the fullest rank that stays free, of what software sees.
    pub memory_free_gb: f64,
    /// Weights on the fullest rank.
    pub weights_gb: f64,
    /// Cache of the running sequences on the fullest rank.
    pub cache_gb: f64,
    /// What bounds prefill.
    pub prefill_bound: String,
    /// What bounds decode.
    pub decode_bound: String,
    /// Share of the device's time that prefill takes.
    pub prefill_share: f64,
    /// Mean power of one chip.
    pub chip_power_w: Range,
    /// Mean power of one chip with its share of the host.
    pub wall_power_w: Range,
    /// Wall energy per output token.
    pub energy_per_token_j: Range,
    /// US dollars per million input tokens.
    pub cost_per_million_input_usd: Option<Range>,
    /// US dollars per million output tokens.
    pub cost_per_million_output_usd: Option<Range>,
}

/// One point of a Pareto front.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FrontPoint {
    /// Output tokens per second that one user sees.
    pub output_tokens_per_s_per_user: f64,
    /// Output tokens per second and chip.
    pub output_tokens_per_s_per_chip: f64,
    /// Mean time to first token.
    pub ttft_ms: f64,
    /// Mean time per output token.
    pub tpot_ms: f64,
    /// Deployment in one line.
    pub deployment: String,
}

/// How a search went.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Search {
    /// Candidates.
    pub candidates: u64,
    /// Candidates on the front.
    pub front: u64,
    /// Candidates by what they fell to.
    pub fell: Vec<FellCount>,
    /// Every candidate, where asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub all: Vec<CandidateRow>,
}

/// Candidates that fell to one reason.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FellCount {
    /// The reason.
    pub reason: String,
    /// How many.
    pub count: u64,
    /// The nearest miss, and by how much.
    pub nearest: Option<String>,
}

/// One candidate of the whole list.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CandidateRow {
    /// Parallel degrees of one replica.
    pub layout: String,
    /// Replicas.
    pub replicas: u32,
    /// Precision.
    pub precision: String,
    /// Running sequences of one replica.
    pub batch: u32,
    /// Most tokens of one step.
    pub chunk: u32,
    /// `front`, or what it fell to.
    pub verdict: String,
    /// Mean time to first token.
    pub ttft_ms: Option<f64>,
    /// Mean time per output token.
    pub tpot_ms: Option<f64>,
    /// Output tokens per second, all chips.
    pub output_tokens_per_s: Option<f64>,
    /// Wall energy per output token.
    pub energy_per_token_j: Option<f64>,
    /// US dollars per million output tokens, all cost borne by output.
    pub cost_per_million_output_usd: Option<f64>,
}

/// One operator of a step: shape, time and why.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct OperatorShare {
    /// Name.
    pub operator: String,
    /// Shape in words.
    pub shape: String,
    /// Runs in one step of one rank.
    pub count: u32,
    /// Time of one run.
    pub time_us: f64,
    /// Time of all runs.
    pub total_us: f64,
    /// Share of the step.
    pub share: f64,
    /// FLOP of one run, matrix and vector.
    pub flop: f64,
    /// Bytes of one run to and from device memory (links, for a collective).
    pub bytes: f64,
    /// FLOP/s achieved.
    pub flop_per_s: f64,
    /// Bytes/s achieved.
    pub bytes_per_s: f64,
    /// What bounds it.
    pub bound: String,
    /// Tiles, splits, algorithm.
    pub choice: String,
    /// Relative standard deviation.
    pub sigma: f64,
}

/// Peaks of a chip.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Roofline {
    /// Matrix peaks by format.
    pub peaks: Vec<Peak>,
    /// Device memory bandwidth.
    pub bandwidth_bytes_per_s: f64,
}

/// A matrix peak.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Peak {
    /// Number format.
    pub dtype: String,
    /// Dense peak at the nominal clock.
    pub flop_per_s: f64,
}

/// One fitted profile that an answer rests on.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ProfileNote {
    /// Operator family.
    pub family: String,
    /// Number formats.
    pub precision: String,
    /// Relative standard deviation.
    pub sigma: f64,
    /// Measured points.
    pub points: u32,
    /// Where it comes from.
    pub source: String,
}

/// The answer of `estimate`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EstimateAnswer {
    /// What was asked, with defaults filled in.
    pub question: Question,
    /// Chip.
    pub chip: String,
    /// Name a person reads.
    pub title: String,
    /// Node.
    pub node: String,
    /// Engine and version.
    pub engine: String,
    /// The deployment under load; nothing where a single phase was asked.
    pub deployment: Option<Deployment>,
    /// Prefill alone.
    pub prefill: Option<PhaseAnswer>,
    /// Decode alone.
    pub decode: Option<PhaseAnswer>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// One step of one phase.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PhaseAnswer {
    /// Time of the step.
    pub time_ms: Range,
    /// Tokens the step processes.
    pub tokens: u32,
    /// Tokens per second of one replica.
    pub tokens_per_s: Range,
    /// What most of the time is spent on.
    pub bound: String,
    /// Share of the time by what it is spent on.
    pub by_bound: Vec<BoundShare>,
    /// Exchange of tokens between experts that passes behind computation and is not in the time; negative where hiding it costs
    /// more than it hides.
    pub hidden_exchange_ms: f64,
    /// Model FLOP/s over the matrix peak of the chips (MFU).
    pub mfu: f64,
    /// Device memory bytes/s over the stated bandwidth (MBU).
    pub mbu: f64,
    /// Mean power of one chip.
    pub chip_power_w: f64,
    /// Every operator.
    pub operators: Vec<OperatorShare>,
}

/// Share of a step's time.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct BoundShare {
    /// Resource.
    pub bound: String,
    /// Share.
    pub share: f64,
}

/// Standard normal quantile of 90 %.
const Z90: f64 = 1.281_551_565_545;

impl Range {
    /// A lognormal figure: median and relative standard deviation.
    pub fn new(median: f64, sigma: f64) -> Self {
        let factor = (Z90 * sigma).exp();
        Self { p10: median / factor, p50: median, p90: median * factor }
    }

    /// The same so many times.
    #[must_use]
    pub(crate) fn times(self, factor: f64) -> Self {
        Self { p10: self.p10 * factor, p50: self.p50 * factor, p90: self.p90 * factor }
    }
}
