//! Replicas that serve whole requests.

use rayon::prelude::*;
use vitruvian_engine::Replica;
use vitruvian_model::{Layout, validate};
use vitruvian_quantity::Seconds;

use super::shape::{Limit, Shape};
use super::{Ask, Plan, Pool, Unit, meter, pool};
use crate::census::{Census, Fall};
use crate::search::{Question, hopeless, room};
use crate::space::Candidate;
use crate::steady::{Halt, Steady, steady};

/// What one layout, precision and chunk delivers at growing batches, as long as the targets are kept.
#[derive(Clone, Debug)]
pub struct Ladder {
    /// One a batch, ascending.
    pub units: Vec<Unit>,
    /// What a larger batch falls to.
    pub limit: Limit,
}

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
        groups.par_iter().map(|(layout, precision)| part(question, *layout, *precision)).collect();
    let (mut all, mut census) = (Vec::new(), Census::default());
    for (ladders, fallen) in parts {
        all.extend(ladders.into_iter().filter(|ladder| !ladder.units.is_empty()));
        census.merge(fallen);
    }
    (all, census)
}

fn part(question: &Question<'_>, layout: Layout, precision: usize) -> (Vec<Ladder>, Census) {
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
            let fall = match unit(question, &candidate, &mut meter) {
                Ok(unit) => match missed(question, &unit) {
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

/// One replica kept full at a batch.
fn unit(
    question: &Question<'_>,
    candidate: &Candidate,
    meter: &mut vitruvian_engine::Meter<'_>,
) -> Result<Unit, Fall> {
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
    Ok(of_steady(candidate, &state))
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

fn missed(question: &Question<'_>, unit: &Unit) -> Option<Fall> {
    let targets = &question.targets;
    if targets.tpot.is_some_and(|most| unit.tpot > most) {
        return Some(Fall::Tpot(unit.tpot));
    }
    targets.ttft.is_some_and(|most| unit.ttft > most).then_some(Fall::Ttft(unit.ttft))
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

/// One plan a batch (and, where a rate is asked, a number of replicas): each batch is the answer to some load.
fn of_ladder(ask: &Ask<'_>, kind: usize, ladder: &Ladder, all: &mut Vec<Plan>) {
    let Some(top) = ladder.units.last() else { return };
    let most = ask.kinds[kind].space.chips / top.candidate.layout.chips();
    let Some(rate) = ask.rate else {
        all.extend(ladder.units.iter().map(|unit| one_kind(ask, kind, ladder, unit, most, None)));
        return;
    };
    let fewest = ((rate / top.rate).ceil() as u32).clamp(1, most.max(1));
    for replicas in fewest..=most {
        let unit = at_load(ladder, rate / f64::from(replicas)).unwrap_or(top);
        all.push(one_kind(ask, kind, ladder, unit, replicas, Some(rate)));
    }
}

/// The smallest batch that carries a load.
fn at_load(ladder: &Ladder, rate: f64) -> Option<&Unit> {
    ladder.units.iter().find(|unit| unit.rate >= rate)
}

fn one_kind(
    ask: &Ask<'_>,
    kind: usize,
    ladder: &Ladder,
    unit: &Unit,
    replicas: u32,
    rate: Option<f64>,
) -> Plan {
    let top = ladder.units.last().unwrap_or(unit);
    let capacity = f64::from(replicas) * if rate.is_some() { top.rate } else { unit.rate };
    let rate = rate.unwrap_or(capacity).min(capacity);
    // The engine is started with the largest batch that keeps the targets; the load decides how much of it runs.
    let started = if ask.rate.is_some() { top.candidate } else { unit.candidate };
    let pool = pool(&ask.kinds[kind], kind, unit, replicas, rate);
    let pool = Pool { candidate: Candidate { replicas, ..started }, load: rate / capacity, ..pool };
    blank(Shape::Aggregated(vec![kind]), vec![pool], capacity, rate, ladder.limit)
        .with_times(unit.ttft, unit.tpot, unit.sigma)
        .finish(ask)
}

/// The best of each of several kinds, each taking traffic in proportion to its capacity.
fn together(ask: &Ask<'_>, ladders: &[Vec<Ladder>], kinds: &[usize]) -> Option<Plan> {
    let best = |kind: &usize| {
        let (kind, question) = (*kind, &ask.kinds[*kind]);
        let size = |unit: &Unit| f64::from(question.space.chips / unit.candidate.layout.chips());
        let tops = ladders[kind].iter().filter_map(|ladder| ladder.units.last().map(|top| (ladder, top)));
        tops.max_by(|a, b| (a.1.rate * size(a.1)).total_cmp(&(b.1.rate * size(b.1))))
            .map(|(ladder, top)| (kind, ladder, top, size(top)))
    };
    let parts: Vec<_> = kinds.iter().map(best).collect::<Option<_>>()?;
    let capacity: f64 = parts.iter().map(|(_, _, top, size)| top.rate * size).sum();
    let rate = ask.rate.unwrap_or(capacity).min(capacity);
    let (mut pools, mut ttft, mut tpot) = (Vec::new(), Seconds::ZERO, Seconds::ZERO);
    for (kind, ladder, top, size) in &parts {
        let share = rate / capacity;
        let unit = at_load(ladder, top.rate * share).unwrap_or(top);
        let own = top.rate * size * share;
        let pool = pool(&ask.kinds[*kind], *kind, unit, *size as u32, own);
        pools.push(Pool {
            candidate: Candidate { replicas: *size as u32, ..top.candidate },
            load: share,
            ..pool
        });
        ttft += unit.ttft * (own / rate);
        tpot += unit.tpot * (own / rate);
    }
    let widest = |pick: fn(&Unit) -> f64| parts.iter().map(|part| pick(part.2)).fold(0.0, f64::max);
    let sigma = (widest(|unit| unit.sigma.0), widest(|unit| unit.sigma.1));
    let limit = parts.first().map_or(Limit::Engine, |part| part.1.limit);
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
