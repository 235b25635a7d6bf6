//! The answer of `fleet plan`, as plain data. Money is US dollars; present values are of the begin of the first quarter.

use schemars::JsonSchema;
use serde::Serialize;

/// The answer of `fleet plan`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FleetAnswer {
    /// What was asked, with defaults filled in.
    pub question: FleetQuestion,
    /// Whether every demand can be met if all goes as is likeliest.
    pub can_be_met: bool,
    /// What stops it, where it cannot.
    pub stops: Option<Stops>,
    /// Deployments that the plan chooses from.
    pub deployments: Vec<FleetDeployment>,
    /// Services that no deployment on a chip meets, and why.
    pub unserved: Vec<UnservedPair>,
    /// The plan: what is ordered, and what is placed if all goes as is likeliest.
    pub plan: Plan,
    /// Ways to decide over all futures; the first is the plan.
    pub strategies: Vec<StrategyAnswer>,
    /// Every future with what the plan comes to in it.
    pub futures: Vec<FutureAnswer>,
    /// What one more of each thing is worth.
    pub shadow_prices: Vec<ShadowPrice>,
    /// What the plan does and why.
    pub reasons: Vec<String>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// What was asked, with defaults filled in.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FleetQuestion {
    /// Title.
    pub title: String,
    /// Quarters of the plan.
    pub quarters: Vec<String>,
    /// `cost`, `shortfall` or `meet`.
    pub goal: String,
    /// By how much penalties count more in the search than in the books.
    pub priority: f64,
    /// Region of tariff and rates.
    pub region: String,
    /// Cost of capital a year.
    pub discount_rate: f64,
    /// Seed of the futures.
    pub seed: u64,
    /// Futures.
    pub futures: usize,
    /// Whether these are all there are, with their probabilities, rather than samples.
    pub exact: bool,
    /// What the likeliest future is made of.
    pub likeliest: Vec<String>,
    /// Services.
    pub demands: Vec<FleetDemand>,
    /// Chips.
    pub chips: Vec<String>,
    /// Relative standard deviation of what each chip serves, as futures have it.
    pub speed_sigma: Vec<f64>,
}

/// A service.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FleetDemand {
    /// Name.
    pub name: String,
    /// Model.
    pub model: String,
    /// Prompt tokens.
    pub input_tokens: u32,
    /// Output tokens.
    pub output_tokens: u32,
    /// Requests per second at the peak, by quarter.
    pub peak_requests_per_s: Vec<f64>,
    /// What a million output tokens that are not served cost.
    pub penalty_usd_per_million: f64,
}

/// A deployment that the plan chooses from.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FleetDeployment {
    /// Service.
    pub demand: String,
    /// Chip.
    pub chip: String,
    /// Nodes.
    pub nodes: u32,
    /// Chips.
    pub chips: u32,
    /// Layout, precision, batch and chunk in one line.
    pub deployment: String,
    /// Requests per second.
    pub requests_per_s: f64,
    /// Output tokens per second.
    pub output_tokens_per_s: f64,
    /// Mean time to first token.
    pub ttft_ms: f64,
    /// Mean time per output token after the first.
    pub tpot_ms: f64,
    /// Relative standard deviation of the rates.
    pub sigma: f64,
    /// Power at the peak at the facility's meter.
    pub peak_power_kw: f64,
    /// Electricity of a quarter.
    pub energy_usd_per_quarter: f64,
    /// Undiscounted cost of a node of the first quarter's price, per million output tokens at the mean load.
    pub cost_usd_per_million_output: f64,
}

/// A service that a chip cannot serve.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct UnservedPair {
    /// Service.
    pub demand: String,
    /// Chip.
    pub chip: String,
    /// Why.
    pub why: String,
}

/// What is ordered, and what is placed if all goes as is likeliest.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Plan {
    /// One entry a quarter.
    pub quarters: Vec<PlanQuarter>,
    /// Present value of what is paid if all goes as is likeliest.
    pub likely_cost_usd: f64,
    /// Present value of penalties if all goes as is likeliest.
    pub likely_penalty_usd: f64,
    /// Present value, penalties included, of the same future with nodes shared between deployments, as over all futures.
    pub likely_shared_usd: f64,
    /// How much better other orders could be at most, over all futures, relative to the expected cost.
    pub orders_gap: f64,
    /// How much better other placements could be at most, relative to their cost, if all goes as is likeliest.
    pub placements_gap: f64,
    /// Steps of the decomposition.
    pub steps: usize,
}

/// One quarter of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PlanQuarter {
    /// Quarter.
    pub quarter: String,
    /// Orders due.
    pub orders: Vec<OrderLine>,
    /// Stacks taken up.
    pub stacks: Vec<String>,
    /// Nodes that are there and usable, by chip.
    pub nodes: Vec<u32>,
    /// Deployments.
    pub placements: Vec<PlacementLine>,
    /// Services that are not served in full.
    pub shortfalls: Vec<ShortLine>,
    /// Power at the peak at the facility's meter.
    pub power_kw: f64,
    /// Its limit.
    pub power_limit_kw: Option<f64>,
    /// Racks taken if everything ordered is there.
    pub racks: f64,
    /// Their limit.
    pub racks_limit: Option<f64>,
    /// What must be paid if everything due is delivered at its dearest.
    pub payable_usd: f64,
    /// Its limit.
    pub budget_usd: Option<f64>,
}

/// Nodes ordered.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct OrderLine {
    /// Chip.
    pub chip: String,
    /// Nodes.
    pub nodes: u32,
    /// Chips.
    pub chips: u32,
}

/// Deployments placed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PlacementLine {
    /// Service.
    pub demand: String,
    /// Chip.
    pub chip: String,
    /// Index into `deployments`.
    pub deployment: usize,
    /// How many.
    pub count: u32,
    /// Nodes that they take.
    pub nodes: u32,
}

/// A service that is not served in full.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ShortLine {
    /// Service.
    pub demand: String,
    /// Requests per second at the peak that are not served.
    pub requests_per_s: f64,
    /// Part of the demand.
    pub share: f64,
}

/// A figure over all futures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Spread {
    /// Expected value.
    pub mean: f64,
    /// One future in ten lies below.
    pub p10: f64,
    /// Half of the futures lie below.
    pub p50: f64,
    /// One future in ten lies above.
    pub p90: f64,
}

/// A way to decide.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct StrategyAnswer {
    /// Name.
    pub name: String,
    /// How it decides.
    pub how: String,
    /// Present value of what is paid.
    pub cost_usd: Spread,
    /// Present value of what is paid and of penalties.
    pub total_usd: Spread,
    /// Output tokens that are not served.
    pub shortfall_tokens: Spread,
    /// The same as a part of what is asked.
    pub shortfall_share: Spread,
    /// Present value above that of knowing the future.
    pub regret_usd: Spread,
    /// Nodes ordered by chip, where it decides beforehand.
    pub nodes: Option<Vec<u32>>,
    /// How much better other orders of the same kind could be at most.
    pub gap: Option<f64>,
}

/// A future, and what the plan comes to in it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FutureAnswer {
    /// The outcome of each risk.
    pub outcomes: Vec<String>,
    /// Probability.
    pub probability: f64,
    /// What each chip serves over what it was estimated to serve.
    pub speed: Vec<f64>,
    /// Present value of what is paid.
    pub cost_usd: f64,
    /// Present value of penalties.
    pub penalty_usd: f64,
    /// Present value of the best plan, had the future been known.
    pub known_usd: f64,
    /// Output tokens that are not served, by quarter.
    pub shortfall_tokens: Vec<f64>,
}

/// What one more of a thing is worth.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ShadowPrice {
    /// The thing.
    pub thing: String,
    /// Present value, penalties included.
    pub value_usd: f64,
}

/// What stops a plan.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Stops {
    /// Services that cannot be met, with the first quarter and the worst part.
    pub short: Vec<StopShort>,
    /// How much more of each limit alone would do.
    pub alone: Vec<StopRelief>,
    /// The least of all limits together; nothing where even that is not enough.
    pub together: Option<Vec<StopRelief>>,
}

/// A service that cannot be met.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct StopShort {
    /// Service.
    pub demand: String,
    /// First quarter.
    pub from: String,
    /// Quarter in which it is worst.
    pub worst: String,
    /// Part of the demand that is not served there.
    pub share: f64,
}

/// How much more of a limit would do.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct StopRelief {
    /// The limit.
    pub limit: String,
    /// How much more, in the unit; nothing where no amount of it alone is enough.
    pub more: Option<f64>,
    /// Unit.
    pub unit: String,
}
