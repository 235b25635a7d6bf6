//! Six requests by hand, step by step, under each scheduler.
//!
//! A step takes 1 s whatever it holds, so times are step numbers. Blocks hold four tokens.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use vitruvian_cost::Refusal;
use vitruvian_event::Instant;
use vitruvian_serving::requests::Prefixes;
use vitruvian_serving::scheduler::{MindIe, Sglang};
use vitruvian_serving::transfer::Transfer;
use vitruvian_serving::{
    Batch, FirstToken, Front, Limits, Line, LinearTimes, Outcome, Policy, Pool, Requests, Role, Routing,
    Service, StepRecord, StepTime, StepTimes, Watch, simulate_watched,
};

/// One step: prompt chunks as (request, new tokens), and the requests that make a token.
#[derive(Debug, PartialEq)]
struct Step {
    at: u64,
    chunks: Vec<(u32, u32)>,
    tokens: Vec<u32>,
    used: u32,
}

#[derive(Default)]
struct Log(Vec<Step>);

impl Watch for Log {
    const STEPS: bool = true;

    fn step(&mut self, record: &StepRecord<'_>) {
        let chunks: Vec<(u32, u32)> = record.chunks.iter().map(|chunk| (chunk.id.0, chunk.new)).collect();
        let unfinished = chunks.iter().map(|(id, _)| *id);
        let prompts: Vec<u32> = unfinished.collect();
        let running = record.running.iter().map(|id| id.0);
        let tokens =
            if record.decodes { running.filter(|id| !prompts.contains(id)).collect() } else { vec![] };
        self.0.push(Step { at: record.from.seconds() as u64, chunks, tokens, used: record.blocks_used });
        assert!(record.blocks_used + record.blocks_cached <= record.blocks);
    }
}

fn service(policy: Policy, limits: Limits) -> Service<'static> {
    Service {
        pools: vec![Pool {
            role: Role::Whole,
            replicas: 1,
            groups: 1,
            stages: 1,
            policy,
            limits,
            speculation: None,
            times: Box::new(LinearTimes { step: 1.0, ..LinearTimes::default() }),
        }],
        routing: Routing::default(),
        transfer: Transfer::default(),
        first_token: FirstToken::default(),
        front: Front::default(),
        context: 1000,
        seed: 1,
    }
}

const LIMITS: Limits = Limits {
    batched_tokens: 10,
    sequences: 3,
    block: 4,
    blocks: 9,
    fixed_blocks: 0,
    prefix_cache: false,
    reserve: false,
};

/// Prompts of 8, 5, 4, 6, 3, 4 tokens and outputs of 4, 3, 2, 1, 2, 3; the last two come at 2.5 s.
fn six() -> Requests {
    let mut requests = Requests::default();
    let lengths = [(8, 4), (5, 3), (4, 2), (6, 1), (3, 2), (4, 3)];
    for (index, (input, output)) in lengths.into_iter().enumerate() {
        let at = if index < 4 { 0.0 } else { 2.5 };
        requests.push(Instant::from_seconds(at), input, output);
    }
    requests
}

fn run(policy: Policy, limits: Limits) -> (Vec<Step>, Outcome) {
    let mut log = Log::default();
    let outcome = simulate_watched(&mut service(policy, limits), &six(), &mut log).unwrap();
    (log.0, outcome)
}

fn finishes(outcome: &Outcome) -> Vec<f64> {
    outcome.finishes.iter().map(|at| at.seconds()).collect()
}

fn step(at: u64, chunks: &[(u32, u32)], tokens: &[u32], used: u32) -> Step {
    Step { at, chunks: chunks.to_vec(), tokens: tokens.to_vec(), used }
}

/// The lead requests arrive one event at a time: the first alone finds an idle replica, so step 0 holds it alone.
///
/// Budget 10 tokens, 3 sequences, 9 blocks.
/// - 0: r0 alone, 8 tokens, 2 blocks.
/// - 1: r0 makes a token (its 9th takes a third block); 9 tokens of budget: r1 whole (5 tokens, 2 blocks), r2 whole (4
///   tokens, 1 block). 6 blocks. Three run.
/// - 2: r0, r1, r2 make tokens: r0 10 and r1 6 tokens, no block; r2's 5th takes one. 7 blocks. r2 ends (2 tokens).
/// - 3: r0, r1 make tokens (11, 7); r0 has made 4 with this one and r1 3: both end. r3 whole: 6 tokens, 2 blocks:
///   3 + 2 + 2 = 7. It ends with its only token.
/// - 4: r4 (3 tokens, 1 block), r5 (4 tokens, 1 block), together 7 of 10 tokens.
/// - 5: both make a token: r4's 4th token has room, r5's 5th takes a block: 3 blocks. r4 ends.
/// - 6: r5 makes its last token: 2 blocks.
#[test]
fn vllm_mixes_prompts_and_tokens() {
    let (steps, outcome) = run(Policy::Vllm, LIMITS);
    let expected = [
        step(0, &[(0, 8)], &[], 2),
        step(1, &[(1, 5), (2, 4)], &[0], 6),
        step(2, &[], &[0, 1, 2], 7),
        step(3, &[(3, 6)], &[0, 1], 7),
        step(4, &[(4, 3), (5, 4)], &[], 2),
        step(5, &[], &[4, 5], 3),
        step(6, &[], &[5], 2),
    ];
    assert_eq!(steps, expected);
    assert_eq!(finishes(&outcome), [4.0, 4.0, 3.0, 4.0, 6.0, 7.0]);
    assert!(outcome.preemptions.iter().all(|count| *count == 0));
}

/// The same with a budget of 7 tokens and 5 blocks.
/// - 0: r0's first 7 tokens: 2 blocks.
/// - 1: its last token; 6 tokens of budget left: r1 whole (5 tokens, 2 blocks), then r2's first token (1 block). 5 blocks.
/// - 2: r0's 9th token needs a block and none is free: r2, admitted last, is preempted (1 block free) and r0 takes it;
///   r1's 6th token has room. Nothing is admitted after a preemption. 3 + 2 = 5 blocks.
/// - 3: r0 10, r1 7 tokens. r1 ends (3 tokens made). r2 needs a block: none free. 5 blocks.
/// - 4: r0's 11th token, its last: 3 blocks; 6 tokens of budget: r2 whole (4 tokens, 1 block), r3's first 2 (1 block).
/// - 5: r2's 5th token takes a block, its last; r3's 4 other tokens take one: 4 blocks; r4's first 2 tokens take one: 5.
/// - 6: r4's third token; r5's 4 tokens take a block: 2 blocks.
/// - 7: r4 4 tokens: ends. r5's 5th takes a block: 3.
/// - 8: r5's last: 2 blocks.
#[test]
fn vllm_preempts_the_last_and_computes_it_anew() {
    let (steps, outcome) = run(Policy::Vllm, Limits { batched_tokens: 7, blocks: 5, ..LIMITS });
    let expected = [
        step(0, &[(0, 7)], &[], 2),
        step(1, &[(0, 1), (1, 5), (2, 1)], &[], 5),
        step(2, &[], &[0, 1], 5),
        step(3, &[], &[0, 1], 5),
        step(4, &[(2, 4), (3, 2)], &[0], 5),
        step(5, &[(3, 4), (4, 2)], &[2], 5),
        step(6, &[(4, 1), (5, 4)], &[], 2),
        step(7, &[], &[4, 5], 3),
        step(8, &[], &[5], 2),
    ];
    assert_eq!(steps, expected);
    assert_eq!(outcome.preemptions, [0, 0, 1, 0, 0, 0]);
    // One token of r2 was computed twice: 8 + 5 + 4 + 6 + 3 + 4 + 1.
    assert_eq!(outcome.prompt_tokens, 31);
}

/// Prompts run before tokens; ratio 0.7 at the start, 36 tokens of cache.
/// - 0: r0.
/// - 1: admission keeps 0.7 · 3 tokens for r0 free: 28 − 2.1 = 25.9. r1 (5 + 3) leaves 17.9, r2's 4 + 2 fit; the chunk of 10
///   holds 5 + 4. No token is made. 2 + 2 + 1 blocks.
/// - 2: three run. r0 9 tokens (block), r1 6, r2 5 (block): 7 blocks; r2 ends.
/// - 3: r3's prompt (6 tokens, 2 blocks) goes first: 5 + 2 blocks, and ends with its token.
/// - 4: the last two came at 2.5: r4 alone fits the third place. 5 + 1 blocks.
/// - 5: r0 10, r1 7, r4 4: r1 and r4 end.
/// - 6: r5's prompt: 3 + 1 blocks.
/// - 7: r0 11 ends, r5 5 (block): 5.
/// - 8: r5 6 ends: 2.
#[test]
fn sglang_runs_prompts_first() {
    let (steps, outcome) = run(Policy::Sglang(Sglang::default()), LIMITS);
    let expected = [
        step(0, &[(0, 8)], &[], 2),
        step(1, &[(1, 5), (2, 4)], &[], 5),
        step(2, &[], &[0, 1, 2], 7),
        step(3, &[(3, 6)], &[], 7),
        step(4, &[(4, 3)], &[], 6),
        step(5, &[], &[0, 1, 4], 6),
        step(6, &[(5, 4)], &[], 4),
        step(7, &[], &[0, 5], 5),
        step(8, &[], &[5], 2),
    ];
    assert_eq!(steps, expected);
    assert_eq!(finishes(&outcome), [8.0, 6.0, 3.0, 4.0, 6.0, 9.0]);
}

/// Prompts first and never cut, a budget of 7 tokens and 5 blocks.
/// - 0: r0, alone, whatever the budget: 2 blocks.
/// - 1: r1 (5 tokens, 2 blocks); r2's four do not fit into the other two tokens. 2: r2 (1 block): 5, three run.
/// - 3: r0's 9th token and r2's 5th need blocks and none is free: r2, admitted last, is preempted, and r0 takes its block.
/// - 4: r2 (5 tokens now) needs two blocks and none is free. r0 10, r1 7 tokens: r1 ends.
/// - 5: r2 whole (2 blocks): its second and last token. 6: r3 (2 blocks), which ends with its only token.
/// - 7: r4 and r5, together 7 tokens (1 block each): 5 blocks.
/// - 8: r5's 5th token needs a block: it is preempted. r0 makes its fourth and r4 its second token: both end. 3 + 1 blocks.
/// - 9: r5 whole (2 blocks). 10: its last token.
#[test]
fn vllm_v0_never_cuts_a_prompt() {
    let (steps, outcome) = run(Policy::VllmV0, Limits { batched_tokens: 7, blocks: 5, ..LIMITS });
    let expected = [
        step(0, &[(0, 8)], &[], 2),
        step(1, &[(1, 5)], &[], 4),
        step(2, &[(2, 4)], &[], 5),
        step(3, &[], &[0, 1], 5),
        step(4, &[], &[0, 1], 5),
        step(5, &[(2, 5)], &[], 5),
        step(6, &[(3, 6)], &[], 5),
        step(7, &[(4, 3), (5, 4)], &[], 5),
        step(8, &[], &[0, 4], 4),
        step(9, &[(5, 5)], &[], 2),
        step(10, &[], &[5], 2),
    ];
    assert_eq!(steps, expected);
    assert_eq!(outcome.preemptions, [0, 0, 1, 0, 0, 1]);
    assert_eq!(finishes(&outcome), [9.0, 5.0, 6.0, 7.0, 9.0, 11.0]);
}

/// Two of 200 blocks stay free of new prompts: beside r0's 195, a prompt of three blocks is admitted and one of four waits
/// until r0 has made its second and last token.
#[test]
fn vllm_v0_keeps_a_hundredth_of_the_blocks_free() {
    let limits = Limits { batched_tokens: 1000, blocks: 200, ..LIMITS };
    let second_step = |input: u32| {
        let mut requests = Requests::default();
        [(780, 2), (input, 1)]
            .iter()
            .for_each(|(input, output)| requests.push(Instant::ZERO, *input, *output));
        run_of(Policy::VllmV0, limits, &requests).0.swap_remove(1)
    };
    assert_eq!(second_step(12), step(1, &[(1, 12)], &[], 198));
    assert_eq!(second_step(16), step(1, &[], &[0], 196));
}

/// Whole prompts, whole reservations: ⌈12/4⌉ = 3, ⌈8/4⌉ = 2, ⌈6/4⌉ = 2, ⌈7/4⌉ = 2, ⌈5/4⌉ = 2, ⌈7/4⌉ = 2 blocks.
/// - 0: r0 (3 blocks).
/// - 1: r1 and r2 (5 + 4 tokens of 10): 7 blocks, three sequences.
/// - 2: all make a token; r2 ends.
/// - 3: r3's prompt; ends with its token. 3 + 2 + 2.
/// - 4: r4's prompt: 7.
/// - 5: r0, r1, r4 make tokens; r1 and r4 end.
/// - 6: r5's prompt: 3 + 2.
/// - 7: r0 ends, 8: r5 ends.
#[test]
fn mindie_reserves_whole_requests() {
    let (steps, outcome) = run(Policy::MindIe(MindIe::default()), LIMITS);
    let expected = [
        step(0, &[(0, 8)], &[], 3),
        step(1, &[(1, 5), (2, 4)], &[], 7),
        step(2, &[], &[0, 1, 2], 7),
        step(3, &[(3, 6)], &[], 7),
        step(4, &[(4, 3)], &[], 7),
        step(5, &[], &[0, 1, 4], 7),
        step(6, &[(5, 4)], &[], 5),
        step(7, &[], &[0, 5], 5),
        step(8, &[], &[5], 2),
    ];
    assert_eq!(steps, expected);
    assert!(outcome.preemptions.iter().all(|count| *count == 0));
}

fn run_of(policy: Policy, limits: Limits, requests: &Requests) -> (Vec<Step>, Outcome) {
    let mut log = Log::default();
    let outcome = simulate_watched(&mut service(policy, limits), requests, &mut log).unwrap();
    (log.0, outcome)
}

/// Nothing is set aside (conservativeness 0), six blocks. r0 has 4 tokens and makes 8, r1 has 8 and makes 8.
/// - 0: r0's prompt (1 block). 1: r1's: 8 + 8 of 20 tokens fit (3 blocks).
/// - 2 to 5: both make four tokens; the first of each begins a block (5 blocks).
/// - 6: both need a block and one is left. Both have made five tokens: r1 has the longer prompt and goes. r0 takes its block:
///   3 blocks. The ratio is now (5 + 20)/(5 + 3), at most 1: r1, 13 + 3 tokens, does not fit into 12 − 3.
/// - 7, 8: r0's last two tokens.
/// - 9: r1 alone: 10 of its 13 tokens (3 blocks), 10: the other 3 (4 blocks). 11, 12: two more tokens.
#[test]
fn sglang_retracts_the_longest_prompt_of_equal_outputs() {
    let mut requests = Requests::default();
    [(4, 8), (8, 8)].iter().for_each(|(input, output)| requests.push(Instant::ZERO, *input, *output));
    let policy = Policy::Sglang(Sglang { conservativeness: 0.0 });
    let (steps, outcome) = run_of(policy, Limits { blocks: 6, ..LIMITS }, &requests);
    let expected = [
        step(0, &[(0, 4)], &[], 1),
        step(1, &[(1, 8)], &[], 3),
        step(2, &[], &[0, 1], 5),
        step(6, &[], &[0], 3),
        step(7, &[], &[0], 3),
        step(8, &[], &[0], 3),
        step(9, &[(1, 10)], &[], 3),
        step(10, &[(1, 3)], &[], 4),
        step(11, &[], &[1], 4),
    ];
    assert_eq!(steps, expected);
    assert_eq!((outcome.preemptions, outcome.prompt_tokens), (vec![0, 1], 4 + 8 + 13));
    assert_eq!(outcome.finishes, [9.0, 13.0].map(Instant::from_seconds));
}

/// r1 came before r2, but eight of r2's twelve tokens are what r0 left in the cache: r2 first, with four tokens, then six of
/// r1's eight.
#[test]
fn sglang_takes_the_longest_cached_prefix_first() {
    let mut requests = Requests::default();
    for (at, input) in [(0.0, 8), (0.5, 8), (0.5, 12)] {
        requests.push(Instant::from_seconds(at), input, 1);
    }
    requests.prefixes = Prefixes { unit: 4, names: vec![1, 2, 5, 6, 1, 2, 3], ends: vec![2, 4, 7] };
    let limits = Limits { prefix_cache: true, ..LIMITS };
    let (steps, outcome) = run_of(Policy::Sglang(Sglang::default()), limits, &requests);
    let expected =
        [step(0, &[(0, 8)], &[], 2), step(1, &[(2, 4), (1, 6)], &[], 5), step(2, &[(1, 2)], &[], 2)];
    assert_eq!(steps, expected);
    assert_eq!(outcome.cached, [0, 0, 8]);
    // vLLM keeps the order of arrival.
    let (steps, _) = run_of(Policy::Vllm, limits, &requests);
    assert_eq!(steps[1], step(1, &[(1, 8), (2, 2)], &[], 5));
}

/// Two requests at once and one at 9 s, each 2 s with the process that takes them one by one and 1 s elsewhere: at the
/// scheduler after 3, 5 and, nothing being in its way, 3 s.
#[test]
fn the_front_end_takes_one_request_after_the_other() {
    let mut requests = Requests::default();
    [0.0, 0.0, 9.0].iter().for_each(|at| requests.push(Instant::from_seconds(*at), 4, 1));
    let mut service = service(Policy::Vllm, LIMITS);
    service.front = Front { alone: 1.0, each: 0.0, serial: 2.0 };
    let outcome = simulate_watched(&mut service, &requests, &mut Log::default()).unwrap();
    assert_eq!(outcome.starts, [3.0, 5.0, 12.0].map(Instant::from_seconds));
}

/// Two stages: 2 s in each where a step holds a prompt, else 1 s.
struct TwoStages;

impl StepTimes for TwoStages {
    fn step(&mut self, _: &Batch) -> Result<StepTime, Refusal> {
        Ok(StepTime { latency: 4.0, interval: 2.0, energy: 6.0 })
    }
    fn decode(&mut self, _: u32, _: f64) -> Result<Line, Refusal> {
        let now = StepTime { latency: 2.0, interval: 1.0, energy: 1.0 };
        Ok(Line { now, slope: StepTime::default(), room: f64::INFINITY })
    }
}

/// r0 (3 tokens) comes at 0, r1 (1 token) at 1 s to the other slot; first stage, second stage:
/// - r0's prompt: 0 to 2, 2 to 4: its first token.
/// - r1's prompt: 2 to 4, 4 to 6: its only token. (It does not wait for r0's whole latency, which would make it 8.)
/// - r0's second token: 4 to 5, and, when r1 has left, 6 to 7. Its third: 7 to 8, 8 to 9.
///
/// The replica is busy from 0 to 9.
#[test]
fn slots_follow_each_other_stage_by_stage() {
    let mut requests = Requests::default();
    requests.push(Instant::ZERO, 4, 3);
    requests.push(Instant::from_seconds(1.0), 4, 1);
    let mut service = service(Policy::Vllm, LIMITS);
    (service.pools[0].stages, service.pools[0].times) = (2, Box::new(TwoStages));
    service.routing = Routing::RoundRobin;
    let mut log = Log::default();
    let outcome = simulate_watched(&mut service, &requests, &mut log).unwrap();
    assert_eq!(outcome.first_tokens, [4.0, 6.0].map(Instant::from_seconds));
    assert_eq!(outcome.finishes, [9.0, 6.0].map(Instant::from_seconds));
    assert_eq!((outcome.steps, outcome.busy[0], outcome.energy[0]), (4, 9.0, 6.0 + 6.0 + 1.0 + 1.0));
    assert_eq!(log.0.iter().map(|step| step.at).collect::<Vec<_>>(), [0, 1, 4, 7]);
}
