//! One core: it issues and runs instructions as their flags allow, and hands memory accesses to the checks.

use std::collections::VecDeque;

use super::access::Access;
use super::clock::{Agent, Clock};
use super::fault::{Fault, FaultKind};
use super::global::GlobalMemory;
use super::memory::{Memory, Touch};
use super::resolve::resolve;
use super::{cube, img2col, moves, vector};
use crate::isa::{CrossMode, EventId, Instruction, Pipe, Reg, Space, Sync};
use crate::kernel::{CoreKind, Kernel};
use crate::machine::Machine;
use crate::program::Program;

/// Where a core stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Running,
    Finished,
}

/// An instruction in a queue, its addresses resolved.
#[derive(Clone, Debug)]
struct Entry {
    index: u32,
    /// Place in the order of issue.
    sequence: u64,
    instruction: Instruction,
    /// What the scalar unit knew when it issued it; nothing if that was known already.
    known: Option<Clock>,
}

/// A core with its buffers.
pub(super) struct Core<'k> {
    pub(super) kernel: &'k Kernel,
    program: &'k Program,
    index: usize,
    pub(super) kind: CoreKind,
    depth: usize,
    partners: Vec<u32>,
    pc: usize,
    issued: u64,
    registers: [i64; Reg::COUNT],
    loops: Vec<u32>,
    queues: [VecDeque<Entry>; Pipe::COUNT],
    pub(super) clocks: [Clock; Pipe::COUNT],
    /// Whether the scalar unit has learnt something that pipes do not know.
    news: bool,
    flags: Vec<VecDeque<Clock>>,
    cross_flags: Vec<VecDeque<Clock>>,
    outgoing: Vec<(CrossMode, u8, Clock)>,
    pub(super) buffers: Vec<Memory>,
    /// Two-bit indices of sparse operands, beside L0B: a quarter of its size.
    pub(super) sparse_index: Vec<u8>,
}

impl<'k> Core<'k> {
    pub(super) fn new(
        machine: &Machine,
        kernel: &'k Kernel,
        index: usize,
        kind: CoreKind,
        agents: usize,
    ) -> Self {
        let program = &kernel.programs[kernel.cores[index].program];
        let capacity = |space: Space| if has(kind, space) { machine.bytes(space) } else { 0 };
        Self {
            kernel,
            program,
            index,
            kind,
            depth: machine.core.queue_depth.max(1),
            partners: program.matching(),
            pc: 0,
            issued: 0,
            registers: [0; Reg::COUNT],
            loops: Vec::new(),
            queues: std::array::from_fn(|_| VecDeque::new()),
            clocks: std::array::from_fn(|_| Clock::new(agents)),
            news: false,
            flags: vec![VecDeque::new(); EventId::COUNT],
            cross_flags: vec![VecDeque::new(); 2 * Sync::CROSS_IDS],
            outgoing: Vec::new(),
            buffers: Space::ALL.iter().map(|&space| Memory::new(space, capacity(space))).collect(),
            sparse_index: vec![0; capacity(Space::L0b) as usize / 4],
        }
    }

    pub(super) fn index(&self) -> usize {
        self.index
    }

    pub(super) fn outcome(&self) -> Outcome {
        let done = self.pc == self.program.instructions.len() && self.drained();
        if done { Outcome::Finished } else { Outcome::Running }
    }

    pub(super) fn take_cross(&mut self) -> Vec<(CrossMode, u8, Clock)> {
        std::mem::take(&mut self.outgoing)
    }

    pub(super) fn deliver(&mut self, mode: CrossMode, id: u8, clock: Clock) {
        self.cross_flags[cross_index(mode, id)].push_back(clock);
    }

    /// Runs what can run; true if anything did. Of the instructions that could run, the earliest in the program does, so that a
    /// kernel that forgets a flag still computes what its author meant, and is reported as a race.
    pub(super) fn advance(&mut self, gm: &mut GlobalMemory) -> Result<bool, Fault> {
        let mut progress = false;
        loop {
            let ran = self.run_earliest(gm)?;
            if !ran && !self.issue()? {
                return Ok(progress);
            }
            progress = true;
        }
    }

    fn run_earliest(&mut self, gm: &mut GlobalMemory) -> Result<bool, Fault> {
        let mut fronts: Vec<(u64, Pipe)> = Pipe::ALL
            .into_iter()
            .filter_map(|pipe| self.queues[pipe as usize].front().map(|entry| (entry.sequence, pipe)))
            .collect();
        fronts.sort_unstable();
        for (_, pipe) in fronts {
            if self.run_front(pipe, gm)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Where a core stands still: its number, the instruction, and a sentence.
    pub(super) fn waits(&self) -> Vec<(usize, usize, String)> {
        let sentence = |pipe: Pipe, index: usize, instruction: &Instruction| {
            let (place, _) = self.describe(index);
            (
                self.index,
                index,
                format!("core {} {} waits at {place} `{instruction}`", self.index, pipe.name()),
            )
        };
        let queued = Pipe::ALL.into_iter().filter_map(|pipe| {
            self.queues[pipe as usize]
                .front()
                .map(|entry| sentence(pipe, entry.index as usize, &entry.instruction))
        });
        let scalar =
            self.program.instructions.get(self.pc).filter(|_| self.queues.iter().all(VecDeque::is_empty));
        queued.chain(scalar.map(|instruction| sentence(Pipe::S, self.pc, instruction))).collect()
    }

    pub(super) fn describe(&self, index: usize) -> (String, String) {
        let text = self.program.instructions.get(index).map(ToString::to_string);
        (self.program.place(index), text.unwrap_or_default())
    }

    fn drained(&self) -> bool {
        self.queues.iter().all(VecDeque::is_empty)
    }

    fn fault(&self, index: u32, kind: FaultKind) -> Fault {
        let (place, text) = self.describe(index as usize);
        Fault { core: self.index, instruction: index as usize, place, text, kind }
    }

    /// Issues the next instruction, or runs it if it is scalar; false if it must wait.
    fn issue(&mut self) -> Result<bool, Fault> {
        let Some(&instruction) = self.program.instructions.get(self.pc) else { return Ok(false) };
        let pipe = instruction.pipe();
        if !matches!(instruction, Instruction::Sync(_)) && pipe == Pipe::S {
            self.scalar(instruction);
            return Ok(true);
        }
        if pipe == Pipe::S {
            return Ok(self.scalar_sync(instruction));
        }
        if self.queues[pipe as usize].len() >= self.depth {
            return Ok(false);
        }
        if !runs_on(self.kind, pipe) {
            let reason = format!("an {} has no {}", self.kind.name(), pipe.name());
            return Err(self.fault(self.pc as u32, FaultKind::Illegal { reason }));
        }
        let known = self.news.then(|| self.clocks[Pipe::S as usize].clone());
        let resolved = resolve(instruction, &self.registers);
        self.issued += 1;
        self.queues[pipe as usize].push_back(Entry {
            index: self.pc as u32,
            sequence: self.issued,
            instruction: resolved,
            known,
        });
        self.pc += 1;
        Ok(true)
    }

    fn scalar(&mut self, instruction: Instruction) {
        let read = |reg: Reg| self.registers[usize::from(reg.0)];
        let written = match instruction {
            Instruction::Mov { dst, value } => Some((dst, value)),
            Instruction::AddImmediate { dst, src, value } => Some((dst, read(src).wrapping_add(value))),
            Instruction::Add { dst, a, b } => Some((dst, read(a).wrapping_add(read(b)))),
            Instruction::Mul { dst, src, value } => Some((dst, read(src).wrapping_mul(value))),
            _ => None,
        };
        if let Some((reg, value)) = written.filter(|(reg, _)| *reg != Reg::ZERO) {
            self.registers[usize::from(reg.0)] = value;
        }
        match instruction {
            Instruction::Loop { count } => self.loops.push(count),
            Instruction::End => return self.loop_back(),
            _ => {}
        }
        self.pc += 1;
    }

    fn loop_back(&mut self) {
        let remaining = self.loops.pop().unwrap_or(1) - 1;
        if remaining > 0 {
            self.loops.push(remaining);
            self.pc = self.partners[self.pc] as usize;
        }
        self.pc += 1;
    }

    fn scalar_sync(&mut self, instruction: Instruction) -> bool {
        let Instruction::Sync(sync) = instruction else { return false };
        let passed = match sync {
            Sync::BarrierAll => {
                self.drained() && {
                    let all = self.clocks.clone();
                    for clock in &all {
                        self.clocks[Pipe::S as usize].join(clock);
                    }
                    true
                }
            }
            other => self.synchronise(Pipe::S, other),
        };
        self.news |= passed;
        self.pc += usize::from(passed);
        passed
    }

    /// Runs the first instruction of a queue; false if there is none or it must wait.
    fn run_front(&mut self, pipe: Pipe, gm: &mut GlobalMemory) -> Result<bool, Fault> {
        let Some(front) = self.queues[pipe as usize].front() else { return Ok(false) };
        if let Some(known) = &front.known {
            self.clocks[pipe as usize].join(known);
        }
        let (index, instruction) = (front.index, front.instruction);
        if let Instruction::Sync(sync) = instruction {
            if !self.synchronise(pipe, sync) {
                return Ok(false);
            }
        } else {
            self.work(pipe, index, &instruction, gm).map_err(|kind| self.fault(index, kind))?;
        }
        self.queues[pipe as usize].pop_front();
        Ok(true)
    }

    /// Passes a flag instruction; false if it must wait.
    fn synchronise(&mut self, pipe: Pipe, sync: Sync) -> bool {
        let mine = self.clocks[pipe as usize].clone();
        match sync {
            Sync::SetFlag(event) => self.flags[event.index()].push_back(mine),
            Sync::CrossSet { mode, id, .. } => self.outgoing.push((mode, id, mine)),
            Sync::WaitFlag(event) => match self.flags[event.index()].pop_front() {
                Some(clock) => self.clocks[pipe as usize].join(&clock),
                None => return false,
            },
            Sync::CrossWait { mode, id, .. } => match self.cross_flags[cross_index(mode, id)].pop_front() {
                Some(clock) => self.clocks[pipe as usize].join(&clock),
                None => return false,
            },
            Sync::Barrier(_) | Sync::BarrierAll => {}
        }
        true
    }

    fn work(
        &mut self,
        pipe: Pipe,
        index: u32,
        instruction: &Instruction,
        gm: &mut GlobalMemory,
    ) -> Result<(), FaultKind> {
        let agent = (self.index * Pipe::COUNT + pipe as usize) as Agent;
        let time = self.clocks[pipe as usize].tick(agent);
        let touch = Touch { agent, time, instruction: index, bytes: 0, atomic: adds(instruction) };
        let mut access = Access { core: self, gm, touch, pipe };
        match instruction {
            Instruction::Burst(burst) => moves::burst(&mut access, burst),
            Instruction::Nd2Nz(nd2nz) => moves::nd2nz(&mut access, nd2nz),
            Instruction::FractalLoad(load) => moves::fractal(&mut access, load),
            Instruction::Img2col(load) => img2col::run(&mut access, load),
            Instruction::Fixpipe(fixpipe) => cube::fixpipe(&mut access, fixpipe),
            Instruction::Mmad(mmad) => cube::mmad(&mut access, mmad),
            Instruction::Vector(vector) => vector::run(&mut access, vector),
            _ => Ok(()),
        }
    }
}

fn cross_index(mode: CrossMode, id: u8) -> usize {
    mode as usize * Sync::CROSS_IDS + usize::from(id)
}

/// Whether an instruction adds to GM atomically.
fn adds(instruction: &Instruction) -> bool {
    match instruction {
        Instruction::Burst(burst) => burst.atomic,
        Instruction::Fixpipe(fixpipe) => fixpipe.atomic,
        _ => false,
    }
}

/// Whether a kind of core has a buffer.
fn has(kind: CoreKind, space: Space) -> bool {
    match space {
        Space::Gm => false,
        Space::Ub => kind != CoreKind::Cube,
        _ => kind != CoreKind::Vector,
    }
}

/// Whether a kind of core has a pipe.
fn runs_on(kind: CoreKind, pipe: Pipe) -> bool {
    match pipe {
        Pipe::S | Pipe::Mte2 => true,
        Pipe::V | Pipe::Mte3 => kind != CoreKind::Cube,
        Pipe::M | Pipe::Mte1 | Pipe::Fix => kind != CoreKind::Vector,
    }
}
