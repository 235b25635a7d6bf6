//! What a deployment delivers, costs and draws.

use vitruvian_cost::Bound;
use vitruvian_economics::{Capital, Region, TokenCost, hourly, per_million};
use vitruvian_engine::{Memory, Meter, Replica};
use vitruvian_quantity::{Bytes, Joules, Seconds, Watts};

use crate::space::Candidate;
use crate::steady::Steady;
use crate::workload::Workload;

/// What a deployment of all chips delivers. Spreads are relative standard deviations (of the logarithm).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Performance {
    /// Mean time to first token.
    pub ttft: Seconds,
    /// Mean time per output token after the first.
    pub tpot: Seconds,
    /// Mean time of a whole request.
    pub request_time: Seconds,
    /// Requests finished per second.
    pub requests_per_s: f64,
    /// Output tokens per second, all chips.
    pub output_per_s: f64,
    /// Prompt tokens per second, all chips, cached ones included.
    pub input_per_s: f64,
    /// Output tokens per second and chip.
    pub output_per_s_chip: f64,
    /// Output tokens per second that one user sees.
    pub output_per_s_user: f64,
    /// Memory of the fullest rank.
    pub memory: Memory,
    /// Cache that the running sequences need on that rank.
    pub cache_used: Bytes,
    /// Mean power of one chip.
    pub chip_power: Watts,
    /// Mean power of one chip with its share of host, fans and NICs.
    pub wall_power: Watts,
    /// Energy (wall) per output token.
    pub energy_per_token: Joules,
    /// Money per million tokens, where a price is known.
    pub cost: Option<TokenCost>,
    /// Spread of `ttft`.
    pub ttft_sigma: f64,
    /// Spread of `tpot`, and of every rate.
    pub tpot_sigma: f64,
    /// Spread of power.
    pub power_sigma: f64,
    /// Spread of cost.
    pub cost_sigma: f64,
    /// What bounds a prefill step.
    pub prefill_bound: Bound,
    /// What bounds a decode step.
    pub decode_bound: Bound,
    /// Share of the device's time that prefill takes.
    pub prefill_share: f64,
    /// Prefill work over what the scheduler can carry.
    pub load: f64,
}

/// Where money comes in.
#[derive(Clone, Copy, Debug)]
pub struct Finance<'a> {
    /// Capital of one chip with its share of the server, if known.
    pub capital: Option<Capital>,
    /// Place.
    pub region: &'a Region,
    /// Relative standard deviation of modelled energy against measured power.
    pub power_sigma: f64,
}

/// Puts a steady state, memory and money together.
pub fn performance(
    candidate: &Candidate,
    replica: &Replica<'_>,
    workload: &Workload,
    steady: &Steady,
    memory: (Memory, Bytes),
    finance: &Finance<'_>,
    meter: &Meter<'_>,
) -> Performance {
    let replicas = f64::from(candidate.replicas);
    let chips = f64::from(candidate.layout.chips()) * replicas;
    let requests_per_s = steady.requests_per_s * replicas;
    let output_per_s = requests_per_s * f64::from(workload.output);
    let input_per_s = requests_per_s * f64::from(workload.input);
    let (chip_power, wall_power) = power(replica, workload, steady, meter);
    let hour = finance.capital.map(|capital| hourly(&capital, wall_power, finance.region));
    let cost =
        hour.map(|hour| per_million(hour.total() * chips, steady.prefill_share, input_per_s, output_per_s));
    let price_sigma = hour.map_or(0.0, |hour| hour.sigma);
    Performance {
        ttft: steady.ttft,
        tpot: steady.tpot,
        request_time: steady.ttft + steady.tpot * f64::from(workload.decode_steps()),
        requests_per_s,
        output_per_s,
        input_per_s,
        output_per_s_chip: output_per_s / chips,
        output_per_s_user: if steady.tpot > Seconds::ZERO { 1.0 / steady.tpot.get() } else { 0.0 },
        memory: memory.0,
        cache_used: memory.1,
        chip_power,
        wall_power,
        energy_per_token: wall_power * Seconds::new(chips / output_per_s),
        cost,
        ttft_sigma: steady.ttft_sigma,
        tpot_sigma: steady.tpot_sigma,
        power_sigma: finance.power_sigma,
        cost_sigma: price_sigma.hypot(steady.tpot_sigma),
        prefill_bound: steady.prefill.bound(),
        decode_bound: steady.decode.bound(),
        prefill_share: steady.prefill_share,
        load: steady.load,
    }
}

/// Mean power of one chip, without and with its share of the node's host: active idle plus the energy of a mean step.
fn power(replica: &Replica<'_>, workload: &Workload, steady: &Steady, meter: &Meter<'_>) -> (Watts, Watts) {
    let (chip, node) = (meter.chip(), meter.node());
    let step = if workload.decode_steps() > 0 { steady.tpot } else { steady.prefill.latency };
    let dynamic = steady.energy / step / f64::from(replica.layout.chips());
    let chip_power = (chip.power.active_idle + dynamic).min(chip.power.cap);
    (chip_power, chip_power + node.host_power / f64::from(node.size))
}
