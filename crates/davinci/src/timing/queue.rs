//! One pipe of a core: an in-order queue.

use std::collections::VecDeque;

use super::core::Request;
use super::stats::{Cause, PipeReport};
use super::step::{FlagIndex, Transfer};
use crate::isa::Pipe;

/// What a pipe or the scalar unit waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blocked {
    /// Nothing.
    No,
    /// A flag that is not set yet.
    Flag(FlagIndex),
    /// The end of its own transfer.
    Transfer,
    /// Scalar unit: room in the queue of a pipe.
    Queue(Pipe),
    /// Scalar unit: all pipes to drain.
    Drain,
    /// Scalar unit: the program has ended.
    Finished,
}

/// An instruction in a queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) step: u32,
    pub(super) issued: u64,
    pub(super) address: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Queue {
    /// When the pipe can start its next instruction.
    pub(super) free: u64,
    /// When the next transfer may ask for its data: since its issue, or since the last wait was passed. Requests run ahead
    /// of the data of earlier transfers.
    pub(super) front: u64,
    /// When the results of all it has run are visible.
    pub(super) done: u64,
    pub(super) blocked: Blocked,
    pub(super) waiting: VecDeque<Entry>,
    /// Start times of the last instructions, a ring as deep as the queue.
    pub(super) starts: Vec<u64>,
    pub(super) issue_slot: usize,
    pub(super) start_slot: usize,
    /// The transfer in flight: start, step, floor of its end, cycles on an idle machine.
    pub(super) flight: Flight,
    pub(super) report: PipeReport,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flight {
    pub(super) start: u64,
    pub(super) step: u32,
    pub(super) alone: u64,
    pub(super) floor: u64,
}

impl Queue {
    /// Accounts for the start of an instruction.
    pub(super) fn begin(&mut self, start: u64, idle: u64, depth: usize) {
        self.report.stalls[Cause::Empty as usize] += idle;
        self.report.instructions += 1;
        self.starts[self.start_slot] = start;
        self.start_slot = if self.start_slot + 1 == depth { 0 } else { self.start_slot + 1 };
    }

    /// Runs a set or barrier: returns when all earlier work is visible.
    pub(super) fn synchronise(&mut self, start: u64, idle: u64, depth: usize, issue: u64) -> u64 {
        self.begin(start, idle, depth);
        self.report.busy += issue;
        self.free = start + issue;
        start.max(self.done)
    }

    pub(super) fn take_off(
        &mut self,
        pipe: Pipe,
        start: u64,
        entry: Entry,
        index: u32,
        transfer: &Transfer,
    ) -> Request {
        let shape = transfer.shape;
        self.front = self.front.max(entry.issued);
        let requested = self.front + u64::from(shape.startup);
        self.blocked = Blocked::Transfer;
        self.flight =
            Flight { start, step: entry.step, alone: shape.alone(), floor: start + u64::from(shape.floor) };
        Request::Transfer { pipe, time: requested.max(start), requested, index, address: entry.address }
    }
}
