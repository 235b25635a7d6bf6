//! What a timing run reports.

use vitruvian_quantity::Seconds;

use super::trace::Event;
use crate::isa::Pipe;
use crate::kernel::CoreKind;

/// Why a pipe stood still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Cause {
    /// Waiting for a flag of another pipe.
    Flag,
    /// The cube waiting for MTE1 to fill L0A or L0B.
    OperandPath,
    /// Both sources of a vector instruction in one bank group.
    BankConflict,
    /// A transfer slowed by the shared L2.
    L2,
    /// A transfer slowed by device memory.
    Hbm,
    /// Waiting for another core.
    CrossCore,
    /// Nothing to run: the scalar unit had not issued the next instruction.
    Empty,
}

impl Cause {
    /// How many there are.
    pub const COUNT: usize = 7;
    /// All, in declaration order.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Flag,
        Self::OperandPath,
        Self::BankConflict,
        Self::L2,
        Self::Hbm,
        Self::CrossCore,
        Self::Empty,
    ];

    /// The name in reports: `"operand path"`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::OperandPath => "operand path",
            Self::BankConflict => "bank conflict",
            Self::L2 => "L2",
            Self::Hbm => "HBM",
            Self::CrossCore => "cross-core",
            Self::Empty => "empty",
        }
    }
}

/// What one pipe did, in cycles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PipeReport {
    /// Working, at the speed of the pipe itself.
    pub busy: u64,
    /// Standing still or slowed, by [`Cause`]. The time after its last instruction is not counted.
    pub stalls: [u64; Cause::COUNT],
    /// Instructions run.
    pub instructions: u64,
}

/// What one core did.
#[derive(Clone, Debug, PartialEq)]
pub struct CoreReport {
    /// What it is.
    pub kind: CoreKind,
    /// When its last instruction was complete.
    pub end: u64,
    /// By [`Pipe`].
    pub pipes: [PipeReport; Pipe::COUNT],
}

/// The result of a timing run.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Cycles from the first instruction to the last, launch not included.
    pub cycles: u64,
    /// The same as time.
    pub time: Seconds,
    /// From the host's launch to the end.
    pub time_with_launch: Seconds,
    /// Instructions run by all cores.
    pub instructions: u64,
    /// Bytes that crossed the L2 interface.
    pub l2_bytes: u64,
    /// Bytes read from and written to device memory.
    pub hbm_bytes: u64,
    /// By core.
    pub cores: Vec<CoreReport>,
    /// What ran when, if asked for, in order of completion.
    pub events: Vec<Event>,
}

impl PipeReport {
    /// Cycles in which the pipe was occupied: busy, or a transfer in flight at less than full speed.
    pub fn occupied(&self) -> u64 {
        self.busy
            + [Cause::BankConflict, Cause::L2, Cause::Hbm]
                .map(|cause| self.stalls[cause as usize])
                .iter()
                .sum::<u64>()
    }
}

impl Report {
    /// Share of the run in which a pipe was occupied, over the cores that used it; zero if none did.
    pub fn utilisation(&self, pipe: Pipe) -> f64 {
        let used =
            || self.cores.iter().map(|core| core.pipes[pipe as usize]).filter(|pipe| pipe.instructions > 0);
        let cores = used().count() as f64;
        if cores == 0.0 || self.cycles == 0 {
            return 0.0;
        }
        used().map(|pipe| pipe.occupied() as f64).sum::<f64>() / cores / self.cycles as f64
    }

    /// Cycles of a cause on a pipe, over all cores.
    pub fn stall(&self, pipe: Pipe, cause: Cause) -> u64 {
        self.cores.iter().map(|core| core.pipes[pipe as usize].stalls[cause as usize]).sum()
    }
}
