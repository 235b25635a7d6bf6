//! The queue, and what it takes to leave it: blocks for a prompt, chunk by chunk.

use super::Lane;
use super::book::{Book, Phase};
use crate::kv::Hit;
use crate::requests::RequestId;
use crate::scheduler::Chunk;

impl Lane {
    /// What of a request's prompt is in the cache.
    pub(crate) fn hit(&self, id: RequestId, book: &Book<'_>) -> Hit {
        if !self.limits.prefix_cache {
            return Hit::default();
        }
        let target = book.live[id.index()].target;
        self.kv.find(self.names(book.requests, id), self.prefixes(book.requests), target)
    }

    /// The name of the first unit that is not in the cache.
    pub(crate) fn first_unknown(&self, id: RequestId, hit: Hit, book: &Book<'_>) -> Option<u64> {
        self.names(book.requests, id).get(hit.units as usize).copied()
    }

    /// Puts a request into the queue.
    pub(crate) fn enqueue(&mut self, id: RequestId, book: &mut Book<'_>, front: bool) {
        let target = book.input(id) + book.live[id.index()].generated;
        let live = book.live(id);
        (live.phase, live.target, live.computed, live.lane) = (Phase::Waiting, target, 0, self.index);
        self.waiting_tokens += u64::from(target);
        if front { self.waiting.push_front(id) } else { self.waiting.push_back(id) }
    }

    /// Takes a request out of the queue.
    pub(crate) fn dequeue(&mut self, place: usize, book: &Book<'_>) {
        if let Some(id) = self.waiting.remove(place) {
            self.waiting_tokens -= u64::from(book.live[id.index()].target);
        }
    }

    /// Admits a request with a first chunk of at most `budget` tokens, if blocks for it are to be had. Gives the chunk.
    pub(crate) fn admit(&mut self, id: RequestId, hit: Hit, budget: u32, book: &mut Book<'_>) -> Option<u32> {
        let target = book.live[id.index()].target;
        let chunk = (target - hit.tokens).min(budget);
        let goal = if self.limits.reserve { book.input(id) + book.output(id) } else { hit.tokens + chunk };
        let need = self.kv.blocks_of(goal).saturating_sub(hit.blocks);
        let requests = book.requests;
        let names: &[u64] = if self.limits.prefix_cache {
            self.prefixes.as_ref().unwrap_or(&requests.prefixes).of(id)
        } else {
            &[]
        };
        let unused = if hit.units > 0 { self.kv.unused_of(names, hit) } else { 0 };
        if need + unused > self.kv.available() {
            return None;
        }
        self.kv.acquire(names, hit);
        self.kv.take(need);
        let live = &mut book.live[id.index()];
        live.phase = Phase::Prompt;
        (live.held, live.units, live.shared, live.computed) = (need, hit.units, hit.blocks, hit.tokens);
        if live.generated == 0 && book.preemptions[id.index()] == 0 {
            book.cached[id.index()] = hit.tokens;
            book.started.push(id);
        }
        self.running.push(id);
        self.prompts += 1;
        self.plan_chunk(id, chunk, book);
        Some(chunk)
    }

    /// Takes blocks for the next chunk of a prompt under way; `false` if there are not enough.
    pub(crate) fn extend(&mut self, id: RequestId, chunk: u32, book: &mut Book<'_>) -> bool {
        let live = book.live[id.index()];
        let need = self.kv.blocks_of(live.computed + chunk).saturating_sub(live.held + live.shared);
        if !self.kv.take(need) {
            return false;
        }
        book.live(id).held += need;
        self.plan_chunk(id, chunk, book);
        true
    }

    fn plan_chunk(&mut self, id: RequestId, chunk: u32, book: &mut Book<'_>) {
        let live = book.live[id.index()];
        self.plan.chunks.push(Chunk {
            id,
            new: chunk,
            cached: live.computed,
            ends: live.computed + chunk == live.target,
        });
        if !self.limits.prefix_cache {
            return;
        }
        let requests = book.requests;
        let prefixes = self.prefixes.as_ref().unwrap_or(&requests.prefixes);
        let computed = live.computed + chunk;
        let input = requests.inputs[id.index()];
        let (units, blocks) = self.kv.share(prefixes.of(id), live.units, prefixes.unit, computed, input);
        let live = book.live(id);
        live.units += units;
        live.shared += blocks;
        live.held = live.held.saturating_sub(blocks);
    }
}
