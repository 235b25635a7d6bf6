//! One core: the scalar unit that issues, and the queues that run.
//!
//! The core is advanced as far as it can go without knowing when a transfer ends. An instruction starts at the latest of
//! its issue, the end of its predecessor in the queue and, for a wait, the moment its flag is set; a transfer stops its
//! pipe until [`Core::complete`]. The order in which pipes are looked at cannot change a result: each is a sequential
//! process that only waits for values (a Kahn network).

use std::collections::VecDeque;

use super::flag::Flag;
use super::queue::{Blocked, Entry, Flight, Queue};
use super::stats::{Cause, PipeReport};
use super::step::{FLAGS, FlagIndex, Step, Steps};
use super::trace::Event;
use crate::isa::{EventId, Pipe, Reg};
use crate::machine::CoreTiming;

/// What a core asks of the rest of the machine while it advances.
#[derive(Clone, Copy, Debug)]
pub(super) enum Request {
    /// The first byte of a transfer could move at `time`.
    Transfer { pipe: Pipe, time: u64, requested: u64, index: u32, address: u64 },
    /// A cross-core flag is set at `time`.
    CrossSet { flag: FlagIndex, time: u64 },
}

/// A core in time.
#[derive(Clone, Debug)]
pub(super) struct Core<'p> {
    program: &'p Steps,
    depth: usize,
    issue: u64,
    pc: u32,
    /// Time of the scalar unit.
    time: u64,
    registers: [i64; Reg::COUNT],
    loops: Vec<(u32, u32)>,
    scalar: Blocked,
    queues: [Queue; Pipe::COUNT],
    flags: Vec<Flag>,
    /// Pipes with something to run, one bit each.
    ready: u8,
    /// Flag that was set too often.
    pub(super) overflow: Option<(u32, FlagIndex)>,
    pub(super) instructions: u64,
    trace: Option<(u32, Vec<Event>)>,
}

impl<'p> Core<'p> {
    pub(super) fn new(program: &'p Steps, timing: &CoreTiming, trace: Option<u32>) -> Self {
        let depth = timing.queue_depth.max(1);
        let queue = Queue {
            free: 0,
            front: 0,
            done: 0,
            blocked: Blocked::No,
            waiting: VecDeque::with_capacity(depth),
            starts: vec![0; depth],
            issue_slot: 0,
            start_slot: 0,
            flight: Flight::default(),
            report: PipeReport::default(),
        };
        Self {
            program,
            depth,
            issue: u64::from(timing.issue),
            pc: 0,
            time: 0,
            registers: [0; Reg::COUNT],
            loops: Vec::new(),
            scalar: Blocked::No,
            queues: std::array::from_fn(|_| queue.clone()),
            flags: vec![Flag::CLEAR; FLAGS],
            ready: 0,
            overflow: None,
            instructions: 0,
            trace: trace.map(|core| (core, Vec::new())),
        }
    }

    /// Runs everything that can run.
    pub(super) fn advance(&mut self, requests: &mut Vec<Request>) {
        loop {
            while self.ready != 0 {
                let pipe = self.ready.trailing_zeros() as usize;
                self.ready &= self.ready - 1;
                self.drain(pipe, requests);
            }
            if !self.scalar_can_go() {
                return;
            }
            self.issue_until_blocked(requests);
            if self.ready == 0 {
                return;
            }
        }
    }

    /// The transfer of a pipe has moved its last byte at `time`; its data are visible `latency` later.
    pub(super) fn complete(&mut self, pipe: Pipe, time: u64, latency: u64, slow: Cause) {
        let queue = &mut self.queues[pipe as usize];
        let flight = queue.flight;
        queue.free = time.max(flight.floor);
        queue.done = queue.done.max(queue.free + latency);
        queue.blocked = Blocked::No;
        let taken = queue.free - flight.start;
        let busy = flight.alone.min(taken);
        queue.report.busy += busy;
        queue.report.stalls[slow as usize] += taken - busy;
        self.ready |= 1 << pipe as u8;
        self.record(pipe, flight.step, flight.start, self.queues[pipe as usize].free);
    }

    /// A flag set by another core.
    pub(super) fn deliver(&mut self, flag: FlagIndex, time: u64) {
        self.raise(flag, time);
    }

    /// Whether the program has ended and every queue has drained.
    pub(super) fn finished(&self) -> bool {
        self.scalar == Blocked::Finished && self.drained()
    }

    /// When everything is complete.
    pub(super) fn end(&self) -> u64 {
        self.queues.iter().map(|queue| queue.free.max(queue.done)).max().unwrap_or(0).max(self.time)
    }

    pub(super) fn reports(&self) -> [PipeReport; Pipe::COUNT] {
        std::array::from_fn(|pipe| self.queues[pipe].report)
    }

    pub(super) fn take_events(&mut self) -> Vec<Event> {
        self.trace.take().map(|(_, events)| events).unwrap_or_default()
    }

    /// The pipes that wait for a flag, each with the instruction that waits.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (Pipe, FlagIndex, u32)> + '_ {
        let queued = Pipe::ALL.into_iter().filter_map(|pipe| {
            let queue = &self.queues[pipe as usize];
            let Blocked::Flag(flag) = queue.blocked else { return None };
            queue.waiting.front().map(|entry| (pipe, flag, entry.step))
        });
        let scalar =
            if let Blocked::Flag(flag) = self.scalar { Some((Pipe::S, flag, self.pc)) } else { None };
        queued.chain(scalar)
    }

    fn drained(&self) -> bool {
        self.queues.iter().all(|queue| queue.waiting.is_empty() && queue.blocked == Blocked::No)
    }

    fn scalar_can_go(&self) -> bool {
        match self.scalar {
            Blocked::No => true,
            Blocked::Queue(pipe) => self.queues[pipe as usize].waiting.len() < self.depth,
            Blocked::Flag(flag) => self.flags[usize::from(flag)].is_set(),
            Blocked::Drain => self.drained(),
            Blocked::Transfer | Blocked::Finished => false,
        }
    }

    fn issue_until_blocked(&mut self, requests: &mut Vec<Request>) {
        self.scalar = Blocked::No;
        while self.scalar == Blocked::No && self.ready == 0 {
            let Some(&step) = self.program.steps.get(self.pc as usize) else {
                self.scalar = Blocked::Finished;
                return;
            };
            self.issue_one(step, requests);
        }
    }

    fn issue_one(&mut self, step: Step, requests: &mut Vec<Request>) {
        match step {
            Step::Run { pipe, .. } | Step::Barrier { pipe } | Step::CrossSet { pipe, .. } => {
                self.enqueue(pipe, 0, requests);
            }
            Step::Set { pipe, .. } | Step::Wait { pipe, .. } if pipe != Pipe::S => {
                self.enqueue(pipe, 0, requests);
            }
            Step::Transfer { pipe, index } => {
                let address = self.program.transfers[index as usize].address;
                let base = self.registers[usize::from(address.reg.0)];
                self.enqueue(pipe, (base + address.offset) as u64, requests);
            }
            scalar => self.scalar_step(scalar),
        }
    }

    /// Runs an instruction of the scalar unit itself.
    fn scalar_step(&mut self, step: Step) {
        match step {
            Step::Mov { dst, value } => self.write(dst, value),
            Step::AddImmediate { dst, src, value } => self.write(dst, self.read(src).wrapping_add(value)),
            Step::Add { dst, a, b } => self.write(dst, self.read(a).wrapping_add(self.read(b))),
            Step::Mul { dst, src, value } => self.write(dst, self.read(src).wrapping_mul(value)),
            Step::Loop { count } => self.loops.push((self.pc, count)),
            Step::End => return self.loop_back(),
            Step::Set { flag, .. } => self.raise(flag, self.time),
            Step::Wait { flag, .. } if !self.scalar_wait(flag) => return,
            Step::BarrierAll if !self.scalar_drain() => return,
            _ => {}
        }
        self.retire_scalar();
    }

    fn retire_scalar(&mut self) {
        self.pc += 1;
        self.time += self.issue;
        self.instructions += 1;
        let report = &mut self.queues[Pipe::S as usize].report;
        report.busy += self.issue;
        report.instructions += 1;
    }

    fn loop_back(&mut self) {
        self.retire_scalar();
        if let Some((start, remaining)) = self.loops.last_mut() {
            *remaining -= 1;
            if *remaining > 0 {
                self.pc = *start + 1;
            } else {
                self.loops.pop();
            }
        }
    }

    fn scalar_wait(&mut self, flag: FlagIndex) -> bool {
        if let Some(time) = self.flags[usize::from(flag)].pop() {
            self.stall_scalar(time, wait_cause(flag));
            true
        } else {
            self.scalar = Blocked::Flag(flag);
            false
        }
    }

    fn scalar_drain(&mut self) -> bool {
        if !self.drained() {
            self.scalar = Blocked::Drain;
            return false;
        }
        self.stall_scalar(self.end(), Cause::Flag);
        true
    }

    fn stall_scalar(&mut self, until: u64, cause: Cause) {
        self.queues[Pipe::S as usize].report.stalls[cause as usize] += until.saturating_sub(self.time);
        self.time = self.time.max(until);
    }

    fn read(&self, reg: Reg) -> i64 {
        self.registers[usize::from(reg.0)]
    }

    fn write(&mut self, reg: Reg, value: i64) {
        if reg != Reg::ZERO {
            self.registers[usize::from(reg.0)] = value;
        }
    }

    /// Puts the instruction at `pc` into a queue, or runs it at once if the queue is empty.
    fn enqueue(&mut self, pipe: Pipe, address: u64, requests: &mut Vec<Request>) {
        let queue = &mut self.queues[pipe as usize];
        if queue.waiting.len() == self.depth {
            self.scalar = Blocked::Queue(pipe);
            return;
        }
        // The slot is free once the instruction `depth` before this one has started.
        let issued = (self.time + self.issue).max(queue.starts[queue.issue_slot]);
        queue.issue_slot = if queue.issue_slot + 1 == self.depth { 0 } else { queue.issue_slot + 1 };
        let entry = Entry { step: self.pc, issued, address };
        self.queues[Pipe::S as usize].report.stalls[Cause::Flag as usize] += issued - self.time - self.issue;
        self.time = issued;
        self.pc += 1;
        self.instructions += 1;
        let queue = &mut self.queues[pipe as usize];
        if queue.blocked != Blocked::No || !queue.waiting.is_empty() || !self.run(pipe, entry, requests) {
            self.queues[pipe as usize].waiting.push_back(entry);
        }
    }

    fn drain(&mut self, pipe: usize, requests: &mut Vec<Request>) {
        while self.queues[pipe].blocked == Blocked::No {
            let Some(&entry) = self.queues[pipe].waiting.front() else { return };
            if !self.run(Pipe::ALL[pipe], entry, requests) {
                return;
            }
            self.queues[pipe].waiting.pop_front();
        }
    }

    /// Runs an instruction; false if it must wait for a flag.
    fn run(&mut self, pipe: Pipe, entry: Entry, requests: &mut Vec<Request>) -> bool {
        let queue = &mut self.queues[pipe as usize];
        let start = queue.free.max(entry.issued);
        let idle = start - queue.free;
        match self.program.steps[entry.step as usize] {
            Step::Run { latency, conflict, cycles, .. } => {
                queue.begin(start, idle, self.depth);
                queue.free = start + u64::from(cycles);
                queue.done = queue.done.max(queue.free + u64::from(latency));
                queue.report.busy += u64::from(cycles) - u64::from(conflict);
                queue.report.stalls[Cause::BankConflict as usize] += u64::from(conflict);
                self.record(pipe, entry.step, start, start + u64::from(cycles));
            }
            Step::Transfer { index, .. } => {
                queue.begin(start, idle, self.depth);
                let transfer = &self.program.transfers[index as usize];
                requests.push(queue.take_off(pipe, start, entry, index, transfer));
            }
            Step::Set { flag, .. } => {
                let time = queue.synchronise(start, idle, self.depth, self.issue);
                self.record(pipe, entry.step, start, start + self.issue);
                self.raise(flag, time);
            }
            Step::Wait { flag, .. } => return self.pass(pipe, entry.step, flag, (start, idle)),
            Step::Barrier { .. } => {
                let time = queue.synchronise(start, idle, self.depth, self.issue);
                queue.free = queue.free.max(time);
                queue.front = queue.free;
            }
            Step::CrossSet { flag, .. } => {
                let time = queue.synchronise(start, idle, self.depth, self.issue);
                requests.push(Request::CrossSet { flag, time });
            }
            _ => {}
        }
        true
    }

    /// Passes a wait if its flag is set.
    fn pass(&mut self, pipe: Pipe, step: u32, flag: FlagIndex, (start, idle): (u64, u64)) -> bool {
        let queue = &mut self.queues[pipe as usize];
        let Some(time) = self.flags[usize::from(flag)].pop() else {
            queue.blocked = Blocked::Flag(flag);
            return false;
        };
        let begin = start.max(time);
        queue.front = queue.front.max(time);
        queue.begin(begin, idle, self.depth);
        queue.report.stalls[wait_cause(flag) as usize] += begin - start;
        queue.report.busy += self.issue;
        queue.free = begin + self.issue;
        self.record(pipe, step, begin, begin + self.issue);
        true
    }

    fn raise(&mut self, flag: FlagIndex, time: u64) {
        if !self.flags[usize::from(flag)].push(time) {
            self.overflow = self.overflow.or(Some((self.pc, flag)));
        }
        for (index, queue) in self.queues.iter_mut().enumerate() {
            if queue.blocked == Blocked::Flag(flag) {
                queue.blocked = Blocked::No;
                self.ready |= 1 << index;
            }
        }
    }

    fn record(&mut self, pipe: Pipe, instruction: u32, start: u64, end: u64) {
        if let Some((core, events)) = &mut self.trace {
            events.push(Event { core: *core, pipe, instruction, start, end });
        }
    }
}

/// The cause of a wait: what the pipe that sets the flag does.
fn wait_cause(flag: FlagIndex) -> Cause {
    if usize::from(flag) >= EventId::COUNT {
        return Cause::CrossCore;
    }
    let event = EventId::from_index(usize::from(flag));
    if event.src == Pipe::Mte1 && event.dst == Pipe::M { Cause::OperandPath } else { Cause::Flag }
}
