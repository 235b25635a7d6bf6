//! The step of several data-parallel groups from their own.
//!
//! Groups wait for each other: the longest sets the pace, but for what they do together, which sees the mean of their rows.

use vitruvian_cost::Refusal;

use crate::times::{StepTime, StepTimes};

/// Groups that step together: the longest without what they share, and all of their rows.
pub(super) struct Together {
    groups: u32,
    stages: f64,
    latency: f64,
    interval: f64,
    rows: u32,
    energy: f64,
}

impl Together {
    pub(super) fn new(groups: u32, stages: u32) -> Self {
        let (groups, stages) = (groups.max(1), f64::from(stages.max(1)));
        Self { groups, stages, latency: 0.0, interval: 0.0, rows: 0, energy: 0.0 }
    }

    /// Adds a group's step.
    pub(super) fn add(
        &mut self,
        time: StepTime,
        rows: u32,
        times: &mut dyn StepTimes,
    ) -> Result<(), Refusal> {
        let shared = if self.groups > 1 && rows > 0 { times.shared(rows)? } else { 0.0 };
        self.latency = self.latency.max(time.latency - shared);
        self.interval = self.interval.max(time.interval - shared / self.stages);
        self.rows += rows;
        self.energy += time.energy / f64::from(self.groups);
        Ok(())
    }

    /// The step of all groups.
    pub(super) fn time(&self, times: &mut dyn StepTimes) -> Result<StepTime, Refusal> {
        let mean = self.rows.div_ceil(self.groups);
        let shared = if self.groups > 1 && mean > 0 { times.shared(mean)? } else { 0.0 };
        Ok(StepTime {
            latency: self.latency + shared,
            interval: self.interval + shared / self.stages,
            energy: self.energy,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::times::{Batch, Line};

    /// What groups share takes a tenth of a second a row.
    struct Shared;

    impl StepTimes for Shared {
        fn step(&mut self, _: &Batch) -> Result<StepTime, Refusal> {
            Ok(StepTime::default())
        }
        fn decode(&mut self, _: u32, _: f64) -> Result<Line, Refusal> {
            Ok(Line::default())
        }
        fn shared(&mut self, rows: u32) -> Result<f64, Refusal> {
            Ok(0.1 * f64::from(rows))
        }
    }

    fn time(latency: f64, interval: f64) -> StepTime {
        StepTime { latency, interval, energy: 1.0 }
    }

    #[test]
    fn groups_wait_for_the_longest_and_share_the_mean() {
        let mut together = Together::new(2, 1);
        together.add(time(5.0, 5.0), 10, &mut Shared).unwrap();
        together.add(time(1.0, 1.0), 2, &mut Shared).unwrap();
        // max(5 − 1, 1 − 0.2) + 0.1 · (10 + 2)/2; the energy of one step of the replica.
        let found = together.time(&mut Shared).unwrap();
        assert!((found.latency - 4.6).abs() < 1e-12, "{}", found.latency);
        assert_eq!(found.energy, 1.0);
    }
    #[test]
    fn a_stage_has_its_part_of_what_groups_share() {
        let mut together = Together::new(2, 4);
        together.add(time(5.0, 1.25), 10, &mut Shared).unwrap();
        together.add(time(4.2, 1.05), 2, &mut Shared).unwrap();
        // max(5 − 1, 4.2 − 0.2) + 0.6, and max(1, 1.05 − 0.05) + 0.6/4.
        let found = together.time(&mut Shared).unwrap();
        assert!((found.latency - 4.6).abs() < 1e-12 && (found.interval - 1.15).abs() < 1e-12, "{found:?}");
    }
}
