//! Caches on their way from prefill to decode.

use super::{Event, Halt, Simulation};
use crate::observe::Watch;
use crate::requests::RequestId;
use crate::service::FirstToken;

impl<W: Watch> Simulation<'_, '_, '_, '_, W> {
    /// Begins the transfers of caches for which a lane has room.
    pub(super) fn pull(&mut self, lane: usize) {
        while let Some(id) = self.lanes[lane].incoming.front().copied() {
            let from = self.book.live[id.index()].lane as usize;
            if !self.lanes[lane].receive(id, &mut self.book) {
                return;
            }
            self.lanes[lane].incoming.pop_front();
            let source = self.slots[self.homes[from] as usize].pipeline;
            let start = self.outcome.starts[id.index()];
            let tokens = self.book.input(id);
            let transfer = &self.service.transfer;
            let arrival = transfer.arrival(tokens, start, self.now, self.pipelines[source].link);
            self.pipelines[source].link = arrival;
            self.outcome.moved_tokens += u64::from(tokens);
            self.queue.push(arrival, Event::Moved(id));
        }
    }

    /// A cache has arrived.
    pub(super) fn moved(&mut self, id: RequestId) -> Result<(), Halt> {
        self.moving -= 1;
        if self.service.first_token == FirstToken::Decode {
            self.outcome.first_tokens[id.index()] = self.now;
        }
        let live = self.book.live[id.index()];
        let (lane, from) = (live.lane as usize, live.left.lane as usize);
        self.lanes[from].forget(id, &mut self.book);
        self.lanes[lane].arrived.push(id);
        self.wake(from)?;
        self.wake(lane)
    }
}
