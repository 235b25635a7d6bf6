//! Replicas that serve whole requests.

use rayon::prelude::*;
use vitruvian_engine::Replica;
use vitruvian_model::{Layout, validate};
use vitruvian_quantity::Seconds;

use super::ladder::Ladder;
use super::shape::{Limit, Shape};
use super::{Ask, Plan, Pool, Unit, meter, pool, tail};
use crate::census::{Census, Fall};
use crate::search::{Question, hopeless, room};
use crate::space::Candidate;
use crate::steady::{Halt, Steady, steady};

/// All ladders of a kind, and what fell.
pub fn ladders(ask: &Ask<'_>, kind: usize) -> (Vec<Ladder>, Census) {
    let question = &ask.kinds[kind];
    let space = question.space;
    let groups: Vec<(Layout, usize)> = space
        .layouts
        .iter()
        .flat_map(|layout| (0..space.precisions.len()).map(move |precision| (*layout, precision)))
        .collect();
    let parts: Vec<(Vec<Ladder>, Census)> =
        groups.par_iter().map(|(layout, precision)| part(ask, question, *layout, *precision)).collect();
    let (mut all, mut census) = (Vec::new(), Census::default());
    for (ladders, fallen) in parts {
        all.extend(ladders.into_iter().filter(|ladder| !ladder.units.is_empty()));
        census.merge(fallen);
    }
    (all, census)
}

fn part(ask: &Ask<'_>, question: &Question<'_>, layout: Layout, precision: usize) -> (Vec<Ladder>, Census) {
    let mut census = Census::default();
    let base = Candidate { layout, replicas: 1, precision, batch: 0, chunk: 0 };
    if let Err(error) = validate(question.model, layout) {
        let grid = question.space.batches.len() * question.space.chunks.len();
        census.fell(&base, &Fall::DoesNotDivide(error.to_string()), grid as u64);
        return (Vec::new(), census);
    }
    let mut meter = meter(question);
    let ladders = question.space.chunks.iter().map(|&chunk| {
        let mut ladder = Ladder { units: Vec::new(), limit: Limit::Engine };
        for &batch in &question.space.batches {
            let candidate = Candidate { batch, chunk, ..base };
            let fall = match unit(ask, question, &candidate, &mut meter) {
                Ok((unit, late)) => match missed(question, &unit, late) {
                    None => {
                        ladder.units.push(unit);
                        continue;
                    }
                    Some(fall) => fall,
                },
                Err(fall) => fall,
            };
            census.fell(&candidate, &fall, 1);
            ladder.limit = limit(&fall).unwrap_or(ladder.limit);
            if hopeless(&fall) {
                break;
            }
        }
        ladder
    });
    (ladders.collect(), census)
}

/// One replica kept full at a batch, and the time to first token that the asked share of its requests stays below.
fn unit(
    ask: &Ask<'_>,
    question: &Question<'_>,
    candidate: &Candidate,
    meter: &mut vitruvian_engine::Meter<'_>,
) -> Result<(Unit, Seconds), Fall> {
    let replica = Replica {
        model: question.model,
        plan: &question.space.precisions[candidate.precision].plan,
        layout: candidate.layout,
        engine: question.engine,
    };
    room(question, &replica, candidate)?;
    let state = steady(&replica, &question.workload, candidate.batch, candidate.chunk, meter);
    let state = state.map_err(|halt| match halt {
        Halt::Refused(refusal) => Fall::Unsupported(refusal.to_string()),
        Halt::Saturated(load) => Fall::Saturated { load },
    })?;
    open(ask, question.space.chips, candidate, &state)
}

/// A full replica under open arrivals: prompts queue for the steps that carry prefill, one after another in each
/// data-parallel group and pipeline slot of all replicas. Where a rate is asked, as few as one replica may do. (Of a closed population, whose clients wait for
/// their answers, [`steady`] knows less of a queue.)
fn open(ask: &Ask<'_>, chips: u32, candidate: &Candidate, state: &Steady) -> Result<(Unit, Seconds), Fall> {
    let lanes = candidate.layout.dp * candidate.layout.pp;
    let slower = lockstep(candidate, state);
    let service = state.service.get();
    let load = state.requests_per_s / slower / f64::from(lanes) * service;
    if load >= 1.0 {
        return Err(Fall::Saturated { load });
    }
    let replicas = if ask.rate.is_some() { 1 } else { chips / candidate.layout.chips() };
    let together = f64::from(candidate.layout.dp);
    let queue = tail::Queue { servers: f64::from(lanes * replicas.max(1)), service, load, together };
    let (mean, late) = (queue.mean(), queue.wait(ask.attainment));
    let alone = state.ttft - state.queued;
    let unit = of_steady(candidate, state);
    let unit = Unit { rate: unit.rate / slower, tpot: unit.tpot * slower, ..unit };
    Ok((Unit { ttft: alone + Seconds::new(mean), ..unit }, alone + Seconds::new(late.max(mean))))
}

/// How much longer the mean step is because prompts of several data-parallel groups come at different steps, and every
/// group waits for each: of g groups that carry prefill in a share f of their steps, a share 1 − (1 − f)^g of the steps
/// carries some. The steady state takes all groups to carry theirs at once.
fn lockstep(candidate: &Candidate, state: &Steady) -> f64 {
    let plain = state.decode.latency.max(state.decode.interval * f64::from(candidate.layout.pp));
    let full = state.prefill.latency.max(state.prefill.interval * f64::from(candidate.layout.pp));
    if candidate.layout.dp == 1 || full <= plain || state.tpot <= plain {
        return 1.0;
    }
    let share = ((state.tpot - plain) / (full - plain)).min(1.0);
    let any = 1.0 - (1.0 - share).powf(f64::from(candidate.layout.dp));
    (plain + (full - plain) * any) / state.tpot
}

/// Energy of a request: that of a mean step, over the requests that leave in one.
fn of_steady(candidate: &Candidate, state: &Steady) -> Unit {
    let step = if state.tpot > Seconds::ZERO { state.tpot } else { state.prefill.latency };
    Unit {
        candidate: *candidate,
        rate: state.requests_per_s,
        ttft: state.ttft,
        tpot: state.tpot,
        energy: state.energy * (1.0 / (step.get() * state.requests_per_s)),
        sigma: (state.ttft_sigma, state.tpot_sigma),
    }
}

fn missed(question: &Question<'_>, unit: &Unit, late: Seconds) -> Option<Fall> {
    let targets = &question.targets;
    if targets.tpot.is_some_and(|most| unit.tpot > most) {
        return Some(Fall::Tpot(unit.tpot));
    }
    targets.ttft.is_some_and(|most| late > most).then_some(Fall::Ttft(late))
}

fn limit(fall: &Fall) -> Option<Limit> {
    match fall {
        Fall::DoesNotFit { .. } => Some(Limit::Memory),
        Fall::Tpot(_) => Some(Limit::Tpot),
        Fall::Ttft(_) => Some(Limit::Ttft),
        Fall::Saturated { .. } => Some(Limit::Prefill),
        Fall::DoesNotDivide(_) | Fall::Unsupported(_) | Fall::Dominated => None,
    }
}

/// Plans of one kind each, and of the best of several kinds together.
pub fn plans(ask: &Ask<'_>, ladders: &[Vec<Ladder>], all: &mut Vec<Plan>) {
    for (kind, own) in ladders.iter().enumerate() {
        own.iter().for_each(|ladder| of_ladder(ask, kind, ladder, all));
    }
    for kinds in subsets(ladders.len()) {
        all.extend(together(ask, ladders, &kinds));
    }
}

/// One plan a batch that is worth starting with; where a rate is asked, one a number of replicas, started with the largest batch that keeps the targets.
fn of_ladder(ask: &Ask<'_>, kind: usize, ladder: &Ladder, all: &mut Vec<Plan>) {
    let Some(top) = ladder.units.last() else { return };
    let most = ask.kinds[kind].space.chips / top.candidate.layout.chips();
    match ask.rate {
        None => {
            let plan = |unit: &Unit| one_kind(ask, kind, ladder, unit, most, None);
            all.extend(ladder.started(ask.objective).iter().filter_map(plan));
        }
        Some(rate) => {
            all.extend(
                (1..=most).filter_map(|replicas| one_kind(ask, kind, ladder, top, replicas, Some(rate))),
            );
        }
    }
}

/// Replicas started with the batch of `started`, at a rate or at what they carry.
fn one_kind(
    ask: &Ask<'_>,
    kind: usize,
    ladder: &Ladder,
    started: &Unit,
    replicas: u32,
    rate: Option<f64>,
) -> Option<Plan> {
    let full = ladder.staffed(started.candidate.batch, replicas, ask.attainment)?;
    let capacity = full.rate * f64::from(replicas);
    let rate = rate.map_or(capacity, |rate| rate.min(capacity));
    let unit = ladder.carrying(rate / f64::from(replicas))?;
    let pool = loaded(ask, kind, started, &unit, replicas, (rate, capacity));
    let plan = blank(Shape::Aggregated(vec![kind]), vec![pool], capacity, rate, ladder.limit);
    Some(plan.with_times(unit.ttft, unit.tpot, unit.sigma).finish(ask))
}

/// A pool started with one batch and running at another.
fn loaded(
    ask: &Ask<'_>,
    kind: usize,
    started: &Unit,
    running: &Unit,
    replicas: u32,
    (rate, capacity): (f64, f64),
) -> Pool {
    let pool = pool(&ask.kinds[kind], kind, running, replicas, rate);
    Pool { candidate: Candidate { replicas, ..started.candidate }, load: rate / capacity, ..pool }
}

/// The ladder of a kind that carries most with all its chips: its largest batch, number of replicas and capacity.
fn largest<'a>(
    ask: &Ask<'_>,
    kind: usize,
    ladders: &'a [Ladder],
) -> Option<(&'a Ladder, &'a Unit, u32, f64)> {
    let sized = ladders.iter().filter_map(|ladder| {
        let top = ladder.units.last()?;
        let replicas = ask.kinds[kind].space.chips / top.candidate.layout.chips();
        let full = ladder.staffed(top.candidate.batch, replicas, ask.attainment)?;
        Some((ladder, top, replicas, full.rate * f64::from(replicas)))
    });
    sized.max_by(|a, b| a.3.total_cmp(&b.3))
}

/// The best of each of several kinds, each taking traffic in proportion to its capacity.
fn together(ask: &Ask<'_>, ladders: &[Vec<Ladder>], kinds: &[usize]) -> Option<Plan> {
    let parts = kinds.iter().map(|kind| largest(ask, *kind, &ladders[*kind]));
    let parts: Vec<_> = parts.collect::<Option<_>>()?;
    let capacity: f64 = parts.iter().map(|part| part.3).sum();
    let rate = ask.rate.unwrap_or(capacity).min(capacity);
    let (mut pools, mut ttft, mut tpot) = (Vec::new(), Seconds::ZERO, Seconds::ZERO);
    for (kind, (ladder, top, replicas, most)) in kinds.iter().zip(&parts) {
        let own = most * rate / capacity;
        let unit = ladder.carrying(own / f64::from(*replicas))?;
        pools.push(loaded(ask, *kind, top, &unit, *replicas, (own, *most)));
        ttft += unit.ttft * (own / rate);
        tpot += unit.tpot * (own / rate);
    }
    let widest = |pick: fn(&Unit) -> f64| parts.iter().map(|part| pick(part.1)).fold(0.0, f64::max);
    let sigma = (widest(|unit| unit.sigma.0), widest(|unit| unit.sigma.1));
    let limit = parts.first().map_or(Limit::Engine, |part| part.0.limit);
    let plan = blank(Shape::Aggregated(kinds.to_vec()), pools, capacity, rate, limit);
    Some(plan.with_times(ttft, tpot, sigma).finish(ask))
}

/// Sets of two kinds or more.
fn subsets(kinds: usize) -> Vec<Vec<usize>> {
    let sets = (0_u32..1 << kinds.min(8)).filter(|set| set.count_ones() > 1);
    sets.map(|set| (0..kinds).filter(|kind| set & (1 << kind) != 0).collect()).collect()
}

/// A plan whose times and money are still to be filled in.
pub(super) fn blank(shape: Shape, pools: Vec<Pool>, capacity: f64, rate: f64, limit: Limit) -> Plan {
    Plan {
        shape,
        pools,
        transfer: None,
        capacity,
        rate,
        ttft: Seconds::ZERO,
        tpot: Seconds::ZERO,
        sigma: (0.0, 0.0),
        limit,
        chips: 0,
        energy_per_token: vitruvian_quantity::Joules::ZERO,
        per_hour: None,
        per_million: None,
    }
}

impl Plan {
    pub(super) fn with_times(self, ttft: Seconds, tpot: Seconds, sigma: (f64, f64)) -> Self {
        Self { ttft, tpot, sigma, ..self }
    }
}
