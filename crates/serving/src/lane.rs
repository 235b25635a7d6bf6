//! One lane: a data-parallel group's pipeline slot with its queue, its running sequences and its cache.
//!
//! All sequences in decode gain their tokens together, so a lane counts its decode steps (`clock`) and remembers of each
//! sequence only at which count it ends: a step touches no sequence that does not end in it.

mod admission;
mod book;
mod handover;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::kv::Kv;
use crate::requests::{Prefixes, RequestId, Requests};
use crate::scheduler::Plan;
use crate::service::{Limits, Role};
use crate::speculation::Speculation;
use crate::times::Batch;

pub(crate) use book::{Book, Live, Phase};

/// What became of requests in a step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ended {
    /// Prompts whose first token is made.
    pub(crate) first: Vec<RequestId>,
    /// Requests that made their last token.
    pub(crate) finished: Vec<RequestId>,
    /// Prompts whose cache goes elsewhere.
    pub(crate) moving: Vec<RequestId>,
}

/// One lane.
pub(crate) struct Lane {
    pub(crate) index: u32,
    pub(crate) limits: Limits,
    pub(crate) role: Role,
    pub(crate) kv: Kv,
    pub(crate) waiting: VecDeque<RequestId>,
    /// Prompt tokens of those that wait.
    pub(crate) waiting_tokens: u64,
    /// Caches that wait for room here.
    pub(crate) incoming: VecDeque<RequestId>,
    /// Caches on their way, whose blocks are taken.
    pub(crate) expected: u32,
    /// Caches that have arrived and whose sequences join the next step.
    pub(crate) arrived: Vec<RequestId>,
    /// In order of admission; those with unfinished prompts last.
    pub(crate) running: Vec<RequestId>,
    pub(crate) prompts: usize,
    pub(crate) decoding: u32,
    /// Tokens in the cache of all sequences in decode.
    pub(crate) context: u64,
    pub(crate) clock: u64,
    ending: BinaryHeap<Reverse<(u64, RequestId)>>,
    ends_sum: u64,
    speculation: Option<Speculation>,
    /// Tokens that a sequence gains in a step.
    rate: f64,
    pub(crate) plan: Plan,
    /// SGLang's share of the remaining tokens of running requests that admission keeps free.
    pub(crate) ratio: f64,
    prefixes: Option<Prefixes>,
}

impl Lane {
    pub(crate) fn new(
        index: u32,
        limits: Limits,
        role: Role,
        speculation: Option<Speculation>,
        ratio: f64,
        requests: &Requests,
    ) -> Self {
        let prefixes = &requests.prefixes;
        let fits = !prefixes.is_empty() && prefixes.unit.is_multiple_of(limits.block.max(1));
        let own = (!prefixes.is_empty() && !fits).then(|| prefixes.in_blocks(limits.block)).flatten();
        let known = limits.prefix_cache && (fits || own.is_some());
        Self {
            index,
            limits: Limits { prefix_cache: known, ..limits },
            role,
            kv: Kv::new(limits.block, limits.blocks, limits.fixed_blocks),
            waiting: VecDeque::new(),
            waiting_tokens: 0,
            incoming: VecDeque::new(),
            expected: 0,
            arrived: Vec::new(),
            running: Vec::new(),
            prompts: 0,
            decoding: 0,
            context: 0,
            clock: 0,
            ending: BinaryHeap::new(),
            ends_sum: 0,
            rate: speculation.as_ref().map_or(1.0, Speculation::tokens_per_step),
            speculation,
            plan: Plan::default(),
            ratio,
            prefixes: own,
        }
    }

    /// Query tokens of a sequence in decode.
    pub(crate) fn queries(&self) -> u32 {
        self.speculation.as_ref().map_or(1, |speculation| speculation.acceptance.len() as u32 + 1)
    }

    /// Tokens that a sequence gains in a step.
    pub(crate) fn rate(&self) -> f64 {
        self.rate
    }

    /// Tokens that every sequence has gained by a clock.
    fn tokens_at(&self, clock: u64) -> u64 {
        if self.speculation.is_none() { clock } else { (clock as f64 * self.rate) as u64 }
    }

    fn tokens_in(&self, steps: u64) -> u64 {
        self.tokens_at(self.clock + steps) - self.tokens_at(self.clock)
    }

    /// Blocks that so many decode steps begin.
    pub(crate) fn demand(&self, steps: u64) -> u64 {
        self.kv.demand(self.tokens_at(self.clock), self.tokens_in(steps))
    }

    fn prefixes<'p>(&'p self, requests: &'p Requests) -> &'p Prefixes {
        self.prefixes.as_ref().unwrap_or(&requests.prefixes)
    }

    fn names<'p>(&'p self, requests: &'p Requests, id: RequestId) -> &'p [u64] {
        if self.limits.prefix_cache { self.prefixes(requests).of(id) } else { &[] }
    }

    /// What the plan puts into a step.
    pub(crate) fn batch(&self) -> Batch {
        let mut batch = Batch::default();
        self.plan.chunks.iter().for_each(|chunk| batch.add(chunk.new, chunk.cached, chunk.ends));
        if self.plan.decode {
            (batch.decode, batch.context) = (self.decoding, self.context);
        }
        batch
    }

    /// Mean tokens in the cache of a sequence in decode.
    pub(crate) fn mean_context(&self) -> f64 {
        self.context as f64 / f64::from(self.decoding.max(1))
    }

    /// Decode steps until the first sequence ends.
    pub(crate) fn steps_to_end(&mut self, book: &Book<'_>) -> u64 {
        loop {
            let Some(Reverse((ends, id))) = self.ending.peek().copied() else { return u64::MAX };
            if is_current(&book.live[id.index()], ends) {
                return ends - self.clock;
            }
            self.ending.pop();
        }
    }

    /// Tokens that sequences in decode will still make.
    pub(crate) fn decode_left(&self) -> u64 {
        self.ends_sum - self.clock * u64::from(self.decoding)
    }

    /// Tokens that a sequence in decode has made.
    pub(crate) fn made(&self, id: RequestId, book: &Book<'_>) -> u32 {
        let live = &book.live[id.index()];
        let gained = self.tokens_at(self.clock) - self.tokens_at(live.begun);
        (live.generated + gained as u32).min(book.output(id).saturating_sub(1).max(live.generated))
    }

    /// A sequence whose cache holds `context` tokens begins to decode.
    fn join(&mut self, id: RequestId, context: u32, book: &mut Book<'_>) {
        let left = book.left(id);
        let steps = match &self.speculation {
            Some(speculation) => speculation.steps(left, &mut book.draws),
            None => left,
        };
        let ends = self.clock + u64::from(steps);
        let slot = (!self.limits.reserve).then(|| self.kv.grow(self.tokens_at(self.clock), context));
        let begun = self.clock;
        let live = book.live(id);
        live.phase = Phase::Decode;
        (live.context, live.begun, live.ends, live.slot) = (context, begun, ends, slot);
        self.ending.push(Reverse((ends, id)));
        self.ends_sum += ends;
        self.decoding += 1;
        self.context += u64::from(context);
    }

    /// A sequence in decode leaves; its blocks are counted to what they are now.
    fn leave(&mut self, id: RequestId, book: &mut Book<'_>) {
        let gained = self.tokens_at(self.clock) - self.tokens_at(book.live[id.index()].begun);
        let live = book.live(id);
        let now = live.context + gained as u32;
        if let Some(slot) = live.slot.take() {
            live.held += self.kv.blocks_of(now) - self.kv.blocks_of(live.context);
            self.kv.stop(slot);
        }
        self.ends_sum -= live.ends;
        self.decoding -= 1;
        self.context -= u64::from(now);
    }

    /// Gives back all blocks of a request.
    pub(crate) fn release(&mut self, id: RequestId, book: &mut Book<'_>) {
        let live = book.live[id.index()];
        self.kv.give(live.held);
        if live.units > 0 {
            let requests = book.requests;
            let prefixes = self.prefixes.as_ref().unwrap_or(&requests.prefixes);
            self.kv.release(prefixes.of(id), live.units);
        }
        let live = book.live(id);
        (live.held, live.units, live.shared) = (0, 0, 0);
    }

    /// Takes a running request off, to be computed anew; it goes to the front or the back of the queue.
    pub(crate) fn preempt(&mut self, id: RequestId, front: bool, book: &mut Book<'_>) {
        self.remove(id);
        if book.live[id.index()].phase == Phase::Decode {
            let made = self.made(id, book);
            self.leave(id, book);
            book.live(id).generated = made;
        } else {
            self.prompts -= 1;
        }
        self.release(id, book);
        let count = &mut book.preemptions[id.index()];
        *count = count.saturating_add(1);
        self.enqueue(id, book, front);
    }

    /// Takes the request admitted last off; whether there was one.
    pub(crate) fn preempt_last(&mut self, book: &mut Book<'_>) -> Option<RequestId> {
        let last = self.running.last().copied()?;
        self.preempt(last, true, book);
        Some(last)
    }

    fn remove(&mut self, id: RequestId) {
        if let Some(place) = self.running.iter().rposition(|other| *other == id) {
            self.running.remove(place);
        }
    }

    /// The steps that were planned are done.
    pub(crate) fn commit(&mut self, steps: u64, book: &mut Book<'_>, ended: &mut Ended) {
        if self.plan.decode {
            self.context += u64::from(self.decoding) * self.tokens_in(steps);
            self.clock += steps;
            self.end(book, ended);
        }
        let chunks = std::mem::take(&mut self.plan.chunks);
        for chunk in &chunks {
            let live = book.live(chunk.id);
            live.computed += chunk.new;
            if live.computed == live.target {
                self.prompt_done(chunk.id, book, ended);
            }
        }
        self.plan.chunks = chunks;
    }

    /// Sequences that made their last token.
    fn end(&mut self, book: &mut Book<'_>, ended: &mut Ended) {
        while let Some(Reverse((ends, id))) = self.ending.peek().copied() {
            let current = is_current(&book.live[id.index()], ends);
            if current && ends > self.clock {
                break;
            }
            self.ending.pop();
            if current {
                self.leave(id, book);
                self.finish(id, book, ended);
            }
        }
    }

    fn finish(&mut self, id: RequestId, book: &mut Book<'_>, ended: &mut Ended) {
        self.remove(id);
        self.release(id, book);
        let output = book.output(id);
        let live = book.live(id);
        (live.phase, live.generated) = (Phase::Done, output);
        ended.finished.push(id);
    }

    /// The prompt is in the cache, and a token is made.
    fn prompt_done(&mut self, id: RequestId, book: &mut Book<'_>, ended: &mut Ended) {
        self.prompts -= 1;
        let live = book.live(id);
        live.generated += 1;
        let (generated, context) = (live.generated, live.target);
        if generated == 1 {
            ended.first.push(id);
        }
        if generated >= book.output(id) {
            self.finish(id, book, ended);
        } else if self.role == Role::Prefill {
            self.remove(id);
            book.live(id).phase = Phase::Moving;
            ended.moving.push(id);
        } else {
            self.join(id, context, book);
        }
    }
}

fn is_current(live: &Live, ends: u64) -> bool {
    live.phase == Phase::Decode && live.ends == ends
}
