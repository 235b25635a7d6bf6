//! What is known of requests while they are served.

use vitruvian_event::random::Stream;

use crate::requests::{RequestId, Requests};

/// Where a request is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not yet on a lane.
    #[default]
    Outside,
    /// In a lane's queue.
    Waiting,
    /// Its prompt is being computed.
    Prompt,
    /// It makes tokens.
    Decode,
    /// Its cache is between two lanes.
    Moving,
    /// Answered or turned away.
    Done,
}

/// What is known of a request while it is served.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Live {
    pub(crate) phase: Phase,
    /// Tokens made so far; for a sequence in decode, those it had when it began.
    pub(crate) generated: u32,
    /// Tokens to have in the cache before the next one can be made.
    pub(crate) target: u32,
    /// Of these, those that are.
    pub(crate) computed: u32,
    /// Blocks of its own.
    pub(crate) held: u32,
    /// Units that it shares, from the first on, and their blocks.
    pub(crate) units: u32,
    pub(crate) shared: u32,
    /// Tokens in the cache when decode began, and the clocks of that moment and of its end.
    pub(super) context: u32,
    pub(super) begun: u64,
    pub(super) ends: u64,
    /// Its place among the growing sequences.
    pub(super) slot: Option<u32>,
    /// Lane that holds its cache.
    pub(crate) lane: u32,
    /// What it still holds where it was prefilled.
    pub(crate) left: Left,
}

/// Blocks that stay taken on the prefill side until the cache has arrived on the decode side.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Left {
    pub(crate) lane: u32,
    pub(super) held: u32,
    pub(super) units: u32,
}

/// Everything about all requests that lanes look up and write to.
pub(crate) struct Book<'a> {
    pub(crate) requests: &'a Requests,
    pub(crate) live: Vec<Live>,
    pub(crate) preemptions: Vec<u16>,
    pub(crate) cached: Vec<u32>,
    /// Requests that started since the caller looked last.
    pub(crate) started: Vec<RequestId>,
    pub(crate) draws: Stream,
}

impl Book<'_> {
    pub(crate) fn live(&mut self, id: RequestId) -> &mut Live {
        &mut self.live[id.index()]
    }

    pub(crate) fn input(&self, id: RequestId) -> u32 {
        self.requests.inputs[id.index()]
    }

    pub(crate) fn output(&self, id: RequestId) -> u32 {
        self.requests.outputs[id.index()]
    }

    /// Tokens that it will still make.
    pub(crate) fn left(&self, id: RequestId) -> u32 {
        self.output(id).saturating_sub(self.live[id.index()].generated)
    }
}
