//! The pieces that a block of C is cut into.

use crate::isa::{Move, Pipe};

/// A table of one value a column, on its way to the pipe that uses it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    pub(super) gm: u64,
    pub(super) l1: u32,
    pub(super) route: Move,
    pub(super) user: Pipe,
    pub(super) flag: u8,
}

/// A chunk of K.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk {
    pub(super) depth: u32,
    /// Whether it starts the block.
    pub(super) first: bool,
    /// Whether it ends the block.
    pub(super) last: bool,
}

/// Columns of a block that pass between cube and FixPipe together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slice {
    /// First column within the block.
    pub(super) first: u32,
    pub(super) columns: u32,
    /// Byte offset of its accumulator.
    pub(super) l0c: u32,
    /// Event of its hand-over.
    pub(super) flag: u8,
}

/// A step within a chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// L1 half.
    pub(super) half: u32,
    /// Depth done before it in the chunk.
    pub(super) done: u32,
    /// Its depth.
    pub(super) size: u32,
    /// Depth of the chunk.
    pub(super) chunk: u32,
    /// Whether it starts the accumulator.
    pub(super) init: bool,
    /// Whether it ends the accumulator.
    pub(super) finish: bool,
}
