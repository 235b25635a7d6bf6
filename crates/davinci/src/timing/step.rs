//! A program lowered for one machine: instructions shrunk to what time depends on.

use super::cost::{self, Shape, gm_path};
use crate::isa::{Address, EventId, Instruction, Pipe, Reg, Sync};
use crate::machine::Machine;
use crate::program::Program;

/// One instruction as the timing simulator sees it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Mov {
        dst: Reg,
        value: i64,
    },
    AddImmediate {
        dst: Reg,
        src: Reg,
        value: i64,
    },
    Add {
        dst: Reg,
        a: Reg,
        b: Reg,
    },
    Mul {
        dst: Reg,
        src: Reg,
        value: i64,
    },
    Loop {
        count: u32,
    },
    End,
    /// Stays within the core.
    Run {
        pipe: Pipe,
        latency: u16,
        conflict: u16,
        cycles: u32,
    },
    /// Crosses the port to L2; an index into [`Steps::transfers`].
    Transfer {
        pipe: Pipe,
        index: u32,
    },
    Set {
        pipe: Pipe,
        flag: FlagIndex,
    },
    Wait {
        pipe: Pipe,
        flag: FlagIndex,
    },
    Barrier {
        pipe: Pipe,
    },
    BarrierAll,
    CrossSet {
        pipe: Pipe,
        flag: FlagIndex,
    },
}

/// Index of a flag of a core: its events, then its cross-core flags.
pub(super) type FlagIndex = u16;

/// Flags of a core.
pub(super) const FLAGS: usize = EventId::COUNT + 2 * Sync::CROSS_IDS;

/// A transfer whose shape is fixed and whose address may depend on a register.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer {
    pub(super) shape: Shape,
    pub(super) address: Address,
    /// Distinguishes blocks of different extent at one address.
    pub(super) extent: u64,
}

/// A lowered program.
#[derive(Clone, Debug)]
pub(super) struct Steps {
    pub(super) steps: Vec<Step>,
    pub(super) transfers: Vec<Transfer>,
}

pub(super) fn lower(machine: &Machine, program: &Program) -> Steps {
    let mut transfers = Vec::new();
    let steps =
        program.instructions.iter().map(|instruction| step(machine, instruction, &mut transfers)).collect();
    Steps { steps, transfers }
}

fn step(machine: &Machine, instruction: &Instruction, transfers: &mut Vec<Transfer>) -> Step {
    match *instruction {
        Instruction::Mov { dst, value } => Step::Mov { dst, value },
        Instruction::AddImmediate { dst, src, value } => Step::AddImmediate { dst, src, value },
        Instruction::Add { dst, a, b } => Step::Add { dst, a, b },
        Instruction::Mul { dst, src, value } => Step::Mul { dst, src, value },
        Instruction::Loop { count } => Step::Loop { count },
        Instruction::End => Step::End,
        Instruction::Sync(sync) => sync_step(sync),
        _ => work_step(machine, instruction, transfers),
    }
}

fn work_step(machine: &Machine, instruction: &Instruction, transfers: &mut Vec<Transfer>) -> Step {
    let pipe = instruction.pipe();
    if let Some(path) = gm_path(instruction) {
        let (address, rows, length, _) = path.footprint();
        let extent = u64::from(rows) << 32 | u64::from(length);
        transfers.push(Transfer { shape: path.shape(machine), address, extent });
        return Step::Transfer { pipe, index: transfers.len() as u32 - 1 };
    }
    let cost = cost::local(machine, instruction);
    let narrow = |cycles: u32| cycles.min(u32::from(u16::MAX)) as u16;
    Step::Run { pipe, latency: narrow(cost.latency), conflict: narrow(cost.conflict), cycles: cost.cycles }
}

fn sync_step(sync: Sync) -> Step {
    match sync {
        Sync::SetFlag(event) => Step::Set { pipe: event.src, flag: event.index() as FlagIndex },
        Sync::WaitFlag(event) => Step::Wait { pipe: event.dst, flag: event.index() as FlagIndex },
        Sync::Barrier(pipe) => Step::Barrier { pipe },
        Sync::BarrierAll => Step::BarrierAll,
        Sync::CrossSet { pipe, mode, id } => Step::CrossSet { pipe, flag: cross_flag(mode, id) },
        Sync::CrossWait { pipe, mode, id } => Step::Wait { pipe, flag: cross_flag(mode, id) },
    }
}

/// Index of a cross-core flag.
pub(super) fn cross_flag(mode: crate::isa::CrossMode, id: u8) -> FlagIndex {
    (EventId::COUNT + mode as usize * Sync::CROSS_IDS + usize::from(id)) as FlagIndex
}
