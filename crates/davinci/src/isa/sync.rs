//! Flags and barriers.

use super::Pipe;

/// An event between two pipes: `EVENT_ID0` to `EVENT_ID7` for each ordered pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventId {
    /// Pipe that sets.
    pub src: Pipe,
    /// Pipe that waits.
    pub dst: Pipe,
    /// Number.
    pub id: u8,
}

/// Which cores a cross-core flag joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CrossMode {
    /// Mode 0: all cores of the same kind; a wait ends when each has set.
    SameKind,
    /// Mode 2: a cube core and its vector cores. The cube's flag reaches each vector core; a wait on the cube core ends
    /// when each of its vector cores has set.
    Group,
}

/// A synchronisation instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sync {
    /// `set_flag PIPE_MTE2, PIPE_V, 0`: when all earlier work of `src` is complete, the event is set.
    SetFlag(EventId),
    /// `wait_flag PIPE_MTE2, PIPE_V, 0`: `dst` stops until the event is set, and clears it.
    WaitFlag(EventId),
    /// `pipe_barrier PIPE_V`: the pipe drains.
    Barrier(Pipe),
    /// `pipe_barrier PIPE_ALL`: all pipes drain before the scalar unit goes on.
    BarrierAll,
    /// `ffts_cross_core_sync PIPE_FIX, 2, 0`: when the pipe's earlier work is complete, the cross-core flag is set.
    CrossSet {
        /// Pipe that sets.
        pipe: Pipe,
        /// Which cores see it.
        mode: CrossMode,
        /// Number, 0 to 15.
        id: u8,
    },
    /// `wait_flag_dev PIPE_MTE2, 2, 0`: the pipe stops until the flag is set by the other cores, and clears it.
    CrossWait {
        /// Pipe that waits; `PIPE_S` stops the dispatch of everything that follows.
        pipe: Pipe,
        /// Which cores must have set it.
        mode: CrossMode,
        /// Number, 0 to 15.
        id: u8,
    },
}

impl EventId {
    /// Events of one pair of pipes.
    pub const IDS: usize = 8;
    /// Events of a core.
    pub const COUNT: usize = Pipe::COUNT * Pipe::COUNT * Self::IDS;

    /// A dense index below [`EventId::COUNT`].
    pub const fn index(self) -> usize {
        (self.src as usize * Pipe::COUNT + self.dst as usize) * Self::IDS + self.id as usize
    }

    /// The event with a dense index.
    pub const fn from_index(index: usize) -> Self {
        let pair = index / Self::IDS;
        Self {
            src: Pipe::ALL[pair / Pipe::COUNT],
            dst: Pipe::ALL[pair % Pipe::COUNT],
            id: (index % Self::IDS) as u8,
        }
    }
}

impl Sync {
    /// Cross-core flags of a core.
    pub const CROSS_IDS: usize = 16;

    /// The queue the instruction goes to.
    pub const fn pipe(self) -> Pipe {
        match self {
            Self::SetFlag(event) => event.src,
            Self::WaitFlag(event) => event.dst,
            Self::Barrier(pipe) | Self::CrossSet { pipe, .. } | Self::CrossWait { pipe, .. } => pipe,
            Self::BarrierAll => Pipe::S,
        }
    }
}
