//! Prefill and decode on pools of their own, joined by the links.
//!
//! Prefill instances work off prompts from one queue (`tail`), whose tail says which load ρ lets the asked share of requests
//! keep the target of the time to first token. A decode instance keeps `batch` sequences running; each holds its place for its decode
//! steps and for the arrival of its cache, so that μ_D = batch / (steps · TPOT + transfer). The pools carry
//! λ = min(x_P · ρ · μ_P, x_D · μ_D, x / transfer); x_P : x_D follows from conservation (methods 7.2).

use rayon::prelude::*;
use vitruvian_engine::{Meter, Replica, memory, sequence_bytes, step_cost};
use vitruvian_model::{Collective, CollectiveKind, Group, Layout, kv_bytes, validate};
use vitruvian_quantity::{Bytes, Seconds};

use super::aggregated::blank;
use super::ladder::Ladder;
use super::shape::{Limit, Shape};
use super::{Ask, Plan, Unit, meter, pool, tail};
use crate::search::{Question, hopeless, room};
use crate::space::Candidate;
use crate::steady::{chunk_step, cycle, decode_step};

/// How caches may go from one engine to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pairing {
    /// Whether the connector wants the TP degree of prefill to be a multiple of that of decode.
    pub tp_multiple: bool,
    /// Whether the connector wants decode without pipeline stages.
    pub flat_decode: bool,
}

/// The way of one cache.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// Bytes of the cache of one prompt, over all ranks of the decode instance.
    pub bytes: Bytes,
    /// Time from the end of prefill to the whole cache at the decode instance.
    pub time: Seconds,
    /// Whether it leaves the node.
    pub leaves_node: bool,
}

/// Share of a prefill instance's capacity that is used at most: queues grow without bound as it nears one.
const MOST_LOAD: f64 = 0.95;

/// A prefill instance; `unit.ttft` is its time for the prompts of a full step, `unit.rate` its μ.
#[derive(Clone, Copy)]
struct Prefill {
    unit: Unit,
    /// Its time for a prompt that has a step to itself.
    alone: Seconds,
    /// What a request spends in the engine outside of steps.
    outside: Seconds,
}

/// All disaggregated plans, of every ordered pair of kinds whose engines pair.
pub fn plans(ask: &Ask<'_>, all: &mut Vec<Plan>) {
    if ask.kinds.iter().any(|kind| kind.workload.decode_steps() == 0) {
        return;
    }
    let prefills: Vec<Vec<Prefill>> = ask.kinds.iter().map(prefills).collect();
    let decodes: Vec<Vec<Ladder>> = ask.kinds.iter().map(decodes).collect();
    let pairs: Vec<(usize, usize, Pairing)> = (0..ask.kinds.len())
        .flat_map(|from| (0..ask.kinds.len()).map(move |to| (from, to)))
        .filter_map(|(from, to)| (ask.pairing)(from, to).map(|rule| (from, to, rule)))
        .collect();
    let parts: Vec<Vec<Plan>> = pairs
        .par_iter()
        .map(|&(from, to, rule)| pair(ask, (from, to), rule, &prefills[from], &decodes[to]))
        .collect();
    all.extend(parts.into_iter().flatten());
}

fn grid(question: &Question<'_>) -> Vec<(Layout, usize)> {
    let precisions = 0..question.space.precisions.len();
    let layouts = question.space.layouts.iter().filter(|layout| validate(question.model, **layout).is_ok());
    layouts.flat_map(|layout| precisions.clone().map(move |precision| (*layout, precision))).collect()
}

fn replica<'a>(question: &Question<'a>, candidate: &Candidate) -> Replica<'a> {
    Replica {
        model: question.model,
        plan: &question.space.precisions[candidate.precision].plan,
        layout: candidate.layout,
        engine: question.engine,
    }
}

/// Prefill instances that no other of the same precision beats in both prompts per second and chip, and speed.
fn prefills(question: &Question<'_>) -> Vec<Prefill> {
    let made = grid(question).into_par_iter().flat_map_iter(|(layout, precision)| {
        let one = move |chunk: &u32| {
            prefill(question, &Candidate { layout, replicas: 1, precision, batch: 1, chunk: *chunk })
        };
        question.space.chunks.iter().filter_map(one)
    });
    let made: Vec<Prefill> = made.collect();
    let figures =
        |one: &Prefill| (one.unit.rate / f64::from(one.unit.candidate.layout.chips()), -one.unit.ttft.get());
    let beaten = |one: &Prefill| {
        let (rate, speed) = figures(one);
        made.iter().any(|other| {
            let (a, b) = figures(other);
            other.unit.candidate.precision == one.unit.candidate.precision
                && a >= rate
                && b >= speed
                && (a > rate || b > speed)
        })
    };
    made.iter().filter(|one| !beaten(one)).copied().collect()
}

/// Whole prompts that fill a step go together; every stage of a pipeline has a step of its own in flight.
fn prefill(question: &Question<'_>, candidate: &Candidate) -> Option<Prefill> {
    let (replica, workload) = (replica(question, candidate), &question.workload);
    let new = f64::from(workload.new_tokens());
    let mut meter = meter(question);
    let held = memory(&replica, question.chip, candidate.chunk).ok()?;
    // Prompts of one step are computed while those of the last are still being sent.
    let together = (f64::from(candidate.chunk) / new).floor().max(1.0);
    let each = sequence_bytes(&replica, held.stage, workload.input);
    let together = together.min((held.cache / each / f64::from(candidate.layout.pp + 1)).floor());
    if together < 1.0 {
        return None;
    }
    let chunk = |prompts: f64, meter: &mut Meter<'_>| {
        let tokens = (prompts * new).min(f64::from(candidate.chunk));
        step_cost(&replica, &chunk_step(workload, tokens), meter)
            .ok()
            .map(|cost| (cost, prompts * new / tokens))
    };
    let (alone, chunks) = chunk(1.0, &mut meter)?;
    let (full, full_chunks) = chunk(together, &mut meter)?;
    let groups = f64::from(candidate.layout.dp);
    let stages = candidate.layout.pp;
    let rate = groups * f64::from(stages) * together / (cycle(&full, stages).get() * full_chunks);
    let unit = Unit {
        // One step a pipeline stage, and the prompts whose caches are being sent.
        candidate: Candidate {
            batch: (together * groups * f64::from(candidate.layout.pp + 1)) as u32,
            ..*candidate
        },
        rate,
        ttft: full.latency * full_chunks,
        tpot: Seconds::ZERO,
        energy: full.energy * (full_chunks / (together * groups)),
        sigma: (alone.sigma.hypot(question.engine.ttft_sigma), 0.0),
    };
    Some(Prefill { unit, alone: alone.latency * chunks, outside: replica.request_time(1) })
}

fn decodes(question: &Question<'_>) -> Vec<Ladder> {
    let made = grid(question).into_par_iter().map(|(layout, precision)| decode(question, layout, precision));
    let made: Vec<Ladder> = made.collect();
    made.into_iter().filter(|decode| !decode.units.is_empty()).collect()
}

/// Decode alone: no prompt ever holds a step up.
fn decode(question: &Question<'_>, layout: Layout, precision: usize) -> Ladder {
    let mut meter = meter(question);
    let mut ladder = Ladder { units: Vec::new(), limit: Limit::Engine };
    for &batch in &question.space.batches {
        let chunk = batch.max(question.space.chunks.first().copied().unwrap_or(batch));
        let candidate = Candidate { layout, replicas: 1, precision, batch, chunk };
        let replica = replica(question, &candidate);
        if let Err(fall) = room(question, &replica, &candidate) {
            ladder.limit = Limit::Memory;
            if hopeless(&fall) {
                break;
            }
            continue;
        }
        let Some(unit) = decoding(question, &replica, &candidate, &mut meter) else { break };
        if question.targets.tpot.is_some_and(|most| unit.tpot > most) {
            ladder.limit = Limit::Tpot;
            break;
        }
        ladder.units.push(unit);
    }
    ladder
}

fn decoding(
    question: &Question<'_>,
    replica: &Replica<'_>,
    candidate: &Candidate,
    meter: &mut Meter<'_>,
) -> Option<Unit> {
    let layout = candidate.layout;
    let sequences = candidate.batch.div_ceil(layout.dp * layout.pp).max(1);
    let cost = step_cost(replica, &decode_step(&question.workload, sequences), meter).ok()?;
    let tpot = cycle(&cost, layout.pp);
    let steps = f64::from(question.workload.decode_steps());
    let running = f64::from(sequences * layout.dp * layout.pp);
    let engine = question.engine;
    Some(Unit {
        candidate: *candidate,
        rate: running / (tpot.get() * steps),
        // Half of the step under way, and the step that samples the first token.
        ttft: engine.request + engine.request_each * running + tpot * 1.5,
        tpot,
        energy: cost.energy * (steps / f64::from(sequences * layout.dp)),
        sigma: (0.0, cost.sigma.hypot(engine.tpot_sigma)),
    })
}

/// The time of one prompt's cache between two instances: the ranks of both send and receive at once.
fn link(ask: &Ask<'_>, kinds: (usize, usize), prefill: &Unit, decode: &Unit) -> Link {
    let (from, to) = (&ask.kinds[kinds.0], &ask.kinds[kinds.1]);
    let input = from.workload.input;
    let rank = |question: &Question<'_>, candidate: &Candidate| {
        let plan = &question.space.precisions[candidate.precision].plan;
        let stages = (0..candidate.layout.pp)
            .map(|stage| kv_bytes(question.model, plan, candidate.layout, stage, input));
        stages.fold(Bytes::ZERO, Bytes::max)
    };
    let (sent, received) = (rank(from, &prefill.candidate), rank(to, &decode.candidate));
    let most = sent.max(received);
    let inside = kinds.0 == kinds.1 && from.space.chips <= from.node.size;
    let message = |question: &Question<'_>| {
        let stride = if inside { 1 } else { question.node.size.max(1) };
        let group = Group { size: 2, stride };
        let bytes = most.get() as u64;
        question.network.collective(&Collective { kind: CollectiveKind::SendReceive, group, bytes }).time
    };
    let layout = decode.candidate.layout;
    Link {
        bytes: received * f64::from(layout.tp * layout.pp),
        time: message(from).max(message(to)),
        leaves_node: !inside,
    }
}

fn pair(
    ask: &Ask<'_>,
    kinds: (usize, usize),
    rule: Pairing,
    prefills: &[Prefill],
    decodes: &[Ladder],
) -> Vec<Plan> {
    let mut plans = Vec::new();
    for prefill in prefills {
        for decode in decodes {
            let Some(first) = decode.units.first() else { continue };
            if fits(ask, kinds, rule, &prefill.unit, first) {
                let link = link(ask, kinds, &prefill.unit, first);
                sizes(ask, kinds, prefill, decode, &link, &mut plans);
            }
        }
    }
    plans
}

/// Both pools must store the cache alike, and the connector must be able to cut it.
fn fits(ask: &Ask<'_>, kinds: (usize, usize), rule: Pairing, prefill: &Unit, decode: &Unit) -> bool {
    let plan = |kind: usize, unit: &Unit| &ask.kinds[kind].space.precisions[unit.candidate.precision].plan;
    let (p, d) = (prefill.candidate.layout, decode.candidate.layout);
    plan(kinds.0, prefill).kv == plan(kinds.1, decode).kv
        && (!rule.tp_multiple || p.tp.is_multiple_of(d.tp))
        && (!rule.flat_decode || d.pp == 1)
}

/// Every number of prefill instances, with the numbers of decode instances nearest to conservation.
fn sizes(
    ask: &Ask<'_>,
    kinds: (usize, usize),
    prefill: &Prefill,
    decode: &Ladder,
    link: &Link,
    plans: &mut Vec<Plan>,
) {
    let chips = |kind: usize| ask.kinds[kind].space.chips;
    let each = (prefill.unit.candidate.layout.chips(), decode.units[0].candidate.layout.chips());
    for x_p in 1..=chips(kinds.0) / each.0 {
        let left = if kinds.0 == kinds.1 { chips(kinds.1) - x_p * each.0 } else { chips(kinds.1) };
        let most = left / each.1;
        if most == 0 {
            continue;
        }
        let pair = Pair { ask, kinds, prefill, decode, link, x_p };
        if let Some(rate) = ask.rate {
            plans.extend(pair.for_rate(rate, most));
        } else {
            let started = decode.started(ask.objective).iter();
            plans.extend(started.filter_map(|unit| pair.at_capacity(unit, most)));
        }
    }
}

/// A pool of prefill instances looking for its decode instances.
struct Pair<'a> {
    ask: &'a Ask<'a>,
    kinds: (usize, usize),
    prefill: &'a Prefill,
    decode: &'a Ladder,
    link: &'a Link,
    x_p: u32,
}

impl Pair<'_> {
    /// As many decode instances of a batch as prefill keeps busy, rounded up.
    fn at_capacity(&self, started: &Unit, most: u32) -> Option<Plan> {
        let supply = self.supply(started)?;
        let one = self.decode_rate(started, 1)?;
        let x_d = ((supply / one).ceil() as u32).clamp(1, most);
        let (capacity, limit) = self.capacity(started, x_d)?;
        self.plan(started, x_d, capacity, capacity, limit)
    }

    /// The fewest decode instances that carry a rate, started with the largest batch that keeps the targets.
    fn for_rate(&self, rate: f64, most: u32) -> Option<Plan> {
        let top = self.decode.units.last()?;
        let carries = |x_d: &u32| self.decode_rate(top, *x_d).is_some_and(|most| most >= rate);
        let x_d = (1..=most).find(carries).unwrap_or(most);
        let (capacity, limit) = self.capacity(top, x_d)?;
        self.plan(top, x_d, capacity, rate.min(capacity), limit)
    }

    /// Requests per second that `x_d` decode instances started with a batch carry; a place is taken while its cache
    /// arrives, too.
    fn decode_rate(&self, started: &Unit, x_d: u32) -> Option<f64> {
        let full = self.decode.staffed(started.candidate.batch, x_d, self.ask.attainment)?;
        Some(f64::from(x_d) * full.rate * self.held(&full))
    }

    /// Share of the time of a place in which it decodes.
    fn held(&self, unit: &Unit) -> f64 {
        let decoding = unit.tpot * f64::from(self.ask.kinds[self.kinds.1].workload.decode_steps());
        decoding / (decoding + self.link.time)
    }

    /// Everything in the time to first token but the queue before prefill, where prompts come `alone` or together.
    fn unqueued(&self, unit: &Unit, work: Seconds) -> Seconds {
        self.prefill.outside + work + self.link.time + unit.ttft
    }

    /// The queue before prefill: every data-parallel group and pipeline slot of every instance serves it.
    fn queue(&self, load: f64) -> tail::Queue {
        let unit = &self.prefill.unit;
        let lanes = f64::from(unit.candidate.layout.dp * unit.candidate.layout.pp);
        let together = f64::from(unit.candidate.layout.dp);
        tail::Queue { servers: lanes * f64::from(self.x_p), service: lanes / unit.rate, load, together }
    }

    /// Requests per second that the prefill pool may take; nothing where even an empty one is too slow.
    fn supply(&self, unit: &Unit) -> Option<f64> {
        let rate = self.prefill.unit.rate;
        let load = match self.target() {
            None => MOST_LOAD,
            Some(most) => {
                let slack = (most - self.unqueued(unit, self.prefill.unit.ttft)).get();
                if slack < 0.0 {
                    return None;
                }
                self.queue(0.0).load_for(slack, self.ask.attainment, MOST_LOAD)
            }
        };
        Some(f64::from(self.x_p) * load * rate)
    }

    fn target(&self) -> Option<Seconds> {
        self.ask.kinds[self.kinds.0].targets.ttft
    }

    fn capacity(&self, unit: &Unit, x_d: u32) -> Option<(f64, Limit)> {
        let supply = self.supply(unit)?;
        let full = f64::from(self.x_p) * MOST_LOAD * self.prefill.unit.rate;
        let by_prefill = if supply < full { Limit::Ttft } else { Limit::Prefill };
        let by_decode = if self.decode.limit == Limit::Engine { Limit::Decode } else { self.decode.limit };
        let links = f64::from(self.x_p.min(x_d)) / self.link.time.get();
        let bounds =
            [(supply, by_prefill), (self.decode_rate(unit, x_d)?, by_decode), (links, Limit::Transfer)];
        let least = bounds.into_iter().min_by(|a, b| a.0.total_cmp(&b.0))?;
        (least.0 > 0.0).then_some(least)
    }

    fn plan(&self, started: &Unit, x_d: u32, capacity: f64, rate: f64, limit: Limit) -> Option<Plan> {
        let (own, (from, to)) = (&self.prefill.unit, self.kinds);
        let most = self.decode_rate(started, x_d)?;
        // A place that waits for its cache is taken, but not in the batch.
        let unit = &self.decode.carrying(rate / f64::from(x_d))?;
        let prefill = pool(&self.ask.kinds[from], from, own, self.x_p, rate);
        let mut decode = pool(&self.ask.kinds[to], to, unit, x_d, rate);
        decode.candidate.batch = started.candidate.batch;
        decode.candidate.chunk = started.candidate.chunk;
        decode.load = rate / most;
        // The busier the instance, the more prompts share a step.
        let load = prefill.load.min(MOST_LOAD);
        let work = self.prefill.alone * (1.0 - load) + own.ttft * load;
        let queue = Seconds::new(self.queue(load).mean());
        let shape = Shape::Disaggregated(from, to);
        let plan = blank(shape, vec![prefill, decode], capacity, rate, limit);
        let plan = Plan { transfer: Some(*self.link), ..plan };
        let times =
            plan.with_times(self.unqueued(unit, work) + queue, unit.tpot, (own.sigma.0, unit.sigma.1));
        Some(times.finish(self.ask))
    }
}
