//! SGLang (`python/sglang/srt/managers/scheduler.py`, `schedule_policy.py`): a batch of prompts runs before the next batch
//! of tokens.
//!
//! A prompt is admitted while it and its whole output fit into what is available after a share of what running requests
//! may still make is set aside: `available − Σ min(max_new − out, 4096) · ratio`. The ratio begins at
//! 0.7 · conservativeness, falls by a line over 600 decode steps to 0.14 of that, and is set anew when memory runs out:
//! then requests with the least output, and of these with the longest prompt, are retracted until there is room for 20 more
//! tokens each. Waiting requests with the longest cached prefix come first while there are at most 128 of them; a prompt
//! that shares its next unit with one of this batch waits for the next one.

use rustc_hash::FxHashSet;

use super::vllm::take_step;
use crate::kv::Hit;
use crate::lane::{Book, Lane, Phase};
use crate::requests::RequestId;

/// Options of SGLang's scheduler.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sglang {
    /// `--schedule-conservativeness`.
    pub conservativeness: f64,
}

impl Default for Sglang {
    fn default() -> Self {
        Self { conservativeness: 1.0 }
    }
}

/// `SGLANG_INIT_NEW_TOKEN_RATIO`, `SGLANG_MIN_NEW_TOKEN_RATIO_FACTOR`, `SGLANG_NEW_TOKEN_RATIO_DECAY_STEPS`.
const FIRST: f64 = 0.7;
const FLOOR: f64 = 0.14;
const DECAY_STEPS: f64 = 600.0;
/// `SGLANG_CLIP_MAX_NEW_TOKENS_ESTIMATION`, `SGLANG_RETRACT_DECODE_STEPS`.
const MOST_NEW: u32 = 4096;
const RETRACT_STEPS: u64 = 20;
/// Longest queue that is sorted by prefix.
const SORTED: usize = 128;

impl Sglang {
    pub(super) fn first_ratio(self) -> f64 {
        (FIRST * self.conservativeness).min(1.0)
    }

    pub(super) fn decayed(self, ratio: f64, steps: u64) -> f64 {
        let (first, floor) = (self.first_ratio(), self.first_ratio() * FLOOR);
        (ratio - (first - floor) / DECAY_STEPS * steps as f64).max(floor)
    }
}

pub(super) fn plan(options: &Sglang, lane: &mut Lane, book: &mut Book<'_>) {
    prompts(lane, book);
    if lane.plan.chunks.is_empty() {
        tokens(options, lane, book);
    }
    // What keeps a request waiting eases with every step.
    lane.plan.once = !lane.waiting.is_empty();
}

/// The next batch of prompts.
fn prompts(lane: &mut Lane, book: &mut Book<'_>) {
    let mut chunk_left = lane.limits.batched_tokens;
    let mut room = room(lane);
    if let Some(id) = lane.running.last().copied().filter(|_| lane.prompts > 0) {
        let live = book.live[id.index()];
        let chunk = (live.target - live.computed).min(chunk_left);
        if !lane.extend(id, chunk, book) {
            return;
        }
        chunk_left -= chunk;
        room -= f64::from(chunk);
    }
    sort(lane, book);
    let mut taken = FxHashSet::default();
    let mut place = 0;
    while chunk_left > 0 && lane.running.len() + (lane.expected as usize) < lane.limits.sequences as usize {
        let Some(id) = lane.waiting.get(place).copied() else { return };
        let hit = lane.hit(id, book);
        if lane.first_unknown(id, hit, book).is_some_and(|unit| !taken.insert(unit)) {
            place += 1;
            continue;
        }
        let extend = book.live[id.index()].target - hit.tokens;
        let whole = f64::from(extend + book.left(id).min(MOST_NEW));
        // Alone it may use everything: nothing else will make room for it.
        let alone = lane.running.is_empty() && lane.expected == 0;
        if whole >= room && !alone {
            return;
        }
        let Some(chunk) = lane.admit(id, hit, chunk_left, book) else { return };
        lane.dequeue(place, book);
        chunk_left -= chunk;
        room -= whole;
    }
}

/// Tokens that may be promised to new requests.
fn room(lane: &Lane) -> f64 {
    let available = f64::from(lane.kv.available()) * f64::from(lane.kv.block());
    available - lane.decode_left() as f64 * lane.ratio
}

/// Longest cached prefix first, else order of arrival.
fn sort(lane: &mut Lane, book: &Book<'_>) {
    if !lane.limits.prefix_cache || lane.waiting.len() > SORTED || lane.waiting.len() < 2 {
        return;
    }
    let mut order: Vec<(Hit, RequestId)> = lane.waiting.iter().map(|id| (lane.hit(*id, book), *id)).collect();
    order.sort_by_key(|(hit, _)| std::cmp::Reverse(hit.tokens));
    lane.waiting.iter_mut().zip(order).for_each(|(place, (_, id))| *place = id);
}

/// The next batch of tokens.
fn tokens(options: &Sglang, lane: &mut Lane, book: &mut Book<'_>) {
    if lane.decoding > 0 && !take_step(lane) {
        retract(options, lane, book);
        take_step(lane);
    }
    lane.plan.decode = lane.decoding > 0;
}

/// Takes requests off until there is room, or one is left.
fn retract(options: &Sglang, lane: &mut Lane, book: &mut Book<'_>) {
    let decoding = |id: &&RequestId| book.live[id.index()].phase == Phase::Decode;
    let mut order: Vec<RequestId> = lane.running.iter().filter(decoding).copied().collect();
    order.sort_by_key(|id| (std::cmp::Reverse(lane.made(*id, book)), book.input(*id)));
    while order.len() > 1 && u64::from(lane.kv.available()) < lane.demand(RETRACT_STEPS) {
        if let Some(id) = order.pop() {
            lane.preempt(id, false, book);
        }
    }
    let made: u64 = order.iter().map(|id| u64::from(lane.made(*id, book))).sum();
    let all = made + lane.decode_left();
    let kept = (made + RETRACT_STEPS * order.len() as u64) as f64 / all.max(1) as f64;
    lane.ratio = kept.clamp(options.first_ratio() * FLOOR, 1.0);
}
