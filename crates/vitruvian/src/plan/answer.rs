//! The answer of `plan`, as plain data.

use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::{FellCount, Range};

/// The answer of `plan`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PlanAnswer {
    /// What was asked, with defaults filled in.
    pub question: PlanQuestion,
    /// The best plans that keep the targets, best first.
    pub plans: Vec<PlanRow>,
    /// What came closest, where no plan keeps the targets or carries the rate.
    pub closest: Vec<String>,
    /// Why the best is the best.
    pub reasons: Vec<String>,
    /// How the search went.
    pub search: PlanSearch,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// What was asked, with defaults filled in.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PlanQuestion {
    /// Model name.
    pub model: String,
    /// Kinds of chip and how many of each.
    pub chips: Vec<KindOfChip>,
    /// Prompt tokens of a request: the mean of a trace.
    pub input_tokens: u32,
    /// Generated tokens of a request: the mean of a trace.
    pub output_tokens: u32,
    /// Prompt tokens in the prefix cache.
    pub cached_tokens: u32,
    /// Requests per second to be served; nothing for as many as possible.
    pub rate_per_s: Option<f64>,
    /// Time to first token at most.
    pub ttft_ms: Option<f64>,
    /// Time per output token at most.
    pub tpot_ms: Option<f64>,
    /// What is best.
    pub objective: String,
    /// Share of requests that must meet the targets.
    pub attainment: f64,
    /// Requests of one simulated run.
    pub simulated_requests: Option<u32>,
}

/// A kind of chip.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct KindOfChip {
    /// Name in the catalog, or in the user's file.
    pub chip: String,
    /// Name a person reads.
    pub title: String,
    /// How many there are.
    pub count: u32,
    /// Node.
    pub node: String,
    /// Engine and version.
    pub engine: String,
}

/// One plan.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PlanRow {
    /// `aggregated` or `disaggregated`.
    pub split: String,
    /// The plan in one line.
    pub name: String,
    /// Its pools; of a disaggregated plan prefill, then decode.
    pub pools: Vec<PoolRow>,
    /// Chips in use.
    pub chips: u32,
    /// The KV transfer of a disaggregated plan.
    pub transfer: Option<TransferRow>,
    /// What the analytic model says.
    pub analytic: Analytic,
    /// What the simulation says, where it was run.
    pub simulated: Option<Simulated>,
    /// What stops it from carrying more.
    pub limit: String,
    /// Whether no other listed plan beats it in requests per second, time per token and money (or energy) per token.
    pub pareto: bool,
    /// Why it is where it is.
    pub why: String,
}

/// A pool of equal replicas.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PoolRow {
    /// `whole`, `prefill` or `decode`.
    pub role: String,
    /// Chip.
    pub chip: String,
    /// Parallel degrees of one replica.
    pub layout: String,
    /// Replicas.
    pub replicas: u32,
    /// Chips of all replicas.
    pub chips: u32,
    /// Precision.
    pub precision: String,
    /// Running sequences of one replica at most.
    pub batch: u32,
    /// Most tokens of one step.
    pub chunk: u32,
    /// Share of its capacity that the traffic takes.
    pub load: f64,
    /// Mean power of one chip with its share of the host.
    pub wall_power_w: f64,
}

/// The way of a KV cache from prefill to decode.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TransferRow {
    /// Bytes of one prompt's cache.
    pub bytes: f64,
    /// Time of one prompt's cache.
    pub time_ms: f64,
    /// Whether it leaves the node.
    pub leaves_node: bool,
    /// How: the connectors of both engines.
    pub connector: String,
}

/// What the analytic model says, at the rate asked or at capacity.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Analytic {
    /// Most requests per second within the targets.
    pub capacity_per_s: Range,
    /// Requests per second that the figures below are for.
    pub rate_per_s: f64,
    /// Mean time to first token.
    pub ttft_ms: Range,
    /// Mean time per output token after the first.
    pub tpot_ms: Range,
    /// Output tokens per second.
    pub output_tokens_per_s: f64,
    /// Wall energy per output token.
    pub energy_per_token_j: f64,
    /// US dollars per hour of all chips in use.
    pub cost_per_hour_usd: Option<f64>,
    /// US dollars per million output tokens.
    pub cost_per_million_output_usd: Option<f64>,
}

/// What the simulation says.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Simulated {
    /// Most requests per second at which enough requests meet both targets (DistServe); nothing where it was not sought.
    pub goodput_per_s: Option<f64>,
    /// Requests per second of the run that the figures below are of.
    pub rate_per_s: f64,
    /// Share of its requests that met both targets.
    pub attainment: f64,
    /// Mean time to first token.
    pub ttft_ms_mean: f64,
    /// The time to first token that 90 % of requests stay below.
    pub ttft_ms_p90: f64,
    /// Mean time per output token after the first.
    pub tpot_ms_mean: f64,
    /// The time per output token that 90 % of requests stay below.
    pub tpot_ms_p90: f64,
    /// Output tokens per second.
    pub output_tokens_per_s: f64,
    /// Wall energy per output token.
    pub energy_per_token_j: f64,
    /// US dollars per million output tokens.
    pub cost_per_million_output_usd: Option<f64>,
}

/// How the search went.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PlanSearch {
    /// Plans costed.
    pub candidates: u64,
    /// Ways left after keeping the best of each layout and precision.
    pub kept: u64,
    /// Runs of the simulation.
    pub simulations: u64,
    /// Replicas of whole requests that fell, by kind of chip.
    pub fell: Vec<KindFell>,
}

/// Replicas that fell on one kind of chip.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct KindFell {
    /// The chip.
    pub chip: String,
    /// How many fell to what.
    pub fell: Vec<FellCount>,
}
