//! Plans under simulated traffic: is what the analytic model promises kept request by request?
//!
//! Goodput is the most requests per second at which a share of the requests (90 %) meets both targets (DistServe, arXiv
//! 2401.09670); it falls with the rate, so it is bisected for. All rates of all plans see the same draws.

use vitruvian_economics::hourly;
use vitruvian_engine::{Meter, Replica};
use vitruvian_event::{random, stream};
use vitruvian_planner::Question;
use vitruvian_planner::plan::{Plan, Pool, Shape};
use vitruvian_quantity::{Seconds, Watts};
use vitruvian_serving::deploy::{self, Options, Unfit};
use vitruvian_serving::{
    FirstToken, Halt, Level, Outcome, Requests, Role, Routing, Service, State, Transfer, simulate,
};

use super::Asked;
use super::answer::Simulated;
use super::study::Confirm;

/// Most runs of one bisection.
const RUNS: usize = 12;
/// Relative width at which a bisection stops.
const CLOSE: f64 = 0.04;

/// What was found of one plan.
pub(super) struct Confirmed {
    pub(super) simulated: Option<Simulated>,
    /// Why it could not be simulated.
    pub(super) fault: Option<String>,
    pub(super) runs: u64,
}

/// Simulates a plan at the rate asked, and bisects for its goodput.
pub(super) fn confirm(
    asked: &Asked<'_>,
    kinds: &[Question<'_>],
    plan: &Plan,
    confirm: &Confirm,
) -> Confirmed {
    let built = Trial::new(asked, kinds, plan, confirm);
    let mut trial = match built {
        Ok(trial) => trial,
        Err(fault) => return Confirmed { simulated: None, fault: Some(fault), runs: 0 },
    };
    match trial.search() {
        Ok(simulated) => Confirmed { simulated: Some(simulated), fault: None, runs: trial.runs },
        Err(halt) => {
            let fault = vitruvian_diagnostics::Diagnostic::from(halt).to_string();
            Confirmed { simulated: None, fault: Some(fault), runs: trial.runs }
        }
    }
}

/// One plan built for simulation: a service, or one a kind of chip with its share of the traffic.
struct Trial<'a> {
    asked: &'a Asked<'a>,
    kinds: &'a [Question<'a>],
    plan: &'a Plan,
    confirm: &'a Confirm,
    services: Vec<(Service<'a>, f64)>,
    runs: u64,
}

/// Figures of one run.
#[derive(Clone, Debug, Default)]
struct Run {
    rate: f64,
    sent: usize,
    good: usize,
    ttft: Vec<f64>,
    tpot: Vec<f64>,
    /// Joules above active idle of all requests, by pool of the plan; then their output tokens.
    energy: Vec<f64>,
    output: f64,
    total: usize,
}

impl<'a> Trial<'a> {
    fn new(
        asked: &'a Asked<'a>,
        kinds: &'a [Question<'a>],
        plan: &'a Plan,
        confirm: &'a Confirm,
    ) -> Result<Self, String> {
        let whole = |pool: &'a Pool| {
            let service = service(asked, kinds, plan, &[(pool, Role::Whole)], confirm)?;
            Ok((service, pool.rate / plan.rate))
        };
        let services = match plan.shape {
            Shape::Aggregated(_) => plan.pools.iter().map(whole).collect::<Result<Vec<_>, String>>()?,
            Shape::Disaggregated(..) => {
                let roles = [Role::Prefill, Role::Decode];
                let pools: Vec<_> = plan.pools.iter().zip(roles).collect();
                vec![(service(asked, kinds, plan, &pools, confirm)?, 1.0)]
            }
        };
        Ok(Self { asked, kinds, plan, confirm, services, runs: 0 })
    }

    /// Doubles or halves around the analytic capacity, then bisects.
    fn search(&mut self) -> Result<Simulated, Halt> {
        let (mut low, mut high): (Option<Run>, Option<f64>) = (None, None);
        let mut rate = self.plan.capacity;
        let mut last = None;
        for _ in 0..RUNS {
            let run = self.run(rate)?;
            if run.attainment() >= self.asked.study.attainment {
                low = Some(run);
            } else {
                high = Some(rate);
                last = Some(run);
            }
            rate = match (&low, high) {
                (Some(low), Some(high)) if high / low.rate < 1.0 + CLOSE => break,
                (Some(low), Some(high)) => (low.rate * high).sqrt(),
                (Some(low), None) => low.rate * 1.5,
                (None, Some(high)) => high / 1.5,
                (None, None) => break,
            };
        }
        let goodput = low.as_ref().map_or(0.0, |run| run.rate);
        let shown = match self.asked.rate {
            Some(rate) => Some(self.run(rate)?),
            None => low.or(last),
        };
        Ok(self.simulated(&shown.unwrap_or_default(), goodput))
    }

    /// All services at their share of a rate.
    fn run(&mut self, rate: f64) -> Result<Run, Halt> {
        self.runs += 1;
        let busy = rate * self.plan.request_time(&self.asked.workload).get();
        let requests = self.asked.traffic.at(rate, busy, self.confirm);
        let edge = (busy as usize).min(requests.len() / 4);
        let level = Level {
            ttft: self.asked.targets.ttft.map(Seconds::get),
            tpot: self.asked.targets.tpot.map(Seconds::get),
        };
        let shares: Vec<f64> = self.services.iter().map(|(_, share)| *share).collect();
        let parts = split(&requests, &shares, self.confirm.seed);
        let mut run = Run { rate, ..Run::default() };
        for ((service, share), part) in self.services.iter_mut().zip(&parts) {
            let outcome = simulate(service, part)?;
            run.add(&outcome, part, &level, (edge as f64 * *share) as usize);
            run.energy.extend(&outcome.energy);
        }
        Ok(run)
    }

    fn simulated(&self, run: &Run, goodput: f64) -> Simulated {
        let output_per_s = run.rate * run.output / run.total.max(1) as f64;
        let (watts, per_hour) = self.bill(run, output_per_s);
        let milliseconds = |seconds: f64| seconds * 1e3;
        let (ttft, tpot) = (Sorted::new(&run.ttft), Sorted::new(&run.tpot));
        Simulated {
            goodput_per_s: Some(goodput),
            rate_per_s: run.rate,
            attainment: run.attainment(),
            ttft_ms_mean: milliseconds(ttft.mean()),
            ttft_ms_p90: milliseconds(ttft.quantile(0.9)),
            tpot_ms_mean: milliseconds(tpot.mean()),
            tpot_ms_p90: milliseconds(tpot.quantile(0.9)),
            output_tokens_per_s: output_per_s,
            energy_per_token_j: watts / output_per_s,
            cost_per_million_output_usd: per_hour.map(|hour| hour * 1e6 / 3600.0 / output_per_s),
        }
    }

    /// Wall watts and dollars per hour of all pools: idle and hosts always, and what the steps of a pool add for each token.
    fn bill(&self, run: &Run, output_per_s: f64) -> (f64, Option<f64>) {
        let (mut watts, mut hour) = (0.0, Some(0.0));
        for (pool, energy) in self.plan.pools.iter().zip(&run.energy) {
            let question = &self.kinds[pool.kind];
            let (chip, node) = (question.chip, question.node);
            let idle = chip.power.active_idle.get() + node.host_power.get() / f64::from(node.size);
            let own = f64::from(pool.chips());
            let each = idle + energy / run.output.max(1.0) * output_per_s / own;
            let price = question.finance.capital.map(|capital| {
                hourly(&capital, Watts::new(each), question.finance.region).total().get() * own
            });
            watts += each * own;
            hour = hour.zip(price).map(|(sum, price)| sum + price);
        }
        (watts, hour)
    }
}

impl Run {
    /// Counts the requests that neither see the service fill nor drain.
    fn add(&mut self, outcome: &Outcome, requests: &Requests, level: &Level, edge: usize) {
        for index in edge..requests.len().saturating_sub(edge) {
            self.sent += 1;
            if outcome.states[index] != State::Finished {
                continue;
            }
            let (ttft, tpot) = (outcome.ttft(index), outcome.tpot(index, requests.outputs[index]));
            self.good += usize::from(level.met(ttft, tpot));
            self.ttft.push(ttft);
            self.tpot.extend(tpot);
        }
        self.output += requests.outputs.iter().map(|tokens| f64::from(*tokens)).sum::<f64>();
        self.total += requests.len();
    }

    fn attainment(&self) -> f64 {
        if self.sent == 0 { 0.0 } else { self.good as f64 / self.sent as f64 }
    }
}

/// Samples in order.
struct Sorted(Vec<f64>);

impl Sorted {
    fn new(samples: &[f64]) -> Self {
        let mut samples = samples.to_vec();
        samples.sort_by(f64::total_cmp);
        Self(samples)
    }

    fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len().max(1) as f64
    }

    /// The smallest sample that a share of all is not above.
    fn quantile(&self, share: f64) -> f64 {
        let place = (share * self.0.len() as f64).ceil().max(1.0) as usize;
        self.0.get(place - 1).copied().unwrap_or_default()
    }
}

/// Each request to one of several services, at random by their shares.
fn split(requests: &Requests, shares: &[f64], seed: u64) -> Vec<Requests> {
    if shares.len() == 1 {
        return vec![requests.clone()];
    }
    let mut draws = stream(seed, "split");
    let mut parts = vec![Requests::default(); shares.len()];
    for index in 0..requests.len() {
        let mut left = random::uniform(&mut draws) * shares.iter().sum::<f64>();
        let chosen = shares.iter().position(|share| {
            left -= share;
            left < 0.0
        });
        let part = &mut parts[chosen.unwrap_or(shares.len() - 1)];
        part.push(requests.arrivals[index], requests.inputs[index], requests.outputs[index]);
        if !requests.prefixes.is_empty() {
            part.prefixes.unit = requests.prefixes.unit;
            let id = vitruvian_serving::RequestId(index as u32);
            part.prefixes.names.extend(requests.prefixes.of(id));
            part.prefixes.ends.push(part.prefixes.names.len() as u32);
        }
    }
    parts
}

fn service<'a>(
    asked: &'a Asked<'a>,
    kinds: &'a [Question<'a>],
    plan: &Plan,
    pools: &[(&'a Pool, Role)],
    confirm: &Confirm,
) -> Result<Service<'a>, String> {
    let built = pools.iter().map(|(pool, role)| {
        let question = &kinds[pool.kind];
        let meter = Meter::new(question.node, question.costs, question.network);
        let candidate = &pool.candidate;
        let options = Options {
            role: *role,
            replicas: candidate.replicas,
            batched_tokens: Some(candidate.chunk),
            sequences: Some(candidate.batch.div_ceil(candidate.layout.dp)),
            prefix_cache: asked.prefixes(),
            context: asked.workload.mean_context(),
            ..Options::default()
        };
        deploy::pool(replica(asked, question, pool), meter, &options).map_err(|unfit| unfits(&unfit))
    });
    let built = built.collect::<Result<Vec<_>, String>>()?;
    let (entry, _) = pools.first().ok_or("a plan without pools")?;
    Ok(Service {
        pools: built,
        routing: if asked.prefixes() { Routing::PrefixAware } else { Routing::LeastLoaded },
        transfer: transfer(asked, plan),
        first_token: FirstToken::Decode,
        front: deploy::front(&replica(asked, &kinds[entry.kind], entry)),
        context: asked.longest,
        seed: confirm.seed,
    })
}

fn replica<'a>(asked: &'a Asked<'a>, question: &Question<'a>, pool: &Pool) -> Replica<'a> {
    Replica {
        model: asked.model,
        plan: &asked.spaces[pool.kind].precisions[pool.candidate.precision].plan,
        layout: pool.candidate.layout,
        engine: question.engine,
    }
}

/// The whole cache after the prompt, as the connectors of the launch files send it.
fn transfer(asked: &Asked<'_>, plan: &Plan) -> Transfer {
    let Some(link) = &plan.transfer else { return Transfer::default() };
    Transfer {
        latency: 0.0,
        bandwidth: link.bytes.get() / link.time.get(),
        token: link.bytes.get() / f64::from(asked.workload.input),
        fixed: 0.0,
        layers: 1,
    }
}

fn unfits(unfit: &Unfit) -> String {
    match unfit {
        Unfit::Memory(misfit) => format!("the simulated pool lacks {} a rank", misfit.missing),
        Unfit::Refused(refusal) => refusal.to_string(),
    }
}
