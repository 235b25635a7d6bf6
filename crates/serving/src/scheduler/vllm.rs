//! vLLM V1 (`vllm/v1/core/sched/scheduler.py`): no phases. Running requests first, in order: each takes a token, or the next
//! chunk of its prompt. If blocks run out, the request admitted last is preempted: its blocks are freed, it goes to the
//! front of the queue and is computed anew. Then, unless something was preempted in this step, waiting requests in order of
//! arrival while the token budget, the number of sequences and the blocks allow.

use crate::lane::{Book, Lane};

pub(super) fn plan(lane: &mut Lane, book: &mut Book<'_>) {
    let mut preempted = decode(lane, book);
    let mut budget = lane.limits.batched_tokens.saturating_sub(lane.decoding * lane.queries());
    preempted |= prompts(lane, &mut budget, book);
    lane.plan.once = preempted;
    if !preempted {
        admit(lane, &mut budget, book);
    }
}

/// A token for each sequence in decode; whether that took preemptions.
pub(super) fn decode(lane: &mut Lane, book: &mut Book<'_>) -> bool {
    let mut preempted = false;
    while lane.decoding > 0 && !take_step(lane) {
        preempted = true;
        if lane.preempt_last(book).is_none() {
            break;
        }
    }
    lane.plan.decode = lane.decoding > 0;
    preempted
}

/// Blocks for one decode step.
pub(super) fn take_step(lane: &mut Lane) -> bool {
    let need = lane.demand(1);
    u32::try_from(need).is_ok_and(|need| lane.kv.take(need))
}

/// The next chunks of prompts under way; whether that took preemptions.
fn prompts(lane: &mut Lane, budget: &mut u32, book: &mut Book<'_>) -> bool {
    let mut preempted = false;
    let mut place = lane.running.len() - lane.prompts;
    while let Some(id) = lane.running.get(place).copied() {
        let live = book.live[id.index()];
        let chunk = (live.target - live.computed).min(*budget);
        if chunk == 0 {
            break;
        }
        while !lane.extend(id, chunk, book) {
            preempted = true;
            if lane.preempt_last(book) == Some(id) {
                return true;
            }
        }
        *budget -= chunk;
        place += 1;
    }
    preempted
}

fn admit(lane: &mut Lane, budget: &mut u32, book: &mut Book<'_>) {
    while lane.running.len() + (lane.expected as usize) < lane.limits.sequences as usize && *budget > 0 {
        let Some(id) = lane.waiting.front().copied() else { return };
        let hit = lane.hit(id, book);
        let Some(chunk) = lane.admit(id, hit, *budget, book) else { return };
        lane.dequeue(0, book);
        *budget -= chunk;
    }
}
