//! The step of several lanes from their own.
//!
//! Groups of one pipeline slot wait for each other: the longest sets the pace, but for what they do together, which sees
//! the mean of their rows. Slots follow each other: a cycle is the latency of the longest or the sum of their intervals.

use vitruvian_cost::Refusal;

use crate::times::{StepTime, StepTimes};

/// More pipeline slots than any deployment has; those beyond share the last place.
const MOST_SLOTS: usize = 64;

/// One pipeline slot: the longest of its groups without what they share, and all of their rows.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    latency: f64,
    interval: f64,
    rows: u32,
}

/// Lanes that step together.
pub(super) struct Together {
    groups: u32,
    lanes: usize,
    slots: [Slot; MOST_SLOTS],
    energy: f64,
}

impl Together {
    pub(super) fn new(groups: u32, lanes: usize) -> Self {
        Self { groups: groups.max(1), lanes, slots: [Slot::default(); MOST_SLOTS], energy: 0.0 }
    }

    fn stages(&self) -> usize {
        (self.lanes / self.groups as usize).max(1)
    }

    /// Adds a lane's step; lanes are numbered group by group within each slot.
    pub(super) fn add(
        &mut self,
        index: usize,
        time: StepTime,
        rows: u32,
        times: &mut dyn StepTimes,
    ) -> Result<(), Refusal> {
        let shared = if self.groups > 1 && rows > 0 { times.shared(rows)? } else { 0.0 };
        let stages = self.stages() as f64;
        let slot = &mut self.slots[(index / self.groups as usize).min(MOST_SLOTS - 1)];
        slot.latency = slot.latency.max(time.latency - shared);
        slot.interval = slot.interval.max(time.interval - shared / stages);
        slot.rows += rows;
        self.energy += time.energy / f64::from(self.groups);
        Ok(())
    }

    /// The cycle of all lanes.
    pub(super) fn time(&self, times: &mut dyn StepTimes) -> Result<StepTime, Refusal> {
        let (stages, mut latency, mut intervals) = (self.stages(), 0.0f64, 0.0);
        for slot in self.slots.iter().take(stages).filter(|slot| slot.rows > 0) {
            let mean = slot.rows.div_ceil(self.groups);
            let shared = if self.groups > 1 { times.shared(mean)? } else { 0.0 };
            latency = latency.max(slot.latency + shared);
            intervals += slot.interval + shared / stages as f64;
        }
        let latency = if self.lanes == 1 { latency } else { latency.max(intervals) };
        Ok(StepTime { latency, interval: latency, energy: self.energy })
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
    fn slots_follow_each_other() {
        let mut together = Together::new(1, 2);
        together.add(0, time(4.0, 3.0), 1, &mut Shared).unwrap();
        together.add(1, time(5.0, 4.0), 1, &mut Shared).unwrap();
        // max(max(4, 5), 3 + 4)
        let found = together.time(&mut Shared).unwrap();
        assert_eq!((found.latency, found.energy), (7.0, 2.0));
    }

    #[test]
    fn groups_wait_for_the_longest_and_share_the_mean() {
        let mut together = Together::new(2, 2);
        together.add(0, time(5.0, 5.0), 10, &mut Shared).unwrap();
        together.add(1, time(1.0, 1.0), 2, &mut Shared).unwrap();
        // max(5 − 1, 1 − 0.2) + 0.1 · (10 + 2)/2; the energy of one step of the replica.
        let found = together.time(&mut Shared).unwrap();
        assert!((found.latency - 4.6).abs() < 1e-12, "{}", found.latency);
        assert_eq!(found.energy, 1.0);
    }
}
