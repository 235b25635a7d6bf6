//! What steps brought: first tokens, last tokens, prompts whose cache moves on.

use vitruvian_event::Span;

use super::{Halt, Simulation};
use crate::lane::Phase;
use crate::observe::Watch;
use crate::outcome::State;
use crate::service::{FirstToken, Role};

impl<W: Watch> Simulation<'_, '_, '_, '_, W> {
    /// Takes down what the steps brought.
    pub(super) fn settle(&mut self, index: usize) -> Result<(), Halt> {
        let mut ended = std::mem::take(&mut self.ended);
        let disaggregated = self.service.pools.len() > 1;
        for id in ended.first.drain(..) {
            let moves = disaggregated && self.book.live[id.index()].phase == Phase::Moving;
            if !moves || self.service.first_token == FirstToken::Prefill {
                self.outcome.first_tokens[id.index()] = self.now;
            }
        }
        for id in ended.moving.drain(..) {
            self.moving += 1;
            let decode = self.service.pools.iter().position(|pool| pool.role == Role::Decode);
            let lane = self.route(id, decode.unwrap_or(self.entry));
            self.lanes[lane].incoming.push_back(id);
            self.pull(lane);
        }
        for id in ended.finished.drain(..) {
            self.outcome.finishes[id.index()] = self.now;
            self.outcome.states[id.index()] = State::Finished;
            self.outcome.replicas[id.index()] = self.slots[index].pipeline as u16;
            self.finished += 1;
            self.gauge(|s| &mut s.present, -1, None);
            if self.book.requests.clients > 0 {
                let think = Span::from_seconds(self.book.requests.think);
                self.send_next(self.now + think);
            }
        }
        self.ended = ended;
        if W::PROGRESS && !self.watch.progress(self.finished) {
            return Err(Halt::Stopped);
        }
        Ok(())
    }
}
