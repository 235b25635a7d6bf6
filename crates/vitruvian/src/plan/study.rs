//! The question of a plan.

use serde::{Deserialize, Serialize};
use vitruvian_quantity::Seconds;

use crate::study::{Input, Service};

/// Which deployment of the chips at hand serves this traffic best?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanStudy {
    /// The chips at hand, by kind.
    pub chips: Vec<Chips>,
    /// The service.
    #[serde(flatten)]
    pub service: Service,
    /// Requests per second to be served; nothing for a trace's own rate, and as many as possible without a trace.
    #[serde(default)]
    pub rate: Option<Rate>,
    /// A trace whose lengths and arrivals stand for the traffic.
    #[serde(default)]
    pub trace: Option<Recorded>,
    /// Time to first token at most.
    #[serde(default)]
    pub ttft: Option<Seconds>,
    /// Time per output token at most.
    #[serde(default)]
    pub tpot: Option<Seconds>,
    /// Share of requests that must meet the targets (DistServe: 0.9).
    pub attainment: f64,
    /// `goodput`, `throughput`, `cost`, `energy` or `latency`.
    #[serde(default)]
    pub objective: Option<String>,
    /// How many of the best plans the answer lists.
    pub most: u32,
    /// Which way of splitting the work is allowed.
    #[serde(default)]
    pub split: Split,
    /// How plans are confirmed by simulation; nothing leaves them analytic.
    #[serde(default)]
    pub confirm: Option<Confirm>,
}

/// How many requests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rate {
    /// As many as the targets allow.
    Most,
    /// So many per second.
    PerSecond(f64),
}

/// A trace: its text and the path that a person knows it by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Path, for diagnostics.
    pub path: String,
    /// Content.
    pub text: String,
    /// Whether rows that are not as they should be are left out and counted.
    #[serde(default)]
    pub lenient: bool,
}

/// A kind of chip and how many there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chips {
    /// The chip.
    pub chip: Input,
    /// How many.
    pub count: u32,
}

/// Ways of splitting the work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Every replica serves whole requests.
    Aggregated,
    /// Prefill and decode on pools of their own.
    Disaggregated,
    /// Both are looked at.
    #[default]
    Both,
}

/// How plans are confirmed by simulation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confirm {
    /// Requests of one simulated run.
    pub requests: u32,
    /// Seed of arrivals.
    pub seed: u64,
}
