//! One lane: a data-parallel group's pipeline slot with its queue, its running sequences and its cache.
//!
//! All sequences in decode gain their tokens together, so a lane counts its decode steps (`clock`) and remembers of each
//! sequence only at which count it ends: a step touches no sequence that does not end in it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use vitruvian_event::random::Stream;

use crate::kv::{Hit, Kv};
use crate::requests::{Prefixes, RequestId, Requests};
use crate::scheduler::{Chunk, Plan};
use crate::service::{Limits, Role};
use crate::speculation::Speculation;
use crate::times::Batch;

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
    context: u32,
    begun: u64,
    ends: u64,
    /// Its place among the growing sequences.
    slot: Option<u32>,
    /// Lane that holds its cache.
    pub(crate) lane: u32,
    /// What it still holds where it was prefilled.
    pub(crate) left: Left,
}

/// Blocks that stay taken on the prefill side until the cache has arrived on the decode side.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Left {
    pub(crate) lane: u32,
    held: u32,
    units: u32,
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
    pub(crate) fn expect(&mut self, id: RequestId, book: &mut Book<'_>) -> bool {
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
