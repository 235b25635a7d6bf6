//! What is in L2, by transferred block.
//!
//! Kernels read a matrix in blocks of one shape, so residency is kept a block (address and extent), least recently used
//! first out. Blocks of different shape that overlap are strangers to each other (DEVIATIONS: partial overlap is not seen).

use rustc_hash::FxHashMap;

/// What L2 holds when a kernel starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Warmth {
    /// Share of the kernel's blocks that are resident.
    pub resident: f64,
    /// Share of all other resident data that is dirty and must be written back when it makes room.
    pub dirty: f64,
}

impl Warmth {
    /// Nothing of the kernel is resident, and what is can be dropped.
    pub const COLD: Self = Self { resident: 0.0, dirty: 0.0 };
    /// Everything is resident.
    pub const HOT: Self = Self { resident: 1.0, dirty: 0.0 };

    /// A benchmark that walks round operand sets of `footprint` bytes in all, a share `written` of them outputs.
    ///
    /// Least recently used replacement in sets of W ways: a set keeps its lines from one walk to the next if no more than W
    /// fall into it. Lines are spread over sets at random, so with λ = W·F/C a line finds itself with at most W − 1
    /// others with probability P(Poisson(λ) ≤ W − 1).
    pub fn rotating(footprint: f64, capacity: f64, ways: u32, written: f64) -> Self {
        let mean = f64::from(ways) * footprint / capacity;
        let mut term = (-mean).exp();
        let mut resident = 0.0;
        for others in 0..ways {
            resident += term;
            term *= mean / f64::from(others + 1);
        }
        Self { resident, dirty: if resident > 0.999 { 0.0 } else { written } }
    }
}

/// A block's identity: GM address and extent.
pub(super) type BlockKey = (u64, u64);

#[derive(Clone, Copy, Debug)]
struct Node {
    key: BlockKey,
    bytes: u64,
    dirty: bool,
    newer: u32,
    older: u32,
}

/// Nobody.
const NONE: u32 = u32::MAX;

/// What an access found and caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) hit: bool,
    /// Dirty bytes that made room.
    pub(super) written_back: u64,
    /// Slot of the block.
    pub(super) slot: u32,
}

#[derive(Clone, Debug)]
pub(super) struct L2 {
    capacity: u64,
    used: u64,
    /// Resident data that the kernel does not know, which makes room first.
    foreign: u64,
    warmth: Warmth,
    slots: FxHashMap<BlockKey, u32>,
    nodes: Vec<Node>,
    free: Vec<u32>,
    newest: u32,
    oldest: u32,
}

impl L2 {
    pub(super) fn new(capacity: u64, warmth: Warmth) -> Self {
        let slots = FxHashMap::default();
        Self {
            capacity,
            used: 0,
            foreign: 0,
            warmth,
            slots,
            nodes: Vec::new(),
            free: Vec::new(),
            newest: NONE,
            oldest: NONE,
        }
        .filled()
    }

    fn filled(mut self) -> Self {
        self.foreign = if self.warmth.dirty > 0.0 { self.capacity } else { 0 };
        self
    }

    pub(super) fn access(&mut self, key: BlockKey, bytes: u64, write: bool) -> Access {
        if let Some(&slot) = self.slots.get(&key) {
            self.touch(slot);
            self.nodes[slot as usize].dirty |= write;
            return Access { hit: true, written_back: 0, slot };
        }
        let resident = unit_hash(key) < self.warmth.resident;
        // A resident block was part of what L2 held, so it needs no new room.
        if resident {
            self.foreign = self.foreign.saturating_sub(bytes);
        }
        let written_back = self.make_room(bytes);
        let slot = self.insert(key, bytes, write);
        Access { hit: write || resident, written_back, slot }
    }

    fn make_room(&mut self, bytes: u64) -> u64 {
        let mut written = 0;
        let wanted = (self.used + self.foreign + bytes).saturating_sub(self.capacity);
        let dropped = wanted.min(self.foreign);
        self.foreign -= dropped;
        written += (dropped as f64 * self.warmth.dirty) as u64;
        while self.used + bytes > self.capacity && self.oldest != NONE {
            written += self.evict();
        }
        written
    }

    fn evict(&mut self) -> u64 {
        let slot = self.oldest;
        let node = self.nodes[slot as usize];
        self.unlink(slot);
        self.slots.remove(&node.key);
        self.free.push(slot);
        self.used -= node.bytes;
        if node.dirty { node.bytes } else { 0 }
    }

    fn insert(&mut self, key: BlockKey, bytes: u64, dirty: bool) -> u32 {
        let node = Node { key, bytes, dirty, newer: NONE, older: NONE };
        let slot = self.free.pop().unwrap_or(self.nodes.len() as u32);
        if slot as usize == self.nodes.len() {
            self.nodes.push(node);
        } else {
            self.nodes[slot as usize] = node;
        }
        self.slots.insert(key, slot);
        self.used += bytes;
        self.link(slot);
        slot
    }

    fn touch(&mut self, slot: u32) {
        if self.newest != slot {
            self.unlink(slot);
            self.link(slot);
        }
    }

    fn link(&mut self, slot: u32) {
        self.nodes[slot as usize].older = self.newest;
        self.nodes[slot as usize].newer = NONE;
        match self.newest {
            NONE => self.oldest = slot,
            newest => self.nodes[newest as usize].newer = slot,
        }
        self.newest = slot;
    }

    fn unlink(&mut self, slot: u32) {
        let Node { newer, older, .. } = self.nodes[slot as usize];
        match newer {
            NONE => self.newest = older,
            newer => self.nodes[newer as usize].older = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => self.nodes[older as usize].newer = newer,
        }
    }
}

/// A number in \[0, 1) that depends on nothing but the block: splitmix64's finaliser.
fn unit_hash((address, extent): BlockKey) -> f64 {
    let mut z = address ^ extent.rotate_left(17);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ z >> 31) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_block_makes_room() {
        let mut l2 = L2::new(300, Warmth::COLD);
        for address in [0, 100, 200] {
            assert!(!l2.access((address, 1), 100, false).hit);
        }
        assert!(l2.access((0, 1), 100, false).hit);
        assert!(!l2.access((300, 1), 100, false).hit);
        assert!(l2.access((0, 1), 100, false).hit, "used again, so kept");
        assert!(!l2.access((100, 1), 100, false).hit, "the oldest went");
    }

    #[test]
    fn dirty_blocks_are_written_back() {
        let mut l2 = L2::new(100, Warmth::COLD);
        l2.access((0, 1), 100, true);
        assert_eq!(l2.access((1, 1), 100, false).written_back, 100);
        assert_eq!(l2.access((2, 1), 100, false).written_back, 0);
    }

    #[test]
    fn rotation_keeps_what_fits_its_sets() {
        // W = 2, λ = 2: P(Poisson(2) ≤ 1) = e⁻²·(1 + 2)
        let warm = Warmth::rotating(200.0, 200.0, 2, 0.1);
        assert!((warm.resident - 3.0 * (-2f64).exp()).abs() < 1e-12);
        assert!(Warmth::rotating(50.0, 200.0, 16, 0.1).resident > 0.999);
        assert!(Warmth::rotating(400.0, 200.0, 16, 0.1).resident < 0.01);
    }
}
