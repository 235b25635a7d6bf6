//! vLLM V0 (`vllm/core/scheduler.py`, recalled): a batch of whole prompts runs before the next batch of tokens.
//!
//! Waiting requests are admitted in order of arrival while the token budget and the number of sequences allow and a
//! hundredth of the blocks stays free (`BlockSpaceManager.watermark`). If blocks run out in decode, the request admitted
//! last is preempted as in V1: it goes to the front of the queue and is computed anew.

use super::vllm::decode;
use crate::lane::{Book, Lane};

/// One part in so many of the blocks is kept free of new prompts.
const WATERMARK: u32 = 100;

pub(super) fn plan(lane: &mut Lane, book: &mut Book<'_>) {
    prompts(lane, book);
    if lane.plan.chunks.is_empty() {
        lane.plan.once = decode(lane, book);
    }
}

/// The next batch of prompts. Alone, a prompt may be longer than the budget and take every block.
fn prompts(lane: &mut Lane, book: &mut Book<'_>) {
    let mut left = lane.limits.batched_tokens;
    while lane.running.len() + (lane.expected as usize) < lane.limits.sequences as usize {
        let Some(id) = lane.waiting.front().copied() else { return };
        let hit = lane.hit(id, book);
        let target = book.live[id.index()].target;
        let whole = target - hit.tokens;
        let after = lane.kv.available().saturating_sub(lane.kv.blocks_of(target).saturating_sub(hit.blocks));
        let crowded = after < lane.kv.capacity() / WATERMARK && !lane.running.is_empty();
        if crowded || (whole > left && !lane.plan.chunks.is_empty()) {
            return;
        }
        if lane.admit(id, hit, whole, book).is_none() {
            return;
        }
        lane.dequeue(0, book);
        left = left.saturating_sub(whole);
    }
}
