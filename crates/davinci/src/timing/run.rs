//! The cores and the memory, together in time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;

use super::core::{Core, Request};
use super::cross::CrossFlags;
use super::l2::{L2, Warmth};
use super::memory::Memory;
use super::stats::{Cause, CoreReport, Report};
use super::step::{FlagIndex, Steps, lower};
use crate::isa::{EventId, Pipe, Sync};
use crate::kernel::Kernel;
use crate::machine::Machine;

/// How a kernel is run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// What L2 holds at the start.
    pub warmth: Warmth,
    /// Whether every instruction is recorded.
    pub trace: bool,
}

/// Why a timing run could not end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimingFault {
    /// Pipes wait for flags that nothing will set.
    Deadlock {
        /// Core, pipe, and place of each wait.
        waits: Vec<(usize, Pipe, String)>,
    },
    /// A flag was set more often than the hardware counts without a wait.
    FlagOverflow {
        /// Core.
        core: usize,
        /// Which flag.
        flag: String,
    },
}

impl Default for Options {
    fn default() -> Self {
        Self { warmth: Warmth::COLD, trace: false }
    }
}

impl fmt::Display for TimingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadlock { waits } => {
                write!(f, "deadlock")?;
                waits.iter().try_for_each(|(core, pipe, place)| {
                    write!(f, "; core {core} {} waits at {place}", pipe.name())
                })
            }
            Self::FlagOverflow { core, flag } => {
                write!(f, "core {core} sets {flag} again and again without a wait")
            }
        }
    }
}

impl std::error::Error for TimingFault {}

/// Runs a kernel in time.
///
/// # Errors
/// If pipes or cores wait for each other for ever, or a flag overflows.
pub fn simulate(machine: &Machine, kernel: &Kernel, options: Options) -> Result<Report, TimingFault> {
    let programs: Vec<Steps> = kernel.programs.iter().map(|program| lower(machine, program)).collect();
    let mut run = Run::new(machine, kernel, &programs, options);
    run.start();
    while run.step() {}
    run.finish(machine, kernel)
}

/// A transfer between its request and its end.
#[derive(Clone, Debug)]
struct Flow {
    core: u32,
    pipe: Pipe,
    index: u32,
    address: u64,
    /// When the port asked for the first byte.
    requested: u64,
    slow: Cause,
    latency: u64,
    slot: u32,
    /// Flows that read the same block while this one fetches it.
    followers: Vec<u32>,
    /// The flow that fetches the block this one reads.
    leader: u32,
}

const NOBODY: u32 = u32::MAX;

struct Run<'r> {
    cores: Vec<Core<'r>>,
    programs: &'r [Steps],
    slots: &'r [crate::kernel::CoreSlot],
    memory: Memory,
    l2: L2,
    /// Flows that have not started: time, then flow.
    pending: BinaryHeap<Reverse<(u64, u32)>>,
    /// Misses whose first byte is on its way from device memory: time, then flow.
    arriving: BinaryHeap<Reverse<(u64, u32)>>,
    flows: Vec<Flow>,
    free: Vec<u32>,
    /// For each L2 slot the flow that is fetching it.
    fetching: Vec<u32>,
    cross: CrossFlags<'r>,
    requests: Vec<Request>,
    wake: Vec<u32>,
    hit_latency: u64,
    miss_latency: u64,
    travel: u64,
}

impl<'r> Run<'r> {
    fn new(machine: &Machine, kernel: &'r Kernel, programs: &'r [Steps], options: Options) -> Self {
        let core = |(index, slot): (usize, &crate::kernel::CoreSlot)| {
            Core::new(&programs[slot.program], &machine.core, options.trace.then_some(index as u32))
        };
        Self {
            cores: kernel.cores.iter().enumerate().map(core).collect(),
            programs,
            slots: &kernel.cores,
            memory: Memory::new(machine),
            l2: L2::new(machine.shared.l2_capacity, options.warmth),
            pending: BinaryHeap::new(),
            arriving: BinaryHeap::new(),
            flows: Vec::new(),
            free: Vec::new(),
            fetching: Vec::new(),
            cross: CrossFlags::new(&kernel.cores),
            requests: Vec::new(),
            wake: Vec::new(),
            hit_latency: u64::from(machine.core.hit_latency),
            miss_latency: u64::from(machine.core.miss_latency),
            travel: u64::from(machine.core.cross_core_latency),
        }
    }

    fn start(&mut self) {
        self.wake = (0..self.cores.len() as u32).rev().collect();
        self.advance_woken();
    }

    /// Handles the next start or end of a flow; false if none is left.
    fn step(&mut self) -> bool {
        let end = self.memory.next_end();
        let start = self.pending.peek().map(|Reverse((time, _))| *time);
        let arrival = self.arriving.peek().map(|Reverse((time, _))| *time);
        let Some(time) = end.into_iter().chain(start).chain(arrival).min() else { return false };
        self.memory.advance_to(time);
        while let Some(flow) = self.memory.finish() {
            self.end_flow(flow, time);
        }
        while self.pending.peek().is_some_and(|Reverse((at, _))| *at <= time) {
            if let Some(Reverse((_, flow))) = self.pending.pop() {
                self.start_flow(flow, time);
            }
        }
        while self.arriving.peek().is_some_and(|Reverse((at, _))| *at <= time) {
            if let Some(Reverse((_, flow))) = self.arriving.pop() {
                self.arrive(flow);
            }
        }
        self.advance_woken();
        true
    }

    fn advance_woken(&mut self) {
        while let Some(core) = self.wake.pop() {
            let mut requests = std::mem::take(&mut self.requests);
            self.cores[core as usize].advance(&mut requests);
            for request in requests.drain(..) {
                self.accept(core, request);
            }
            self.requests = requests;
        }
    }

    fn accept(&mut self, core: u32, request: Request) {
        match request {
            Request::Transfer { pipe, time, requested, index, address } => {
                let flow = self.new_flow(core, pipe, index, address);
                self.flows[flow as usize].requested = requested;
                self.pending.push(Reverse((time, flow)));
            }
            Request::CrossSet { flag, time } => self.cross_set(core as usize, flag, time + self.travel),
        }
    }

    fn new_flow(&mut self, core: u32, pipe: Pipe, index: u32, address: u64) -> u32 {
        let (slow, followers) = (Cause::L2, Vec::new());
        let flow = Flow {
            core,
            pipe,
            index,
            address,
            requested: 0,
            slow,
            latency: 0,
            slot: NOBODY,
            followers,
            leader: NOBODY,
        };
        let id = self.free.pop().unwrap_or(self.flows.len() as u32);
        if id as usize == self.flows.len() {
            self.flows.push(flow);
        } else {
            self.flows[id as usize] = flow;
        }
        id
    }

    fn start_flow(&mut self, id: u32, time: u64) {
        let flow = &self.flows[id as usize];
        let transfer = &self.programs[self.slots[flow.core as usize].program].transfers[flow.index as usize];
        let (shape, key) = (transfer.shape, (flow.address, transfer.extent));
        let access = self.l2.access(key, shape.bytes, shape.port.writes());
        let leader = self.fetching.get(access.slot as usize).copied().unwrap_or(NOBODY);
        let flow = &mut self.flows[id as usize];
        flow.latency = self.hit_latency;
        flow.slow = if access.hit { Cause::L2 } else { Cause::Hbm };
        if !access.hit {
            self.fetch(id, access.slot);
        } else if leader != NOBODY && !shape.port.writes() {
            self.flows[id as usize].leader = leader;
        }
        self.memory.write_back(access.written_back);
        if access.hit {
            self.memory.start(shape, true, id);
        } else {
            let arrival = (self.flows[id as usize].requested + self.miss_latency).max(time);
            self.arriving.push(Reverse((arrival, id)));
        }
    }

    /// The first byte of a miss has come from device memory.
    fn arrive(&mut self, id: u32) {
        let flow = &self.flows[id as usize];
        let shape =
            self.programs[self.slots[flow.core as usize].program].transfers[flow.index as usize].shape;
        self.memory.start(shape, false, id);
    }

    fn fetch(&mut self, id: u32, slot: u32) {
        if self.fetching.len() <= slot as usize {
            self.fetching.resize(slot as usize + 1, NOBODY);
        }
        self.fetching[slot as usize] = id;
        self.flows[id as usize].slot = slot;
    }

    /// The bytes have moved. A follower ends no earlier than the flow that fetches its block.
    fn end_flow(&mut self, id: u32, time: u64) {
        let leader = self.flows[id as usize].leader;
        let fetched = leader != NOBODY && self.is_fetching(leader, id);
        if fetched {
            self.flows[leader as usize].followers.push(id);
            self.flows[id as usize].slow = Cause::Hbm;
            return;
        }
        self.complete(id, time);
    }

    /// Whether `leader` still fetches the block that `id` reads (its number may have been reused).
    fn is_fetching(&self, leader: u32, id: u32) -> bool {
        let (leader, follower) = (&self.flows[leader as usize], &self.flows[id as usize]);
        leader.slot != NOBODY && leader.address == follower.address
    }

    fn complete(&mut self, id: u32, time: u64) {
        let flow = &mut self.flows[id as usize];
        let (core, pipe, latency, slow, slot) = (flow.core, flow.pipe, flow.latency, flow.slow, flow.slot);
        flow.slot = NOBODY;
        let followers = std::mem::take(&mut flow.followers);
        if slot != NOBODY && self.fetching[slot as usize] == id {
            self.fetching[slot as usize] = NOBODY;
        }
        self.cores[core as usize].complete(pipe, time, latency, slow);
        self.wake.push(core);
        self.free.push(id);
        for follower in followers {
            self.complete(follower, time);
        }
    }

    fn cross_set(&mut self, core: usize, flag: FlagIndex, time: u64) {
        for (target, time) in self.cross.set(core, flag, time) {
            self.cores[target].deliver(flag, time);
            self.wake.push(target as u32);
        }
    }

    fn finish(mut self, machine: &Machine, kernel: &Kernel) -> Result<Report, TimingFault> {
        if let Some(fault) = self.fault(kernel) {
            return Err(fault);
        }
        let cores: Vec<CoreReport> = self
            .cores
            .iter()
            .zip(&kernel.cores)
            .map(|(core, slot)| CoreReport { kind: slot.kind, end: core.end(), pipes: core.reports() })
            .collect();
        // A kernel ends when what it pushed out of L2 has arrived: the next one would wait for it.
        let cycles = cores.iter().map(|core| core.end).max().unwrap_or(0).max(self.memory.now());
        let (l2_bytes, hbm_bytes) = self.memory.moved();
        let mut events: Vec<_> = self.cores.iter_mut().flat_map(Core::take_events).collect();
        events.sort_by_key(|event| (event.end, event.core, event.pipe));
        Ok(Report {
            cycles,
            time: machine.time(cycles),
            time_with_launch: machine.launch + machine.time(cycles),
            instructions: self.cores.iter().map(|core| core.instructions).sum(),
            l2_bytes,
            hbm_bytes,
            cores,
            events,
        })
    }

    fn fault(&self, kernel: &Kernel) -> Option<TimingFault> {
        let overflow = self
            .cores
            .iter()
            .enumerate()
            .find_map(|(index, core)| core.overflow.map(|(_, flag)| (index, flag)));
        if let Some((core, flag)) = overflow {
            return Some(TimingFault::FlagOverflow { core, flag: flag_name(flag) });
        }
        if self.cores.iter().all(Core::finished) {
            return None;
        }
        let waits = self.cores.iter().enumerate().flat_map(|(index, core)| {
            let program = &kernel.programs[kernel.cores[index].program];
            core.waiting().map(move |(pipe, flag, step)| {
                (index, pipe, format!("{} for {}", program.place(step as usize), flag_name(flag)))
            })
        });
        Some(TimingFault::Deadlock { waits: waits.collect() })
    }
}

/// A flag as a message names it.
pub(crate) fn flag_name(flag: FlagIndex) -> String {
    let index = usize::from(flag);
    if index >= EventId::COUNT {
        return format!("cross-core flag {}", (index - EventId::COUNT) % Sync::CROSS_IDS);
    }
    let event = EventId::from_index(index);
    format!("{} -> {} EVENT_ID{}", event.src.name(), event.dst.name(), event.id)
}
