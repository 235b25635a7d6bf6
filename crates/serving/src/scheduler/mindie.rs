//! MindIE (`Ascend/MindIE-LLM`): prompts and tokens never share a step, prompts first. Blocks for the whole request are
//! taken before it starts, so nothing is ever preempted. A batch of prompts holds at most 50 of them and the engine's token
//! limit; a prompt is never cut.
//!
//! With `supportSelectBatch`, prompts wait while decode would lose more: they run if
//! `prefillTimeMsPerReq · decodeReqNum ≤ Σ decodeTimeMsPerReq · (maxBatchSize − decodeReqNum)`, the sum over the decode
//! steps since the last batch of prompts.

use crate::lane::{Book, Lane};

/// Options of MindIE's scheduler; the defaults are those of its `config.json`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MindIe {
    /// Most prompts of a step (`maxPrefillBatchSize`).
    pub prompts: u32,
    /// `prefillTimeMsPerReq` and `decodeTimeMsPerReq` where `supportSelectBatch` is on.
    pub select_batch: Option<[f64; 2]>,
}

impl Default for MindIe {
    fn default() -> Self {
        Self { prompts: 50, select_batch: None }
    }
}

pub(super) fn plan(options: &MindIe, lane: &mut Lane, book: &mut Book<'_>) {
    if let Some(times) = options.select_batch
        && !worth_it(times, lane)
    {
        lane.plan.decode = true;
        lane.plan.once = true;
        return;
    }
    prompts(options, lane, book);
    if lane.plan.chunks.is_empty() {
        lane.plan.decode = lane.decoding > 0;
    } else {
        lane.ratio = 0.0;
    }
}

/// `ratio` counts what decode would have gained since the last batch of prompts.
fn worth_it([prompt, token]: [f64; 2], lane: &mut Lane) -> bool {
    if lane.decoding == 0 || lane.waiting.is_empty() {
        return true;
    }
    let decoding = f64::from(lane.decoding);
    lane.ratio += token * (f64::from(lane.limits.sequences) - decoding);
    prompt * decoding <= lane.ratio
}

fn prompts(options: &MindIe, lane: &mut Lane, book: &mut Book<'_>) {
    let mut left = lane.limits.batched_tokens;
    while lane.plan.chunks.len() < options.prompts as usize
        && lane.running.len() + (lane.expected as usize) < lane.limits.sequences as usize
    {
        let Some(id) = lane.waiting.front().copied() else { return };
        let hit = lane.hit(id, book);
        let whole = book.live[id.index()].target - hit.tokens;
        if whole > left && !lane.plan.chunks.is_empty() {
            return;
        }
        if lane.admit(id, hit, whole, book).is_none() {
            return;
        }
        lane.dequeue(0, book);
        left = left.saturating_sub(whole);
    }
}
