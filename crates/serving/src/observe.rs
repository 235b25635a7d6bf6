//! Looking on while a simulation runs. An onlooker that is not there costs nothing.

use vitruvian_event::Instant;

use crate::requests::RequestId;
use crate::scheduler::Chunk;

/// One step of one lane, or several equal ones in a row, as it begins.
#[derive(Clone, Copy, Debug)]
pub struct StepRecord<'a> {
    /// Pool.
    pub pool: usize,
    /// Replica of the pool.
    pub replica: usize,
    /// Lane of the replica.
    pub lane: usize,
    /// Start.
    pub from: Instant,
    /// End, if nothing cuts it short.
    pub to: Instant,
    /// Steps in a row.
    pub steps: u32,
    /// Chunks of prompts in it.
    pub chunks: &'a [Chunk],
    /// Whether the running sequences that are past their prompt each make a token.
    pub decodes: bool,
    /// Running sequences in order of admission.
    pub running: &'a [RequestId],
    /// Requests that wait.
    pub waiting: usize,
    /// KV blocks in use.
    pub blocks_used: u32,
    /// KV blocks that hold what nothing uses but a later request may.
    pub blocks_cached: u32,
    /// KV blocks in all.
    pub blocks: u32,
}

/// Where all requests are at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Have arrived.
    pub arrived: usize,
    /// Arrived and still at the front end.
    pub entering: usize,
    /// Wait for their first or next step.
    pub waiting: usize,
    /// Hold cache and take part in steps.
    pub running: usize,
    /// Between prefill and decode.
    pub moving: usize,
    /// Answered.
    pub finished: usize,
    /// Turned away.
    pub rejected: usize,
}

impl Census {
    /// Whether every request that arrived is somewhere.
    pub fn balances(&self) -> bool {
        let placed =
            self.entering + self.waiting + self.running + self.moving + self.finished + self.rejected;
        self.arrived == placed
    }
}

/// Someone who looks on.
pub trait Watch {
    /// Whether steps are looked at: what prepares a record asks.
    const STEPS: bool = false;
    /// Whether requests are counted after every event.
    const CENSUS: bool = false;
    /// Whether progress is told.
    const PROGRESS: bool = false;

    /// A step begins.
    fn step(&mut self, _: &StepRecord<'_>) {}

    /// After an event.
    fn census(&mut self, _: Instant, _: &Census) {}

    /// So many requests are answered; `false` ends the simulation there.
    fn progress(&mut self, _finished: usize) -> bool {
        true
    }
}

/// Nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Watch for Quiet {}
