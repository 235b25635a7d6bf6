//! Walks the space, prunes by bounds, keeps the best and the Pareto front.

use rayon::prelude::*;
use vitruvian_cost::Costs;
use vitruvian_engine::{EngineProfile, Memory, Meter, Replica, cache_demand, memory};
use vitruvian_hardware::{Chip, Node};
use vitruvian_model::{Layout, Model, validate};
use vitruvian_network::Network;
use vitruvian_quantity::Bytes;

use crate::census::{Census, Fall};
use crate::objective::Objective;
use crate::pareto;
use crate::performance::{Finance, Performance, performance};
use crate::space::{Candidate, Space};
use crate::steady::{Halt, steady};
use crate::workload::{Targets, Workload};

/// What is searched for.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The model.
    pub model: &'a Model,
    /// The chip.
    pub chip: &'a Chip,
    /// The node it sits in.
    pub node: &'a Node,
    /// Costs of one chip.
    pub costs: Costs<'a>,
    /// Links of the node and beyond.
    pub network: &'a Network<'a>,
    /// The serving engine.
    pub engine: &'a EngineProfile,
    /// Lengths of requests.
    pub workload: Workload,
    /// Service level.
    pub targets: Targets,
    /// What is best.
    pub objective: Objective,
    /// Money.
    pub finance: Finance<'a>,
    /// Candidates.
    pub space: &'a Space,
    /// Whether to keep a row for every candidate, and so to prune nothing.
    pub keep_all: bool,
}

/// A candidate and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The candidate.
    pub candidate: Candidate,
    /// What it delivers, where it could be costed.
    pub performance: Option<Performance>,
    /// What became of it.
    pub verdict: Verdict,
}

/// What became of a candidate.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// On the Pareto front of throughput per chip against speed per user.
    Front,
    /// Fell, and why.
    Fell(Fall),
}

/// What the search found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The best candidate that meets the targets.
    pub best: Option<(Candidate, Performance)>,
    /// The Pareto front among those that meet the targets, by falling throughput per chip.
    pub front: Vec<(Candidate, Performance)>,
    /// Among those that meet the targets, what no other beats in throughput per chip and in tokens per joule.
    pub lean: Vec<(Candidate, Performance)>,
    /// The front when the targets are set aside: what the chip can do at all.
    pub unbound_front: Vec<(Candidate, Performance)>,
    /// Counts and nearest misses.
    pub census: Census,
    /// Every candidate, if asked for.
    pub all: Vec<Row>,
}

/// What one (layout, precision) contributes.
#[derive(Default)]
struct Part {
    census: Census,
    met: Vec<(Candidate, Performance)>,
    missed: Vec<(Candidate, Performance)>,
    rows: Vec<Row>,
}

/// Searches the space. Deterministic: the parts run in parallel and are merged in order.
pub fn search(question: &Question<'_>) -> Outcome {
    let space = question.space;
    let groups: Vec<(Layout, usize)> = space
        .layouts
        .iter()
        .flat_map(|layout| (0..space.precisions.len()).map(move |p| (*layout, p)))
        .collect();
    let parts: Vec<Part> =
        groups.par_iter().map(|(layout, precision)| part(question, *layout, *precision)).collect();
    merge(question, parts)
}

fn part(question: &Question<'_>, layout: Layout, precision: usize) -> Part {
    let mut part = Part::default();
    let replicas = question.space.chips / layout.chips();
    let candidate = Candidate { layout, replicas, precision, batch: 0, chunk: 0 };
    if let Err(error) = validate(question.model, layout) {
        let grid = question.space.batches.len() * question.space.chunks.len();
        part.fell(question, &candidate, Fall::DoesNotDivide(error.to_string()), grid as u64);
        return part;
    }
    let mut meter = Meter::new(question.node, question.costs, question.network);
    for &chunk in &question.space.chunks {
        column(question, Candidate { chunk, ..candidate }, &mut meter, &mut part);
    }
    part
}

/// All batches of one layout, precision and chunk, ascending; then the largest batch between the last that met the
/// targets and the first that did not.
fn column(question: &Question<'_>, base: Candidate, meter: &mut Meter<'_>, part: &mut Part) {
    let batches = &question.space.batches;
    let mut last_met = 0;
    for (index, &batch) in batches.iter().enumerate() {
        let candidate = Candidate { batch, ..base };
        let Some(fall) = trial(question, &candidate, meter, part) else {
            last_met = batch;
            continue;
        };
        if last_met > 0 && batches[index - 1] == last_met {
            refine(question, base, (last_met, batch), meter, part);
        }
        let rest = (batches.len() - index - 1) as u64;
        if rest > 0 && !question.keep_all && hopeless(&fall) {
            part.fell(question, &candidate, fall, rest);
            return;
        }
    }
}

/// Whether a larger batch must fall to the same reason: memory and time per token only grow with the batch.
pub(crate) fn hopeless(fall: &Fall) -> bool {
    matches!(fall, Fall::DoesNotFit { .. } | Fall::Tpot(_) | Fall::Unsupported(_) | Fall::Saturated { .. })
}

/// Bisects for the largest batch that meets the targets, in steps of the data-parallel and pipeline degrees.
fn refine(
    question: &Question<'_>,
    base: Candidate,
    between: (u32, u32),
    meter: &mut Meter<'_>,
    part: &mut Part,
) {
    let grain = (base.layout.dp * base.layout.pp).max(1);
    let (mut met, mut fell) = between;
    while fell - met > grain {
        let middle = (met + (fell - met) / 2).next_multiple_of(grain);
        if middle >= fell {
            return;
        }
        match trial(question, &Candidate { batch: middle, ..base }, meter, part) {
            None => met = middle,
            Some(_) => fell = middle,
        }
    }
}

/// Costs one candidate and files it; what it fell to, if it fell.
fn trial(
    question: &Question<'_>,
    candidate: &Candidate,
    meter: &mut Meter<'_>,
    part: &mut Part,
) -> Option<Fall> {
    match evaluate(question, candidate, meter) {
        Err(fall) => {
            part.fell(question, candidate, fall.clone(), 1);
            Some(fall)
        }
        Ok(performance) => {
            let Some(fall) = missed(&question.targets, &performance) else {
                part.met.push((*candidate, performance));
                return None;
            };
            part.missed.push((*candidate, performance));
            part.census.fell(candidate, &fall, 1);
            part.keep(question, candidate, Some(performance), Verdict::Fell(fall.clone()));
            Some(fall)
        }
    }
}

/// What one candidate delivers.
///
/// # Errors
/// Why it cannot run.
pub fn evaluate(
    question: &Question<'_>,
    candidate: &Candidate,
    meter: &mut Meter<'_>,
) -> Result<Performance, Fall> {
    let replica = Replica {
        model: question.model,
        plan: &question.space.precisions[candidate.precision].plan,
        layout: candidate.layout,
        engine: question.engine,
    };
    let memory = room(question, &replica, candidate)?;
    let state =
        steady(&replica, &question.workload, candidate.batch, candidate.chunk, meter).map_err(|halt| {
            match halt {
                Halt::Refused(refusal) => Fall::Unsupported(refusal.to_string()),
                Halt::Saturated(load) => Fall::Saturated { load },
            }
        })?;
    Ok(performance(candidate, &replica, &question.workload, &state, memory, &question.finance, meter))
}

/// Memory of the fullest rank and what the batch takes of its cache.
pub(crate) fn room(
    question: &Question<'_>,
    replica: &Replica<'_>,
    candidate: &Candidate,
) -> Result<(Memory, Bytes), Fall> {
    let misfit = |missing, stage| Fall::DoesNotFit { missing, stage };
    let memory = memory(replica, question.chip, candidate.chunk)
        .map_err(|misfit_| misfit(misfit_.missing, misfit_.stage))?;
    let sequences = candidate.batch.div_ceil(candidate.layout.dp);
    let Workload { input, output, .. } = question.workload;
    let used = cache_demand(replica, memory.stage, sequences, input, output);
    if used > memory.cache { Err(misfit(used - memory.cache, memory.stage)) } else { Ok((memory, used)) }
}

pub(crate) fn missed(targets: &Targets, performance: &Performance) -> Option<Fall> {
    if targets.tpot.is_some_and(|most| performance.tpot > most) {
        return Some(Fall::Tpot(performance.tpot));
    }
    let late = targets.ttft.is_some_and(|most| performance.ttft > most);
    late.then_some(Fall::Ttft(performance.ttft))
}

impl Part {
    fn fell(&mut self, question: &Question<'_>, candidate: &Candidate, fall: Fall, count: u64) {
        self.census.fell(candidate, &fall, count);
        self.keep(question, candidate, None, Verdict::Fell(fall));
    }

    fn keep(
        &mut self,
        question: &Question<'_>,
        candidate: &Candidate,
        performance: Option<Performance>,
        verdict: Verdict,
    ) {
        if question.keep_all {
            self.rows.push(Row { candidate: *candidate, performance, verdict });
        }
    }
}

fn merge(question: &Question<'_>, parts: Vec<Part>) -> Outcome {
    let mut outcome = Outcome::default();
    let (mut met, mut missed) = (Vec::new(), Vec::new());
    for part in parts {
        outcome.census.merge(part.census);
        outcome.all.extend(part.rows);
        met.extend(part.met);
        missed.extend(part.missed);
    }
    let score = |performance: &Performance| question.objective.score(performance);
    outcome.best = met.iter().min_by(|a, b| score(&a.1).total_cmp(&score(&b.1))).copied();
    let front = front_of(&met);
    file_dominated(question, &met, &front, &mut outcome);
    outcome.front = front.iter().map(|&index| met[index]).collect();
    outcome.lean = lean_of(&met).into_iter().map(|index| met[index]).collect();
    met.extend(missed);
    outcome.unbound_front = front_of(&met).into_iter().map(|index| met[index]).collect();
    outcome
}

fn front_of(points: &[(Candidate, Performance)]) -> Vec<usize> {
    let figures: Vec<(f64, f64)> =
        points.iter().map(|(_, p)| (p.output_per_s_chip, p.output_per_s_user)).collect();
    pareto::front(&figures)
}

fn lean_of(points: &[(Candidate, Performance)]) -> Vec<usize> {
    let figures: Vec<(f64, f64)> =
        points.iter().map(|(_, p)| (p.output_per_s_chip, 1.0 / p.energy_per_token.get())).collect();
    pareto::front(&figures)
}

fn file_dominated(
    question: &Question<'_>,
    met: &[(Candidate, Performance)],
    front: &[usize],
    outcome: &mut Outcome,
) {
    let mut on_front = vec![false; met.len()];
    front.iter().for_each(|&index| on_front[index] = true);
    for (index, (candidate, performance)) in met.iter().enumerate() {
        let verdict = if on_front[index] {
            outcome.census.front += 1;
            outcome.census.total += 1;
            Verdict::Front
        } else {
            outcome.census.fell(candidate, &Fall::Dominated, 1);
            Verdict::Fell(Fall::Dominated)
        };
        if question.keep_all {
            outcome.all.push(Row { candidate: *candidate, performance: Some(*performance), verdict });
        }
    }
}
