//! The pipeline of one replica: what its slots share.
//!
//! A step passes the stages one after another, and each stage holds one step at a time in the order they were planned, so a
//! step begins a stage when it has left the one before and the step ahead has left this one. The first stage is taken to be
//! the slowest, whose time is the step's interval; the others share the rest of its latency evenly. A lone step takes its
//! latency; equal steps leave one interval apart.

use vitruvian_event::{Instant, Span};

use crate::times::StepTime;

/// Stages of one replica, and its link to decode replicas.
pub(crate) struct Pipeline {
    /// When each stage has done all that it was given.
    free: Vec<Instant>,
    /// Until when its time counts as busy.
    counted: Instant,
    /// When its link to decode replicas is free.
    pub(crate) link: Instant,
}

impl Pipeline {
    pub(crate) fn new(stages: u32) -> Self {
        let free = vec![Instant::ZERO; stages.max(1) as usize];
        Self { free, counted: Instant::ZERO, link: Instant::ZERO }
    }

    /// Whether several steps in a row are one slot's alone.
    pub(crate) fn is_single(&self) -> bool {
        self.free.len() == 1
    }

    /// Sends a step that is planned `now` through the stages; how long until its tokens are there.
    pub(crate) fn pass(&mut self, now: Instant, time: &StepTime) -> Span {
        let others = self.free.len() - 1;
        let first = if others == 0 { time.latency } else { time.interval.min(time.latency) };
        let other = Span::from_seconds((time.latency - first) / others.max(1) as f64);
        let mut left = now;
        for (index, free) in self.free.iter_mut().enumerate() {
            let lasts = if index == 0 { Span::from_seconds(first) } else { other };
            left = left.max(*free) + lasts;
            *free = left;
        }
        left - now
    }

    /// Of a run that has ended, the seconds in which none that ended before was under way.
    pub(crate) fn busy(&mut self, from: Instant, to: Instant) -> f64 {
        let begun = from.max(self.counted);
        self.counted = self.counted.max(to);
        if to > begun { (to - begun).seconds() } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(pipeline: &mut Pipeline, now: f64, latency: f64, interval: f64) -> f64 {
        let now = Instant::from_seconds(now);
        (now + pipeline.pass(now, &StepTime { latency, interval, energy: 0.0 })).seconds()
    }

    #[test]
    fn a_step_follows_when_the_first_stage_is_free() {
        let mut pipeline = Pipeline::new(2);
        // A prompt: 4 s in each of two stages. 0 to 4, 4 to 8.
        assert_eq!(pass(&mut pipeline, 0.0, 8.0, 4.0), 8.0);
        // Another slot's prompt at 1 s: first stage 4 to 8, second 8 to 12.
        assert_eq!(pass(&mut pipeline, 1.0, 8.0, 4.0), 12.0);
        // A decode step of 1 s a stage at 8 s: 8 to 9, then it waits for the second stage: 12 to 13.
        assert_eq!(pass(&mut pipeline, 8.0, 2.0, 1.0), 13.0);
        // With nothing ahead: 20 to 21, 21 to 22.
        assert_eq!(pass(&mut pipeline, 20.0, 2.0, 1.0), 22.0);
    }

    #[test]
    fn the_other_stages_share_what_the_slowest_leaves() {
        let mut pipeline = Pipeline::new(3);
        // 3 s, then (5 − 3)/2 = 1 s twice.
        assert_eq!(pass(&mut pipeline, 0.0, 5.0, 3.0), 5.0);
        // The first stage again 3 to 6; the others are free by then: 8.
        assert_eq!(pass(&mut pipeline, 0.0, 5.0, 3.0), 8.0);
    }

    #[test]
    fn runs_side_by_side_are_busy_once() {
        let at = Instant::from_seconds;
        let mut pipeline = Pipeline::new(2);
        // 0 to 8, of 1 to 12 what is after 8, and 20 to 22 whole.
        assert_eq!(pipeline.busy(at(0.0), at(8.0)), 8.0);
        assert_eq!(pipeline.busy(at(1.0), at(12.0)), 4.0);
        assert_eq!(pipeline.busy(at(20.0), at(22.0)), 2.0);
    }
}
