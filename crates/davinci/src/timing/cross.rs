//! Flags between cores.

use super::step::FlagIndex;
use crate::isa::{EventId, Sync};
use crate::kernel::CoreSlot;

/// When each core has set each cross-core flag so far.
#[derive(Clone, Debug)]
pub(super) struct CrossFlags<'k> {
    slots: &'k [CoreSlot],
    /// By flag, then core.
    sets: Vec<Vec<Vec<u64>>>,
}

impl<'k> CrossFlags<'k> {
    pub(super) fn new(slots: &'k [CoreSlot]) -> Self {
        Self { slots, sets: vec![vec![Vec::new(); slots.len()]; 2 * Sync::CROSS_IDS] }
    }

    /// A core has set a flag for the n-th time: whoever waits for the n-th set of all its peers may go on, from the time of
    /// the latest.
    pub(super) fn set(&mut self, core: usize, flag: FlagIndex, time: u64) -> Vec<(usize, u64)> {
        let index = usize::from(flag) - EventId::COUNT;
        self.sets[index][core].push(time);
        let nth = self.sets[index][core].len();
        let targets = (0..self.slots.len()).filter(|&target| self.hears(index, core, target));
        targets.filter_map(|target| Some((target, self.latest(index, target, nth)?))).collect()
    }

    /// When the last peer of `target` set the flag for the n-th time, if all have.
    fn latest(&self, index: usize, target: usize, nth: usize) -> Option<u64> {
        let peers = (0..self.slots.len()).filter(|&peer| self.hears(index, peer, target));
        let mut times = peers.map(|peer| self.sets[index][peer].get(nth - 1).copied());
        times.try_fold(0, |latest, time| time.map(|time| time.max(latest)))
    }

    /// Whether a set of `source` counts for a wait of `target`.
    fn hears(&self, index: usize, source: usize, target: usize) -> bool {
        let (from, to) = (self.slots[source], self.slots[target]);
        if index < Sync::CROSS_IDS {
            from.kind == to.kind
        } else {
            from.group == to.group && from.kind != to.kind
        }
    }
}
