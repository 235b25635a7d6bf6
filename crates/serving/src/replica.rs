//! One pipeline slot of a replica: its lanes step together, and a step takes as long as the slowest needs.
//!
//! Data-parallel groups wait for each other at every expert layer, so the longest lane sets the pace. Slots step on their
//! own and follow each other through the stages of the replica's pipeline.
//!
//! Decode steps of an unchanged batch are advanced together. Their times are t, t + s, t + 2s, … while the contexts stay on
//! one line of [`Line`], so k of them take k·t + s·k(k−1)/2: exact for that line, rounded once to a picosecond.

mod together;

use vitruvian_cost::Refusal;
use vitruvian_event::{Instant, Span};

use crate::lane::{Book, Lane};
use crate::pipeline::Pipeline;
use crate::scheduler::Policy;
use crate::times::{Batch, Line, StepTime, StepTimes};
use together::Together;

/// Steps under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) from: Instant,
    /// Steps in a row; those that are cut off shorten it.
    pub(crate) steps: u64,
    first: StepTime,
    /// What each step adds to the next.
    slope: StepTime,
    /// Prompt tokens, and tokens made in each step.
    pub(crate) prompt_tokens: u32,
    pub(crate) tokens: f64,
    /// Sequences that receive a token in each step.
    pub(crate) receivers: u32,
}

/// Lanes that step together: the data-parallel groups of one slot.
pub(crate) struct Slot {
    pub(crate) pool: usize,
    /// The replica's place among all of them, and in its pool.
    pub(crate) pipeline: usize,
    pub(crate) number: usize,
    /// The place of its first lane in the replica.
    pub(crate) place: usize,
    pub(crate) lanes: std::ops::Range<usize>,
    stages: u32,
    pub(crate) policy: Policy,
    pub(crate) run: Option<Run>,
    /// Counts runs, so that the end of one that was cut short is known to be stale.
    pub(crate) generation: u32,
}

impl Run {
    /// Time of the first `steps` steps.
    pub(crate) fn lasts(&self, steps: u64) -> Span {
        Span::from_seconds(sum(self.first.latency, self.slope.latency, steps))
    }

    /// Energy of all steps.
    pub(crate) fn energy(&self) -> f64 {
        sum(self.first.energy, self.slope.energy, self.steps)
    }

    /// When it ends.
    pub(crate) fn end(&self) -> Instant {
        self.from + self.lasts(self.steps)
    }

    /// Mean time of a step, in seconds.
    pub(crate) fn mean_step(&self) -> f64 {
        sum(self.first.latency, self.slope.latency, self.steps) / self.steps as f64
    }

    /// The steps that have begun by `now`, at least one.
    fn begun(&self, now: Instant) -> u64 {
        let (mut low, mut high) = (1, self.steps);
        while low < high {
            let middle = u64::midpoint(low, high);
            if self.from + self.lasts(middle) >= now { high = middle } else { low = middle + 1 }
        }
        low
    }
}

/// k·t + s·k(k−1)/2.
fn sum(first: f64, slope: f64, steps: u64) -> f64 {
    let k = steps as f64;
    k * first + slope * (k * (k - 1.0) / 2.0)
}

impl Slot {
    /// The slot `index` of a replica whose lanes begin with `first`.
    pub(crate) fn new(
        [pool, pipeline, number]: [usize; 3],
        (index, first): (u32, usize),
        (groups, stages): (u32, u32),
        policy: Policy,
    ) -> Self {
        let place = (index * groups) as usize;
        let lanes = first + place..first + place + groups as usize;
        Self { pool, pipeline, number, place, lanes, stages, policy, run: None, generation: 0 }
    }

    fn together(&self) -> Together {
        Together::new(self.lanes.len() as u32, self.stages)
    }

    /// Plans and begins the next steps; nothing if there is nothing to do.
    ///
    /// # Errors
    /// The chip cannot do them.
    pub(crate) fn start(
        &mut self,
        now: Instant,
        pipeline: &mut Pipeline,
        lanes: &mut [Lane],
        times: &mut dyn StepTimes,
        book: &mut Book<'_>,
    ) -> Result<Option<Run>, Refusal> {
        let mine = &mut lanes[self.lanes.clone()];
        mine.iter_mut().for_each(|lane| self.policy.plan(lane, book));
        let prompts = mine.iter().any(|lane| !lane.plan.chunks.is_empty());
        if prompts && self.policy.separates() {
            mine.iter_mut().for_each(hold_decode);
        }
        if mine.iter().all(|lane| lane.batch().is_empty()) {
            return Ok(None);
        }
        let most = if pipeline.is_single() { u64::MAX } else { 1 };
        let mut run = if prompts {
            self.single(now, mine, times)?
        } else {
            self.several(now, most, mine, times, book)?
        };
        if !pipeline.is_single() {
            run.first.latency = pipeline.pass(now, &run.first).seconds();
        }
        self.run = Some(run);
        self.generation += 1;
        Ok(self.run)
    }

    /// One step with prompts in it.
    fn single(&self, now: Instant, lanes: &[Lane], times: &mut dyn StepTimes) -> Result<Run, Refusal> {
        let mut together = self.together();
        let (mut prompt_tokens, mut tokens, mut receivers) = (0, 0.0, 0);
        for lane in lanes {
            let batch = lane.batch();
            together.add(cost(&batch, times)?, rows(lane, &batch), times)?;
            prompt_tokens += batch.new;
            receivers += batch.decode;
            tokens += f64::from(batch.decode) * lane.rate() + f64::from(batch.sampled);
        }
        let first = together.time(times)?;
        Ok(Run { from: now, steps: 1, first, slope: StepTime::default(), prompt_tokens, tokens, receivers })
    }

    /// As many decode steps, up to `most`, as nothing but an arrival can change.
    fn several(
        &self,
        now: Instant,
        most: u64,
        lanes: &mut [Lane],
        times: &mut dyn StepTimes,
        book: &Book<'_>,
    ) -> Result<Run, Refusal> {
        let (mut here, mut next) = (self.together(), self.together());
        let (mut most, mut tokens, mut receivers) = (most, 0.0, 0);
        for lane in lanes.iter_mut().filter(|lane| lane.plan.decode) {
            let line = times.decode(lane.decoding, lane.mean_context())?;
            let rows = rows(lane, &lane.batch());
            here.add(line.now, rows, times)?;
            next.add(after(&line, lane.rate()), rows, times)?;
            most = most.min(steps_ahead(lane, &line, book));
            tokens += f64::from(lane.decoding) * lane.rate();
            receivers += lane.decoding;
        }
        let steps =
            lanes.iter_mut().filter(|lane| lane.plan.decode).fold(most, |most, lane| take(lane, most));
        // A lane may have taken blocks for more steps than another lets it make.
        lanes.iter_mut().filter(|lane| lane.plan.decode).for_each(|lane| settle(lane, steps));
        let (first, then) = (here.time(times)?, next.time(times)?);
        let slope = StepTime {
            latency: then.latency - first.latency,
            interval: 0.0,
            energy: then.energy - first.energy,
        };
        Ok(Run { from: now, steps, first, slope, prompt_tokens: 0, tokens, receivers })
    }

    /// Ends the run under way with the step under way; the new end if that is earlier.
    pub(crate) fn cut(&mut self, now: Instant, lanes: &mut [Lane]) -> Option<Instant> {
        let run = self.run.as_mut()?;
        let begun = run.begun(now);
        if begun == run.steps {
            return None;
        }
        run.steps = begun;
        lanes[self.lanes.clone()]
            .iter_mut()
            .filter(|lane| lane.plan.decode)
            .for_each(|lane| settle(lane, begun));
        self.generation += 1;
        self.run.map(|run| run.end())
    }
}

/// Rows that a lane brings to a step.
fn rows(lane: &Lane, batch: &Batch) -> u32 {
    batch.new + batch.decode * lane.queries()
}

/// A step of one lane.
fn cost(batch: &Batch, times: &mut dyn StepTimes) -> Result<StepTime, Refusal> {
    if batch.is_empty() {
        return Ok(StepTime::default());
    }
    if batch.new > 0 {
        return times.step(batch);
    }
    Ok(times.decode(batch.decode, batch.context as f64 / f64::from(batch.decode))?.now)
}

/// Prompts on another lane keep this one's sequences waiting: they give back the blocks for the step they do not make.
fn hold_decode(lane: &mut Lane) {
    if lane.plan.decode {
        let taken = lane.demand(1) as u32;
        lane.kv.give(taken);
        lane.plan.decode = false;
    }
}

/// A step one token of context further.
fn after(line: &Line, rate: f64) -> StepTime {
    StepTime {
        latency: line.now.latency + line.slope.latency * rate,
        interval: line.now.interval + line.slope.interval * rate,
        energy: line.now.energy + line.slope.energy * rate,
    }
}

/// Steps until a sequence ends, the line bends, or the plan asks to be made anew.
fn steps_ahead(lane: &mut Lane, line: &Line, book: &Book<'_>) -> u64 {
    if lane.plan.once {
        return 1;
    }
    let bend = (line.room / lane.rate()).ceil().max(1.0) as u64;
    lane.steps_to_end(book).min(bend).max(1)
}

/// Takes the blocks of up to `most` steps, of which the first has its own already; how many steps there are blocks for.
/// Only free blocks are taken ahead: what is given up for a block is given up when that block begins.
fn take(lane: &mut Lane, most: u64) -> u64 {
    let (first, room) = (lane.demand(1), u64::from(lane.kv.free()));
    let fits = |steps: u64| lane.demand(steps) - first <= room;
    let steps = if fits(most) { most } else { last_that(1, most, fits) };
    let more = (lane.demand(steps) - first) as u32;
    lane.kv.take(more);
    lane.plan.steps = steps;
    steps
}

/// Gives back the blocks of steps that are not made.
fn settle(lane: &mut Lane, steps: u64) {
    let excess = lane.demand(lane.plan.steps).saturating_sub(lane.demand(steps)) as u32;
    lane.kv.give(excess);
    lane.plan.steps = steps;
}

/// The last number in `low..high` that still fits; `low` does.
fn last_that(mut low: u64, mut high: u64, fits: impl Fn(u64) -> bool) -> u64 {
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        if fits(middle) { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(first: f64, slope: f64, steps: u64) -> Run {
        let time = |latency| StepTime { latency, ..StepTime::default() };
        Run {
            from: Instant::ZERO,
            steps,
            first: time(first),
            slope: time(slope),
            prompt_tokens: 0,
            tokens: 0.0,
            receivers: 0,
        }
    }

    #[test]
    fn steps_together_take_what_they_take_one_by_one() {
        // 1 + 1.5 + 2 + 2.5 = 7
        assert_eq!(run(1.0, 0.5, 4).lasts(4), Span::from_seconds(7.0));
    }

    #[test]
    fn a_run_is_cut_after_the_step_under_way() {
        let run = run(1.0, 0.0, 10);
        let begun = |seconds| run.begun(Instant::from_seconds(seconds));
        assert_eq!(
            [begun(0.0), begun(0.5), begun(1.0), begun(1.1), begun(9.5), begun(99.0)],
            [1, 1, 1, 2, 10, 10]
        );
    }
}
