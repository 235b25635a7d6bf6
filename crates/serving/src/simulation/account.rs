//! What a simulation counts as it goes.

use super::{Gauge, Simulation};
use crate::observe::{Census, StepRecord, Watch};
use crate::outcome::State;
use crate::replica::Run;
use crate::series::Figure;
use vitruvian_event::Instant;

impl<W: Watch> Simulation<'_, '_, '_, '_, W> {
    pub(super) fn show(&mut self, index: usize, run: &Run, to: Instant) {
        let slot = &self.slots[index];
        for (place, lane) in self.lanes[slot.lanes.clone()].iter().enumerate() {
            self.watch.step(&StepRecord {
                pool: slot.pool,
                replica: slot.number,
                lane: slot.place + place,
                from: run.from,
                to,
                steps: run.steps as u32,
                chunks: &lane.plan.chunks,
                decodes: lane.plan.decode,
                running: &lane.running,
                waiting: lane.waiting.len(),
                blocks_used: lane.kv.used(),
                blocks_cached: lane.kv.cached(),
                blocks: lane.kv.capacity(),
            });
        }
    }

    /// Adds a run to the totals.
    pub(super) fn count(&mut self, run: &Run, slot: usize) {
        let slot = &self.slots[slot];
        let (seconds, energy) = (run.lasts(run.steps).seconds(), run.energy());
        let busy = self.pipelines[slot.pipeline].busy(run.from, self.now);
        let outcome = &mut self.outcome;
        outcome.steps += run.steps;
        outcome.busy[slot.pool] += busy;
        outcome.energy[slot.pool] += energy;
        outcome.prompt_tokens += u64::from(run.prompt_tokens);
        outcome.between_tokens.add(run.mean_step(), run.steps * u64::from(run.receivers));
        let (mut used, mut fullest) = (0u32, 0.0f64);
        for lane in &self.lanes[slot.lanes.clone()] {
            used += lane.kv.used();
            fullest = fullest.max(f64::from(lane.kv.used()) / f64::from(lane.kv.capacity().max(1)));
        }
        outcome.fullest = outcome.fullest.max(fullest);
        let series = &mut outcome.series;
        let mut add = |figure, amount| series.add(figure, run.from, self.now, amount);
        add(Figure::Busy, busy);
        add(Figure::Energy, energy);
        add(Figure::Tokens, run.tokens * run.steps as f64);
        add(Figure::PromptTokens, f64::from(run.prompt_tokens));
        add(Figure::Blocks, f64::from(used) * seconds);
    }

    /// Follows the queues of a slot; called where they change.
    pub(super) fn recount(&mut self, slot: usize) {
        let lanes = &self.lanes[self.slots[slot].lanes.clone()];
        let now = [
            lanes.iter().map(|lane| lane.waiting.len() as u32).sum(),
            lanes.iter().map(|lane| lane.running.len() as u32).sum(),
        ];
        let before = std::mem::replace(&mut self.counted[slot], now);
        let [waiting, running] = [0, 1].map(|which: usize| i64::from(now[which]) - i64::from(before[which]));
        self.gauge(|s| &mut s.waiting, waiting, Some(Figure::Waiting));
        self.gauge(|s| &mut s.running, running, Some(Figure::Running));
    }

    /// Changes a gauge; what it was until now goes into the integral.
    pub(super) fn gauge(
        &mut self,
        which: impl Fn(&mut Self) -> &mut Gauge,
        change: i64,
        figure: Option<Figure>,
    ) {
        let now = self.now;
        let gauge = which(self);
        if change == 0 {
            return;
        }
        let Gauge { value, since, .. } = *gauge;
        let area = f64::from(value) * (now - since).seconds();
        gauge.integral += area;
        (gauge.value, gauge.since) = ((i64::from(value) + change).max(0) as u32, now);
        if let Some(figure) = figure.filter(|_| area > 0.0) {
            self.outcome.series.add(figure, since, now, area);
        }
    }

    pub(super) fn census(&self) -> Census {
        let rejected = self.outcome.count(State::Rejected);
        Census {
            arrived: self.outcome.arrivals.iter().filter(|at| **at != Instant::NEVER).count(),
            entering: self.entering,
            waiting: self.lanes.iter().map(|lane| lane.waiting.len()).sum(),
            running: self.lanes.iter().map(|lane| lane.running.len()).sum(),
            moving: self.moving + self.lanes.iter().map(|lane| lane.arrived.len()).sum::<usize>(),
            finished: self.finished - rejected,
            rejected,
        }
    }
}
