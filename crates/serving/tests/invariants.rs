//! What must hold whatever is served, and closed forms where there are any.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use proptest::prelude::*;
use vitruvian_event::Instant;
use vitruvian_serving::scheduler::{MindIe, Sglang};
use vitruvian_serving::series::Figure;
use vitruvian_serving::trace::Columns;
use vitruvian_serving::transfer::Transfer;
use vitruvian_serving::workload::{Arrivals, Lengths, Sharing, Workload};
use vitruvian_serving::{
    Census, FirstToken, Front, Level, Limits, LinearTimes, Outcome, Policy, Pool, Requests, Role, Routing,
    Service, Speculation, State, StepRecord, Watch, measures, simulate, simulate_watched,
};

const LIMITS: Limits = Limits {
    batched_tokens: 256,
    sequences: 16,
    block: 16,
    blocks: 120,
    fixed_blocks: 0,
    prefix_cache: true,
    reserve: false,
};

/// About an accelerator: 5 ms a step, 50 µs a prompt token, 1 µs a cached token.
const TIMES: LinearTimes =
    LinearTimes { step: 5e-3, token: 50e-6, pair: 1e-9, sequence: 20e-6, context: 1e-7, power: 300.0 };

fn pool(role: Role, replicas: u32, policy: Policy, limits: Limits, times: LinearTimes) -> Pool<'static> {
    Pool { role, replicas, groups: 1, stages: 1, policy, limits, speculation: None, times: Box::new(times) }
}

fn service(pools: Vec<Pool<'static>>) -> Service<'static> {
    Service {
        pools,
        routing: Routing::LeastLoaded,
        transfer: Transfer { bandwidth: 1e9, token: 1e5, layers: 8, ..Transfer::default() },
        first_token: FirstToken::Decode,
        front: Front::default(),
        context: 100_000,
        seed: 1,
    }
}

/// The shapes of services that the properties run through.
fn shaped(shape: u8, policy: Policy) -> Service<'static> {
    let whole = |replicas| pool(Role::Whole, replicas, policy, LIMITS, TIMES);
    match shape {
        0 => service(vec![whole(1)]),
        1 => Service { routing: Routing::PrefixAware, ..service(vec![whole(3)]) },
        2 => service(vec![Pool { groups: 2, stages: 2, ..whole(1) }]),
        3 => service(vec![Pool { speculation: Some(Speculation::uniform(3, 0.7)), ..whole(1) }]),
        _ => service(vec![
            pool(Role::Prefill, 2, policy, LIMITS, TIMES),
            pool(Role::Decode, 1, policy, LIMITS, TIMES),
        ]),
    }
}

fn policy(index: u8) -> Policy {
    match index {
        0 => Policy::Vllm,
        1 => Policy::Sglang(Sglang::default()),
        2 => Policy::VllmV0,
        _ => Policy::MindIe(MindIe {
            select_batch: (index == 4).then_some([150.0, 50.0]),
            ..MindIe::default()
        }),
    }
}

fn traffic(count: u32, rate: f64, seed: u64) -> Requests {
    Workload {
        requests: count,
        arrivals: Arrivals::Gamma { rate, cv: 1.5 },
        lengths: Lengths::LogNormal { input: 120.0, output: 30.0, sigma: [0.8, 0.7], most: [1500, 400] },
        sharing: Some(Sharing { groups: 3, tokens: 64, unit: 32 }),
        seed,
    }
    .draw()
}

/// Checks what must hold at every step and after every event.
#[derive(Default)]
struct Inspector {
    last: Instant,
    lanes: std::collections::BTreeMap<(usize, usize, usize), Instant>,
}

impl Watch for Inspector {
    const STEPS: bool = true;
    const CENSUS: bool = true;

    fn step(&mut self, record: &StepRecord<'_>) {
        // Blocks: free + used + cached = capacity.
        assert!(record.blocks_used + record.blocks_cached <= record.blocks, "{record:?}");
        assert!(record.from >= self.last && record.to > record.from && record.steps >= 1);
        // A lane does one thing at a time; a run may have been cut short since it was shown.
        let free = self.lanes.insert((record.pool, record.replica, record.lane), record.from);
        assert!(free.is_none_or(|before| before < record.from));
        let tokens: u32 = record.chunks.iter().map(|chunk| chunk.new).sum();
        assert!(tokens <= LIMITS.batched_tokens || record.chunks.len() == 1);
        assert!(record.running.len() <= LIMITS.sequences as usize);
    }

    fn census(&mut self, now: Instant, census: &Census) {
        assert!(now >= self.last);
        self.last = now;
        assert!(census.balances(), "{census:?}");
    }
}

fn inspected(service: &mut Service<'_>, requests: &Requests) -> Outcome {
    simulate_watched(service, requests, &mut Inspector::default()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_request_is_answered_once_and_in_order(seed in 0u64..1000, index in 0u8..5, shape in 0u8..5, rate in 1.0f64..200.0) {
        let requests = traffic(120, rate, seed);
        let outcome = inspected(&mut shaped(shape, policy(index)), &requests);
        prop_assert_eq!(outcome.count(State::Unfinished), 0);
        for id in 0..requests.len() {
            if outcome.states[id] == State::Rejected {
                continue;
            }
            prop_assert!(outcome.arrivals[id] <= outcome.starts[id]);
            // No token before the least that its computation takes: one step.
            prop_assert!((outcome.first_tokens[id] - outcome.starts[id]).seconds() >= TIMES.step - 1e-9);
            prop_assert!(outcome.first_tokens[id] <= outcome.finishes[id]);
            prop_assert!(outcome.finishes[id] <= outcome.end);
            prop_assert!(outcome.cached[id] < requests.inputs[id]);
        }
    }

    #[test]
    fn prompt_tokens_are_computed_or_cached(seed in 0u64..1000, index in 0u8..4, rate in 1.0f64..100.0) {
        let requests = traffic(100, rate, seed);
        let roomy = Limits { blocks: 100_000, ..LIMITS };
        let mut service = service(vec![pool(Role::Whole, 1, policy(index), roomy, TIMES)]);
        let outcome = inspected(&mut service, &requests);
        let all: u64 = requests.inputs.iter().map(|n| u64::from(*n)).sum();
        let cached: u64 = outcome.cached.iter().map(|n| u64::from(*n)).sum();
        prop_assert!(outcome.preemptions.iter().all(|count| *count == 0));
        prop_assert_eq!(outcome.prompt_tokens + cached, all);
        prop_assert!(cached > 0);
        // Little's law for the queue alone: ∫ waiting dt = Σ waits.
        let waits: f64 = (0..requests.len()).map(|id| outcome.queued(id)).sum();
        prop_assert!((outcome.waiting - waits).abs() < 1e-6 * waits.max(1e-3), "{} {waits}", outcome.waiting);
    }

    #[test]
    fn littles_law_holds(seed in 0u64..1000, index in 0u8..4, rate in 5.0f64..100.0) {
        let requests = traffic(200, rate, seed);
        let outcome = simulate(&mut shaped(0, policy(index)), &requests).unwrap();
        // ∫ L dt = Σ W, over the run from an empty service to an empty one.
        let stays: f64 = (0..requests.len())
            .filter(|id| outcome.states[*id] == State::Finished)
            .map(|id| outcome.e2e(id))
            .sum();
        prop_assert!((outcome.present / stays - 1.0).abs() < 1e-6, "{} {stays}", outcome.present);
    }

    #[test]
    fn the_same_seed_gives_the_same_and_energy_is_power_times_time(seed in 0u64..1000, index in 0u8..4, shape in 0u8..5) {
        let requests = traffic(80, 40.0, seed);
        let run = || simulate(&mut shaped(shape, policy(index)), &requests).unwrap();
        let (one, other) = (run(), run());
        prop_assert_eq!(&one.finishes, &other.finishes);
        prop_assert_eq!(&one.first_tokens, &other.first_tokens);
        prop_assert_eq!(&one.series, &other.series);
        let seconds: f64 = one.busy.iter().sum();
        let replicas = if shape == 1 || shape == 4 { 3.0 } else { 1.0 };
        prop_assert!(seconds <= one.end.seconds() * replicas * (1.0 + 1e-9));
        if matches!(shape, 0 | 1 | 4) {
            prop_assert!((one.energy.iter().sum::<f64>() / (300.0 * seconds) - 1.0).abs() < 1e-6);
        }
        prop_assert!((one.series.total(Figure::Busy) / seconds - 1.0).abs() < 1e-6);
    }

    #[test]
    fn advancing_steps_together_changes_nothing(seed in 0u64..1000, index in 0u8..4, rate in 1.0f64..60.0) {
        /// The same times, told one step at a time.
        struct OneByOne(LinearTimes);
        impl vitruvian_serving::StepTimes for OneByOne {
            fn step(&mut self, batch: &vitruvian_serving::Batch) -> Result<vitruvian_serving::StepTime, vitruvian_cost::Refusal> {
                self.0.step(batch)
            }
            fn decode(&mut self, sequences: u32, context: f64) -> Result<vitruvian_serving::Line, vitruvian_cost::Refusal> {
                Ok(vitruvian_serving::Line { room: 1.0, ..self.0.decode(sequences, context)? })
            }
        }
        let requests = traffic(60, rate, seed);
        let together = simulate(&mut shaped(0, policy(index)), &requests).unwrap();
        let mut single = shaped(0, policy(index));
        single.pools[0].times = Box::new(OneByOne(TIMES));
        let single = simulate(&mut single, &requests).unwrap();
        prop_assert_eq!(together.steps, single.steps);
        for id in 0..requests.len() {
            // Each run rounds once to a picosecond.
            let apart = (together.finishes[id].seconds() - single.finishes[id].seconds()).abs();
            prop_assert!(apart < 1e-12 * together.steps as f64 + 1e-12, "{apart}");
        }
    }
}

/// One request at a time, a constant service time D: an M/D/1 queue. Mean wait ρ·D / (2(1 − ρ)) (Pollaczek–Khinchine).
#[test]
fn a_single_server_waits_as_m_d_1() {
    let (service_time, load) = (0.1, 0.7);
    let limits = Limits { sequences: 1, prefix_cache: false, ..LIMITS };
    let times = LinearTimes { step: service_time, ..LinearTimes::default() };
    let requests = Workload {
        requests: 200_000,
        arrivals: Arrivals::Poisson { rate: load / service_time },
        lengths: Lengths::Fixed { input: 10, output: 1 },
        sharing: None,
        seed: 3,
    }
    .draw();
    let outcome =
        simulate(&mut service(vec![pool(Role::Whole, 1, Policy::Vllm, limits, times)]), &requests).unwrap();
    let found = measures(&outcome, &requests, &Level::default(), 0);
    let expected = load * service_time / (2.0 * (1.0 - load));
    assert!((found.queue.mean / expected - 1.0).abs() < 0.03, "{} against {expected}", found.queue.mean);
    assert!((outcome.busy[0] / outcome.end.seconds() / load - 1.0).abs() < 0.01);
    // Without preemption the first to come is the first to start.
    assert!(outcome.starts.windows(2).all(|pair| pair[0] <= pair[1]));
}

/// Common random numbers: the same requests, sooner.
#[test]
fn waiting_grows_with_the_rate() {
    let wait = |rate: f64| {
        let requests = traffic(400, 1.0, 9).sped_up(rate);
        let outcome = simulate(&mut shaped(0, Policy::Vllm), &requests).unwrap();
        measures(&outcome, &requests, &Level::default(), 0).ttft.mean
    };
    let waits = [1.0, 4.0, 8.0, 16.0, 32.0].map(wait);
    assert!(waits.windows(2).all(|pair| pair[0] <= pair[1] * 1.02), "{waits:?}");
}

/// Eight equal requests at once: prompts of 100 in steps of 256, then 20 decode steps of eight.
#[test]
fn equal_requests_follow_the_closed_form() {
    let times = LinearTimes { step: 1e-2, token: 1e-4, ..LinearTimes::default() };
    let roomy = Limits { blocks: 1000, prefix_cache: false, ..LIMITS };
    let mut requests = Requests::default();
    (0..8).for_each(|_| requests.push(Instant::ZERO, 100, 21));
    let mut sglang = service(vec![pool(Role::Whole, 1, Policy::Sglang(Sglang::default()), roomy, times)]);
    let outcome = simulate(&mut sglang, &requests).unwrap();
    // The first alone (0.01 + 0.01); 700 tokens in chunks of 256, 256, 188; 20 steps of 0.01.
    let expected = 0.02 + 3.0 * 0.01 + 700.0 * 1e-4 + 20.0 * 0.01;
    assert!((outcome.end.seconds() - expected).abs() < 1e-9, "{}", outcome.end.seconds());
}

/// A cache that is used again is not computed again, and a prefix-aware router finds it.
#[test]
fn shared_prefixes_are_found_where_they_are() {
    let requests = Workload {
        requests: 400,
        arrivals: Arrivals::Poisson { rate: 20.0 },
        lengths: Lengths::Fixed { input: 640, output: 8 },
        sharing: Some(Sharing { groups: 8, tokens: 512, unit: 128 }),
        seed: 4,
    }
    .draw();
    let roomy = Limits { blocks: 400, batched_tokens: 2048, ..LIMITS };
    let hit = |routing| {
        let mut service = service(vec![pool(Role::Whole, 4, Policy::Vllm, roomy, TIMES)]);
        service.routing = routing;
        let outcome = simulate(&mut service, &requests).unwrap();
        measures(&outcome, &requests, &Level::default(), 0).cache_hit
    };
    let (aware, blind) = (hit(Routing::PrefixAware), hit(Routing::RoundRobin));
    // All but the first of a group on one lane find 512 of 640 tokens: at most 0.8.
    assert!(aware > 0.7 && aware <= 0.8, "{aware}");
    assert!(aware > blind, "{aware} {blind}");
}

/// λ·s_in is prefill's work: with the cache moved at 0.1 s, TTFT is prompt plus transfer.
#[test]
fn a_moved_cache_shows_in_the_first_token() {
    let times = LinearTimes { step: 1e-2, token: 1e-4, ..LinearTimes::default() };
    let mut requests = Requests::default();
    requests.push(Instant::ZERO, 100, 5);
    let roomy = Limits { blocks: 1000, prefix_cache: false, ..LIMITS };
    let run = |first_token| {
        let pools = vec![
            pool(Role::Prefill, 1, Policy::Vllm, roomy, times),
            pool(Role::Decode, 1, Policy::Vllm, roomy, times),
        ];
        // 100 tokens · 1 MB / 1 GB/s = 0.1 s.
        let transfer = Transfer { bandwidth: 1e9, token: 1e6, layers: 1, ..Transfer::default() };
        let mut service = Service { transfer, first_token, ..service(pools) };
        let outcome = simulate(&mut service, &requests).unwrap();
        (outcome.ttft(0), outcome.e2e(0))
    };
    let near = |found: (f64, f64), expected: (f64, f64)| {
        assert!((found.0 - expected.0).abs() < 1e-9 && (found.1 - expected.1).abs() < 1e-9, "{found:?}");
    };
    // Prompt 0.02 s, transfer 0.1 s, four steps of 0.01 s.
    near(run(FirstToken::Decode), (0.12, 0.16));
    near(run(FirstToken::Prefill), (0.02, 0.16));
}

#[test]
fn what_fits_nowhere_is_turned_away() {
    let mut requests = Requests::default();
    [(5000, 1), (100, 5), (10, 3000)].iter().for_each(|(i, o)| requests.push(Instant::ZERO, *i, *o));
    let outcome = inspected(&mut shaped(0, Policy::Vllm), &requests);
    assert_eq!(outcome.states, [State::Rejected, State::Finished, State::Rejected]);
}

#[test]
fn columns_say_what_they_lack() {
    assert!("time=t,input=i".parse::<Columns>().unwrap_err().contains("output"));
    assert!("time".parse::<Columns>().is_err() && "when=t".parse::<Columns>().is_err());
}
