//! Caches that come from another lane, and that leave for one.

use super::Lane;
use super::book::{Book, Left};
use crate::requests::RequestId;

impl Lane {
    /// Sequences whose caches have arrived take part from now on.
    pub(crate) fn welcome(&mut self, book: &mut Book<'_>) {
        for id in std::mem::take(&mut self.arrived) {
            self.expected -= 1;
            let at = self.running.len() - self.prompts;
            self.running.insert(at, id);
            let context = book.input(id);
            self.join(id, context, book);
        }
    }

    /// Takes blocks for a cache that is to come, if there is room.
    pub(crate) fn receive(&mut self, id: RequestId, book: &mut Book<'_>) -> bool {
        let busy = self.running.len() + self.expected as usize >= self.limits.sequences as usize;
        let tokens = book.input(id) + if self.limits.reserve { book.output(id) } else { 1 };
        let need = self.kv.blocks_of(tokens);
        if busy || !self.kv.take(need) {
            return false;
        }
        // The block of the first new token is taken when that token comes.
        let held = self.kv.blocks_of(book.input(id));
        if !self.limits.reserve {
            self.kv.give(need - held);
        }
        let live = book.live(id);
        live.left = Left { lane: live.lane, held: live.held, units: live.units };
        (live.held, live.units, live.shared) = (if self.limits.reserve { need } else { held }, 0, 0);
        live.lane = self.index;
        self.expected += 1;
        true
    }

    /// A cache has arrived elsewhere: its blocks here are given back.
    pub(crate) fn forget(&mut self, id: RequestId, book: &mut Book<'_>) {
        let left = book.live[id.index()].left;
        self.kv.give(left.held);
        if left.units > 0 {
            let requests = book.requests;
            let prefixes = self.prefixes.as_ref().unwrap_or(&requests.prefixes);
            self.kv.release(prefixes.of(id), left.units);
        }
    }
}
