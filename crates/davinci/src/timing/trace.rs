//! What ran when, as plain values.

use crate::isa::Pipe;

/// One instruction of one core in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Core, by position in the kernel.
    pub core: u32,
    /// Pipe.
    pub pipe: Pipe,
    /// Index in the core's program.
    pub instruction: u32,
    /// First cycle.
    pub start: u64,
    /// One past the last cycle of the pipe's occupation.
    pub end: u64,
}
