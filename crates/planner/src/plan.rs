//! Plans for chips of several kinds: aggregated services, and prefill and decode on pools of their own.
//!
//! [`plan()`] walks two spaces and keeps the best of each shape:
//!
//! - *aggregated* (one file, `aggregated`): every replica serves whole requests at the steady state of continuous
//!   batching; replicas of several kinds of chip may share the traffic in proportion to what they can carry;
//! - *disaggregated* (`disaggregated`): prefill instances send KV caches over the modelled links to decode instances, on
//!   the same kind of chip or another; the numbers of both follow from conservation (methods 7.2).
//!
//! Where no rate is asked, a plan is sized for the most requests per second that keep the targets; where one is asked,
//! for that rate.

pub mod aggregated;
pub mod disaggregated;
pub mod fit;
pub mod ladder;
pub mod rank;
pub mod shape;
mod tail;

use vitruvian_engine::Meter;
use vitruvian_quantity::{Joules, Money, Seconds, Watts};

use crate::census::Census;
use crate::objective::Objective;
use crate::search::Question;
use crate::space::Candidate;
use crate::workload::Workload;

pub use disaggregated::{Link, Pairing};
pub use shape::{Limit, Shape};

/// Chips, traffic and what is best.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// One search question a kind of chip; all ask for the same workload and targets.
    pub kinds: &'a [Question<'a>],
    /// Requests per second to be served; nothing for as many as possible.
    pub rate: Option<f64>,
    /// Share of requests that must meet the target of the time to first token (DistServe: 0.9).
    pub attainment: f64,
    /// What is best.
    pub objective: Objective,
    /// Whether the engine of kind `prefill` can hand caches to that of kind `decode`, and under which rule.
    pub pairing: &'a (dyn Fn(usize, usize) -> Option<Pairing> + Sync),
}

/// A pool of equal replicas. [`Candidate::replicas`] counts them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pool {
    /// Index of its kind of chip.
    pub kind: usize,
    /// Layout, precision, batch, chunk and number of replicas.
    pub candidate: Candidate,
    /// Requests per second that it takes.
    pub rate: f64,
    /// Share of its capacity that this rate is.
    pub load: f64,
    /// Mean power of one chip with its share of the host.
    pub wall_power: Watts,
}

/// One way to serve the traffic, with what it delivers.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Aggregated or disaggregated, on which kinds.
    pub shape: Shape,
    /// The pools; of a disaggregated plan prefill, then decode.
    pub pools: Vec<Pool>,
    /// The KV transfer of a disaggregated plan.
    pub transfer: Option<Link>,
    /// Most requests per second within the targets.
    pub capacity: f64,
    /// Requests per second that the figures below are for.
    pub rate: f64,
    /// Mean time to first token.
    pub ttft: Seconds,
    /// Mean time per output token after the first.
    pub tpot: Seconds,
    /// Relative standard deviations of both.
    pub sigma: (f64, f64),
    /// What stops it from carrying more.
    pub limit: Limit,
    /// Chips in use.
    pub chips: u32,
    /// Wall energy per output token.
    pub energy_per_token: Joules,
    /// Money per hour, where every chip has a price.
    pub per_hour: Option<Money>,
    /// Money per million output tokens.
    pub per_million: Option<Money>,
}

/// Figures of one instance, from which pools are sized. Rates are of one replica.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// The candidate, with one replica.
    pub candidate: Candidate,
    /// Requests per second.
    pub rate: f64,
    /// Time to first token that it adds.
    pub ttft: Seconds,
    /// Time per output token that it gives.
    pub tpot: Seconds,
    /// Energy above active idle of one request.
    pub energy: Joules,
    /// Relative standard deviations of both times.
    pub sigma: (f64, f64),
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Plans that keep the targets, best first, one a shape, layout and precision.
    pub plans: Vec<Plan>,
    /// Indices of plans that none beats in capacity, time per token and money (or energy) per token.
    pub front: Vec<usize>,
    /// Plans costed.
    pub candidates: u64,
    /// The plan that carries most, where a rate is asked that none carries.
    pub most: Option<Plan>,
    /// How the search of aggregated replicas went, by kind.
    pub census: Vec<Census>,
}

/// Finds plans. Deterministic.
pub fn plan(ask: &Ask<'_>) -> Found {
    let (mut all, mut ladders, mut census) = (Vec::new(), Vec::new(), Vec::new());
    for kind in 0..ask.kinds.len() {
        let (own, fallen) = aggregated::ladders(ask, kind);
        census.push(fallen);
        ladders.push(own);
    }
    aggregated::plans(ask, &ladders, &mut all);
    disaggregated::plans(ask, &mut all);
    let found = rank::rank(ask, all);
    Found { census, ..found }
}

impl Plan {
    /// Completes a plan from its pools: power, energy and money at `rate`.
    fn finish(mut self, ask: &Ask<'_>) -> Self {
        let output = f64::from(ask.kinds.first().map_or(1, |kind| kind.workload.output.max(1)));
        let (mut power, mut hour, mut chips) = (Watts::ZERO, Some(Money::ZERO), 0);
        for pool in &self.pools {
            let count = pool.chips();
            let finance = &ask.kinds[pool.kind].finance;
            let one = finance.capital.map(|capital| {
                vitruvian_economics::hourly(&capital, pool.wall_power, finance.region).total()
            });
            hour = hour.zip(one).map(|(sum, one)| sum + one * f64::from(count));
            power += pool.wall_power * f64::from(count);
            chips += count;
        }
        let tokens_per_s = self.rate * output;
        self.chips = chips;
        self.energy_per_token = power * Seconds::new(1.0 / tokens_per_s);
        self.per_hour = hour;
        self.per_million = hour.map(|hour| hour * (1e6 / (3600.0 * tokens_per_s)));
        self
    }

    /// Chips in use of a kind.
    pub fn chips_of(&self, kind: usize) -> u32 {
        self.pools.iter().filter(|pool| pool.kind == kind).map(Pool::chips).sum()
    }

    /// Mean time of a whole request.
    pub fn request_time(&self, workload: &Workload) -> Seconds {
        self.ttft + self.tpot * f64::from(workload.decode_steps())
    }

    /// A figure that is smaller for the better of two plans.
    pub fn score(&self, objective: Objective, workload: &Workload) -> f64 {
        match objective {
            Objective::Throughput => -self.capacity,
            Objective::Cost => self.per_million.map_or(f64::INFINITY, Money::get),
            Objective::Energy => self.energy_per_token.get(),
            Objective::Latency => self.request_time(workload).get(),
        }
    }
}

impl Pool {
    /// Chips of all replicas.
    pub fn chips(&self) -> u32 {
        self.candidate.layout.chips() * self.candidate.replicas
    }
}

/// A pool of `replicas` of a unit that together take `rate` requests per second.
///
/// A chip draws its active idle power and the energy of its share of the requests, never more than its cap.
fn pool(question: &Question<'_>, kind: usize, unit: &Unit, replicas: u32, rate: f64) -> Pool {
    let (chip, node) = (question.chip, question.node);
    let each = rate / f64::from(replicas);
    let dynamic = Watts::new(unit.energy.get() * each / f64::from(unit.candidate.layout.chips()));
    let power = (chip.power.active_idle + dynamic).min(chip.power.cap);
    Pool {
        kind,
        candidate: Candidate { replicas, ..unit.candidate },
        rate,
        load: each / unit.rate,
        wall_power: power + node.host_power / f64::from(node.size),
    }
}

fn meter<'a>(question: &Question<'a>) -> Meter<'a> {
    Meter::new(question.node, question.costs, question.network)
}
