//! The answer of `simulate`: keys carry their unit.

use schemars::JsonSchema;
use serde::Serialize;
use vitruvian_event::Summary;
use vitruvian_model::Model;
use vitruvian_serving::series::Figure;
use vitruvian_serving::{Measures, Outcome, Service as Serving};

use super::cost::{Bill, bill, idle_watts};
use super::pools::Prepared;
use super::study::{RoleName, SimulateStudy};
use super::traffic::Drawn;
use crate::precision::conversions;

/// What a simulated deployment delivers.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SimulateAnswer {
    /// Model name.
    pub model: String,
    /// The pools of the service.
    pub pools: Vec<PoolAnswer>,
    /// How requests find their replica.
    pub routing: String,
    /// Requests sent.
    pub requests: usize,
    /// Requests answered.
    pub finished: usize,
    /// Requests turned away: longer than the context, or than the whole cache.
    pub rejected: usize,
    /// Rows of the trace that were left out.
    pub skipped_rows: usize,
    /// From the first arrival to the last token.
    pub duration_s: f64,
    /// Time to first token.
    pub ttft_ms: Latency,
    /// Time per output token after the first: a request's mean.
    pub tpot_ms: Latency,
    /// Time between two tokens of a request.
    pub itl_ms: Latency,
    /// From arrival to last token.
    pub e2e_ms: Latency,
    /// From arrival to first step.
    pub queue_ms: Latency,
    /// Requests answered per second.
    pub requests_per_s: f64,
    /// Tokens made per second.
    pub output_tokens_per_s: f64,
    /// Prompt tokens taken in per second, cached ones included.
    pub input_tokens_per_s: f64,
    /// Tokens made per second and chip.
    pub output_tokens_per_s_per_chip: f64,
    /// Requests per second that met the service level; all answered ones where none is asked.
    pub goodput_per_s: f64,
    /// The same as a share of the requests sent.
    pub slo_attainment: f64,
    /// The service level asked.
    pub slo: Target,
    /// Prompt tokens found in the cache, as a share of all.
    pub cache_hit_rate: f64,
    /// Preemptions.
    pub preemptions: u64,
    /// Prompt tokens computed, those computed again after a preemption included.
    pub computed_prompt_tokens: u64,
    /// Mean number of requests that wait.
    pub mean_waiting: f64,
    /// Mean number of requests in the service.
    pub mean_in_flight: f64,
    /// Highest share of the KV blocks of a lane in use.
    pub kv_peak_share: f64,
    /// Steps of all replicas.
    pub steps: u64,
    /// Energy of chips with their share of hosts, fans and NICs.
    pub energy_j: f64,
    /// Energy of the chips alone.
    pub chip_energy_j: f64,
    /// Mean power of chips with their share of hosts.
    pub mean_power_w: f64,
    /// Energy (hosts included) per token made.
    pub energy_per_token_j: f64,
    /// Capital, staff and electricity of all chips for the duration.
    pub cost_usd: Option<f64>,
    /// All cost over all tokens made.
    pub cost_per_million_output_usd: Option<f64>,
    /// Spread of every TPOT, relative standard deviation: what the engine's step times are worth.
    pub tpot_sigma: f64,
    /// Spread of every TTFT, relative standard deviation.
    pub ttft_sigma: f64,
    /// Figures over time.
    pub series: TimeSeries,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// One pool.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PoolAnswer {
    /// `whole`, `prefill` or `decode`.
    pub role: String,
    /// Chip in the catalog, or in the user's file.
    pub chip: String,
    /// Name a person reads.
    pub title: String,
    /// Node.
    pub node: String,
    /// Engine and version.
    pub engine: String,
    /// Scheduler.
    pub scheduler: String,
    /// Chips of all replicas.
    pub chips: u32,
    /// Replicas.
    pub replicas: u32,
    /// Parallel degrees of a replica.
    pub layout: String,
    /// Precision.
    pub precision: String,
    /// Tokens that the caches of all replicas hold.
    pub cache_tokens: u64,
    /// Share of the time in which its replicas step.
    pub utilisation: f64,
}

/// Mean and quantiles of a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Latency {
    /// Mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// Ninetieth percentile.
    pub p90: f64,
    /// Ninety-ninth percentile.
    pub p99: f64,
}

/// A service level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Target {
    /// Time to first token at most.
    pub ttft_ms: Option<f64>,
    /// Time per output token at most.
    pub tpot_ms: Option<f64>,
}

/// Figures over time: means over buckets of equal width.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct TimeSeries {
    /// Width of a bucket.
    pub bucket_s: f64,
    /// Requests that wait.
    pub waiting: Over,
    /// Requests that run.
    pub running: Over,
    /// KV blocks in use, as a share of all.
    pub kv_share: Over,
    /// Power of chips and hosts.
    pub power_w: Over,
    /// Tokens made per second.
    pub output_tokens_per_s: Over,
    /// Prompt tokens computed per second.
    pub prompt_tokens_per_s: Over,
}

/// A value a bucket.
pub type Over = Vec<f64>;

pub(super) fn answer(
    study: &SimulateStudy,
    model: &Model,
    prepared: &[Prepared],
    service: &Serving<'_>,
    drawn: &Drawn,
    outcome: &Outcome,
    found: &Measures,
) -> SimulateAnswer {
    let seconds = outcome.end.seconds();
    let bills = prepared.iter().enumerate().map(|(index, pool)| bill(pool, outcome, index));
    let bill = bills.reduce(Bill::with).unwrap_or_default();
    let chips: u32 = prepared.iter().map(Prepared::chips).sum();
    let tokens = found.output_tokens.max(1) as f64;
    let over = |amount: f64| if seconds > 0.0 { amount / seconds } else { 0.0 };
    let engine = prepared.last().map(|pool| &pool.setup.engine);
    SimulateAnswer {
        model: model.name.clone(),
        pools: pools(prepared, service, outcome),
        routing: service.routing.name().to_owned(),
        requests: found.requests,
        finished: found.finished,
        rejected: found.rejected,
        skipped_rows: drawn.skipped,
        duration_s: found.duration,
        ttft_ms: latency(&found.ttft),
        tpot_ms: latency(&found.tpot),
        itl_ms: latency(&found.itl),
        e2e_ms: latency(&found.e2e),
        queue_ms: latency(&found.queue),
        requests_per_s: found.requests_per_s,
        output_tokens_per_s: found.output_per_s,
        input_tokens_per_s: found.input_per_s,
        output_tokens_per_s_per_chip: found.output_per_s / f64::from(chips.max(1)),
        goodput_per_s: found.goodput,
        slo_attainment: found.good as f64 / (found.requests - study.warmup as usize).max(1) as f64,
        slo: Target {
            ttft_ms: study.ttft.map(|time| time.get() * 1e3),
            tpot_ms: study.tpot.map(|time| time.get() * 1e3),
        },
        cache_hit_rate: found.cache_hit,
        preemptions: found.preemptions,
        computed_prompt_tokens: found.prompt_tokens,
        mean_waiting: over(outcome.waiting),
        mean_in_flight: over(outcome.present),
        kv_peak_share: outcome.fullest,
        steps: outcome.steps,
        energy_j: bill.wall,
        chip_energy_j: bill.chips,
        mean_power_w: over(bill.wall),
        energy_per_token_j: bill.wall / tokens,
        cost_usd: bill.money,
        cost_per_million_output_usd: bill.money.map(|money| money / tokens * 1e6),
        tpot_sigma: engine.map_or(0.0, |engine| engine.tpot_sigma),
        ttft_sigma: engine.map_or(0.0, |engine| engine.ttft_sigma),
        series: series(prepared, service, outcome),
        notes: notes(prepared, found),
    }
}

fn latency(summary: &Summary) -> Latency {
    let Summary { mean, p50, p90, p99, .. } = *summary;
    Latency { mean: mean * 1e3, p50: p50 * 1e3, p90: p90 * 1e3, p99: p99 * 1e3 }
}

fn pools(prepared: &[Prepared], service: &Serving<'_>, outcome: &Outcome) -> Vec<PoolAnswer> {
    let each = prepared.iter().zip(&service.pools).enumerate().map(|(index, (pool, serving))| {
        let limits = serving.limits;
        let lanes = u64::from(serving.groups * serving.stages * serving.replicas);
        let capacity = outcome.end.seconds() * f64::from(serving.replicas);
        PoolAnswer {
            role: match pool.role {
                RoleName::Whole => "whole",
                RoleName::Prefill => "prefill",
                RoleName::Decode => "decode",
            }
            .to_owned(),
            chip: pool.setup.chip.name.clone(),
            title: pool.setup.chip.title.clone(),
            node: pool.setup.node.title.clone(),
            engine: format!("{} {}", pool.setup.engine.title, pool.setup.engine.version),
            scheduler: serving.policy.name().to_owned(),
            chips: pool.chips(),
            replicas: pool.replicas,
            layout: pool.layout.to_string(),
            precision: pool.precision.name.clone(),
            cache_tokens: lanes * u64::from(limits.blocks) * u64::from(limits.block),
            utilisation: if capacity > 0.0 { outcome.busy[index] / capacity } else { 0.0 },
        }
    });
    each.collect()
}

fn series(prepared: &[Prepared], service: &Serving<'_>, outcome: &Outcome) -> TimeSeries {
    let series = &outcome.series;
    let blocks: f64 = service
        .pools
        .iter()
        .map(|pool| f64::from(pool.limits.blocks) * f64::from(pool.groups * pool.stages * pool.replicas))
        .sum();
    let idle = idle_watts(prepared);
    TimeSeries {
        bucket_s: series.width,
        waiting: series.per_second(Figure::Waiting).collect(),
        running: series.per_second(Figure::Running).collect(),
        kv_share: series.per_second(Figure::Blocks).map(|used| used / blocks.max(1.0)).collect(),
        power_w: series.per_second(Figure::Energy).map(|watts| watts + idle).collect(),
        output_tokens_per_s: series.per_second(Figure::Tokens).collect(),
        prompt_tokens_per_s: series.per_second(Figure::PromptTokens).collect(),
    }
}

fn notes(prepared: &[Prepared], found: &Measures) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for pool in prepared {
        for note in
            pool.setup.notes.iter().cloned().chain(conversions(&pool.precision.plan, &pool.setup.chip))
        {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    let unfinished = found.requests - found.finished - found.rejected;
    if found.rejected > 0 {
        notes.push(format!(
            "{} requests are longer than the context or the whole cache and were turned away",
            found.rejected
        ));
    }
    if unfinished > 0 && found.finished + found.rejected < found.requests {
        notes.push(format!("{unfinished} requests were served but not measured, or not answered"));
    }
    notes
}
