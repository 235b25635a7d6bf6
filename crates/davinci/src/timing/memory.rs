//! L2 and device memory shared by all cores: max-min fairness over time.
//!
//! Flows of one class (a port, hit or miss) always have the same rate, so a class keeps one running volume V(t) = ∫ rate dt
//! and a flow that starts with b bytes ends when V reaches V(start) + b. Rates change only when a flow starts or ends.
//! They solve
//!
//! ```text
//! maximise min rate   s.t.   rate_i ≤ cap_i,   Σ_{i reads} rate_i ≤ L2 read,   Σ_{i writes} rate_i ≤ L2 write,
//!                            Σ_{i misses} rate_i ≤ HBM
//! ```
//!
//! by progressive filling: all rates rise together until a cap or a resource stops some of them. Write-backs of evicted data
//! take what reads leave of device memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::cost::{Port, Shape};
use super::slices::Slices;
use crate::machine::Machine;

/// Rates and volumes are counted in 2⁻²⁰ bytes.
const FRACTION: u32 = 20;

/// Classes: five ports, hit or miss, and write-backs.
const CLASSES: usize = 2 * Port::ALL.len() + 1;
const WRITE_BACK: usize = CLASSES - 1;

/// L2 read, L2 write, device memory.
const RESOURCES: usize = 3;
const L2_READ: usize = 0;
const HBM: usize = 2;

/// A class of flows.
#[derive(Clone, Debug)]
struct Class {
    cap: u64,
    uses: [bool; RESOURCES],
    rate: u64,
    volume: u64,
    /// Ends of the flows in flight, by volume.
    flows: BinaryHeap<Reverse<(u64, u32)>>,
}

/// Everything in flight.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    now: u64,
    capacity: [u64; RESOURCES],
    classes: [Class; CLASSES],
    slices: Slices,
    stale: bool,
    moved: [u64; RESOURCES],
}

/// A flow that nobody waits for.
const BACKGROUND: u32 = u32::MAX;

impl Memory {
    pub(super) fn new(machine: &Machine) -> Self {
        let fixed = |rate: f64| (rate * f64::from(1u32 << FRACTION)).round().max(1.0) as u64;
        let shared = machine.shared;
        let classes = std::array::from_fn(|index| {
            let port = Port::ALL.get(index / 2).copied();
            let write = port.is_some_and(Port::writes);
            let miss = index % 2 == 1;
            let cap = port.map_or(shared.hbm, |port| port.timing(machine).burst * port.width(machine));
            let uses = port.map_or([false, false, true], |_| [!write, write, miss]);
            Class { cap: fixed(cap), uses, rate: 0, volume: 0, flows: BinaryHeap::new() }
        });
        let capacity = [shared.l2_read, shared.l2_write, shared.hbm].map(fixed);
        let slices = Slices::new(machine.core.l2_slices);
        Self { now: 0, capacity, classes, slices, stale: false, moved: [0; RESOURCES] }
    }

    /// The time up to which everything has been moved.
    pub(super) fn now(&self) -> u64 {
        self.now
    }

    /// Starts a flow now. `id` comes back from [`Memory::finish`].
    pub(super) fn start(&mut self, shape: Shape, hit: bool, id: u32) {
        self.slices.start(id, shape.slices);
        self.push(shape.port as usize * 2 + usize::from(!hit), shape.bytes, id);
    }

    /// Starts writing evicted data back to device memory.
    pub(super) fn write_back(&mut self, bytes: u64) {
        if bytes > 0 {
            self.push(WRITE_BACK, bytes, BACKGROUND);
        }
    }

    /// When the next flow ends, if any is in flight.
    pub(super) fn next_end(&mut self) -> Option<u64> {
        self.refresh();
        let now = self.now;
        self.classes.iter().filter_map(|class| class.next_end(now)).min()
    }

    /// Moves time on.
    pub(super) fn advance_to(&mut self, time: u64) {
        self.refresh();
        let elapsed = time - self.now;
        for class in self.classes.iter_mut().filter(|class| !class.flows.is_empty()) {
            class.volume += class.rate * elapsed;
        }
        self.now = time;
    }

    /// A flow that has ended by now, lowest class and volume first.
    pub(super) fn finish(&mut self) -> Option<u32> {
        for class in &mut self.classes {
            while class.flows.peek().is_some_and(|Reverse((end, _))| *end <= class.volume) {
                self.stale = true;
                match class.flows.pop() {
                    Some(Reverse((_, id))) if id != BACKGROUND => {
                        self.slices.end(id);
                        return Some(id);
                    }
                    _ => {}
                }
            }
        }
        None
    }

    /// Bytes started over L2 and over device memory.
    pub(super) fn moved(&self) -> (u64, u64) {
        (self.moved[0] + self.moved[1], self.moved[2])
    }

    fn push(&mut self, index: usize, bytes: u64, id: u32) {
        let class = &mut self.classes[index];
        for (moved, uses) in self.moved.iter_mut().zip(class.uses) {
            *moved += if uses { bytes } else { 0 };
        }
        class.flows.push(Reverse((class.volume + (bytes << FRACTION), id)));
        self.stale = true;
    }

    fn refresh(&mut self) {
        if std::mem::take(&mut self.stale) {
            self.fill();
        }
    }

    /// Progressive filling.
    fn fill(&mut self) {
        let mut left = self.capacity;
        left[L2_READ] = (left[L2_READ] as f64 * self.slices.busy()) as u64;
        let mut open: [bool; CLASSES] =
            std::array::from_fn(|index| index != WRITE_BACK && !self.classes[index].flows.is_empty());
        while open.contains(&true) {
            let mut users = [0u64; RESOURCES];
            let mut level = u64::MAX;
            for (class, _) in self.classes.iter().zip(open).filter(|(_, open)| *open) {
                level = level.min(class.cap);
                for (users, uses) in users.iter_mut().zip(class.uses) {
                    *users += if uses { class.flows.len() as u64 } else { 0 };
                }
            }
            let share: [u64; RESOURCES] =
                std::array::from_fn(|r| left[r].checked_div(users[r]).map_or(u64::MAX, |share| share.max(1)));
            level = share.iter().fold(level, |level, share| level.min(*share));
            for (class, open) in self.classes.iter_mut().zip(&mut open) {
                let stopped =
                    class.cap <= level || (0..RESOURCES).any(|r| class.uses[r] && share[r] <= level);
                if *open && stopped {
                    *open = false;
                    class.rate = level;
                    for (left, _) in left.iter_mut().zip(class.uses).filter(|(_, uses)| *uses) {
                        *left = left.saturating_sub(level * class.flows.len() as u64);
                    }
                }
            }
        }
        // What was pushed out takes what the others leave: nobody waits for it.
        let behind = &mut self.classes[WRITE_BACK];
        behind.rate = (left[HBM] / behind.flows.len().max(1) as u64).max(1);
    }
}

impl Class {
    fn next_end(&self, now: u64) -> Option<u64> {
        let Reverse((end, _)) = self.flows.peek()?;
        Some(now + end.saturating_sub(self.volume).div_ceil(self.rate.max(1)))
    }
}
