//! Prompt contents that stay in the cache: units found by name, the least recently used given up first.
//!
//! A name stands for everything up to the end of its unit (vLLM: `h_i = H(h_{i−1}, tokens_i)`), so names found one after
//! another from the start are a prefix. SGLang's radix tree gives up its least recently used leaf; every use of a unit is
//! a use of all before it, so with the deeper of two equally old units given up first the order is the same.

use rustc_hash::FxHashMap;

/// A unit's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot(u32);

const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Unit {
    name: u64,
    blocks: u32,
    users: u32,
    /// Neighbours among the unused, older and newer.
    older: u32,
    newer: u32,
}

/// The units in the cache, used and unused.
#[derive(Clone, Debug)]
pub struct PrefixCache {
    units: Vec<Unit>,
    vacant: Vec<u32>,
    by_name: FxHashMap<u64, u32>,
    oldest: u32,
    newest: u32,
    unused_blocks: u32,
}

impl Default for PrefixCache {
    fn default() -> Self {
        Self {
            units: Vec::new(),
            vacant: Vec::new(),
            by_name: FxHashMap::default(),
            oldest: NONE,
            newest: NONE,
            unused_blocks: 0,
        }
    }
}

impl PrefixCache {
    /// Blocks that nothing uses: they may be given up.
    pub fn unused_blocks(&self) -> u32 {
        self.unused_blocks
    }

    /// How many of these units, from the first on, are in the cache.
    pub fn find(&self, names: &[u64]) -> usize {
        names.iter().take_while(|name| self.by_name.contains_key(name)).count()
    }

    /// Blocks of a unit that is in the cache.
    pub fn blocks_of(&self, name: u64) -> u32 {
        self.by_name.get(&name).map_or(0, |slot| self.units[*slot as usize].blocks)
    }

    /// Uses a unit that is in the cache; gives the blocks that were unused until now.
    pub fn acquire(&mut self, name: u64) -> u32 {
        let Some(slot) = self.by_name.get(&name).copied() else { return 0 };
        let unit = &mut self.units[slot as usize];
        unit.users += 1;
        if unit.users > 1 {
            return 0;
        }
        let blocks = unit.blocks;
        self.unlink(Slot(slot));
        self.unused_blocks -= blocks;
        blocks
    }

    /// Adds a unit with one user; `false` if it is there already.
    pub fn insert(&mut self, name: u64, blocks: u32) -> bool {
        if self.by_name.contains_key(&name) {
            return false;
        }
        let unit = Unit { name, blocks, users: 1, older: NONE, newer: NONE };
        let slot = if let Some(slot) = self.vacant.pop() {
            self.units[slot as usize] = unit;
            slot
        } else {
            self.units.push(unit);
            self.units.len() as u32 - 1
        };
        self.by_name.insert(name, slot);
        true
    }

    /// Ends one use; gives the blocks that nothing uses from now on. Release a chain from its end.
    pub fn release(&mut self, name: u64) -> u32 {
        let Some(slot) = self.by_name.get(&name).copied() else { return 0 };
        let unit = &mut self.units[slot as usize];
        unit.users -= 1;
        if unit.users > 0 {
            return 0;
        }
        let blocks = unit.blocks;
        self.link(Slot(slot));
        self.unused_blocks += blocks;
        blocks
    }

    /// Gives up the least recently used unit; its blocks, or nothing if all are used.
    pub fn evict(&mut self) -> Option<u32> {
        if self.oldest == NONE {
            return None;
        }
        let slot = Slot(self.oldest);
        self.unlink(slot);
        let Unit { name, blocks, .. } = self.units[slot.0 as usize];
        self.by_name.remove(&name);
        self.vacant.push(slot.0);
        self.unused_blocks -= blocks;
        Some(blocks)
    }

    fn link(&mut self, Slot(slot): Slot) {
        let older = self.newest;
        let unit = &mut self.units[slot as usize];
        (unit.older, unit.newer) = (older, NONE);
        match older {
            NONE => self.oldest = slot,
            other => self.units[other as usize].newer = slot,
        }
        self.newest = slot;
    }

    fn unlink(&mut self, Slot(slot): Slot) {
        let Unit { older, newer, .. } = self.units[slot as usize];
        match older {
            NONE => self.oldest = newer,
            other => self.units[other as usize].newer = newer,
        }
        match newer {
            NONE => self.newest = older,
            other => self.units[other as usize].older = older,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_least_recently_used_goes_first_and_what_is_used_stays() {
        let mut cache = PrefixCache::default();
        for name in [1, 2, 3] {
            assert!(cache.insert(name, 4));
        }
        assert_eq!(cache.evict(), None);
        // A chain is released from its end, so the end is the oldest.
        for name in [3, 2, 1] {
            assert_eq!(cache.release(name), 4);
        }
        assert_eq!(cache.find(&[1, 2, 3, 4]), 3);
        assert_eq!(cache.acquire(1), 4);
        assert_eq!((cache.evict(), cache.find(&[1, 2, 3])), (Some(4), 2));
        assert_eq!((cache.evict(), cache.evict()), (Some(4), None));
        assert_eq!((cache.find(&[1, 2]), cache.unused_blocks()), (1, 0));
    }

    proptest! {
        #[test]
        fn unused_blocks_are_those_that_can_be_evicted(moves in proptest::collection::vec((0u64..8, 0u8..3), 0..200)) {
            let mut cache = PrefixCache::default();
            let mut users = [0u32; 8];
            for (name, what) in moves {
                let known = cache.find(&[name]) == 1;
                match what {
                    0 if known => { cache.acquire(name); users[name as usize] += 1; }
                    0 => { cache.insert(name, 2); users[name as usize] = 1; }
                    1 if users[name as usize] > 0 => { cache.release(name); users[name as usize] -= 1; }
                    2 => { cache.evict(); }
                    _ => {}
                }
                // No unit in use is ever given up.
                prop_assert!((0..8).all(|n| users[n as usize] == 0 || cache.find(&[n]) == 1));
            }
            let unused = cache.unused_blocks();
            let evicted: u32 = std::iter::from_fn(|| cache.evict()).sum();
            prop_assert_eq!(unused, evicted);
        }
    }
}
