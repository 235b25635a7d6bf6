//! Simulated deployments as a whole: what every answer must satisfy, and what options must do.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use vitruvian::simulate::{Arriving, Made, PoolStudy, RoleName, Simulated, Traffic, simulate};
use vitruvian::study::{Degrees, Input, Service};
use vitruvian::{SimulateAnswer, SimulateStudy};
use vitruvian_quantity::Seconds;

fn pool(role: RoleName, chip: &str, chips: u32, tp: u32) -> PoolStudy {
    PoolStudy {
        role,
        chip: Input::Name(chip.to_owned()),
        chips,
        layout: Some(Degrees { tp, ..Degrees::default() }),
        ..PoolStudy::default()
    }
}

/// 200 requests of 1000 and 100 tokens on pools of Qwen3-32B.
fn study(pools: Vec<PoolStudy>, arriving: Arriving) -> SimulateStudy {
    SimulateStudy {
        service: Service {
            model: Input::Name("qwen3-32b".to_owned()),
            input_tokens: 1000,
            output_tokens: 100,
            ..Service::default()
        },
        pools,
        traffic: Traffic::Made(Made {
            requests: 200,
            arriving,
            range_ratio: Some(0.5),
            length_sigma: None,
            lengths_of: None,
            shared: None,
        }),
        ..SimulateStudy::default()
    }
}

fn run(study: &SimulateStudy) -> Simulated {
    simulate(study, &mut |_, _| true).unwrap()
}

fn h20() -> Vec<PoolStudy> {
    vec![pool(RoleName::Whole, "h20", 2, 2)]
}

fn json(answer: &SimulateAnswer) -> String {
    serde_json::to_string(answer).unwrap()
}

#[test]
fn the_same_question_has_the_same_answer_to_the_byte() {
    let study = study(h20(), Arriving::Gamma(2.0, 1.5));
    assert_eq!(json(&run(&study).answer), json(&run(&study).answer));
    let other = SimulateStudy { seed: 1, ..study.clone() };
    assert_ne!(json(&run(&study).answer), json(&run(&other).answer));
}

#[test]
fn figures_agree_with_each_other() {
    let study = SimulateStudy {
        ttft: Some(Seconds::new(0.4)),
        tpot: Some(Seconds::new(0.05)),
        ..study(h20(), Arriving::Poisson(3.0))
    };
    let answer = run(&study).answer;
    assert_eq!((answer.requests, answer.finished), (200, 200));
    assert!(answer.goodput_per_s <= answer.requests_per_s && answer.slo_attainment <= 1.0);
    assert!(answer.ttft_ms.p50 <= answer.ttft_ms.p90 && answer.ttft_ms.p90 <= answer.ttft_ms.p99);
    // Energy is at least that of idle chips, and no more than that of chips at their cap.
    let chip = vitruvian_hardware::catalog::chip("h20").unwrap();
    let chip_seconds = 2.0 * answer.duration_s;
    assert!(answer.chip_energy_j >= chip.power.active_idle.get() * chip_seconds);
    assert!(answer.chip_energy_j <= chip.power.cap.get() * chip_seconds * 1.02);
    assert!(answer.energy_j > answer.chip_energy_j);
    // All tokens that were made are in the series: rate × width.
    let made: f64 = answer.series.output_tokens_per_s.iter().sum::<f64>() * answer.series.bucket_s;
    let told = answer.output_tokens_per_s * answer.duration_s;
    assert!((made / told - 1.0).abs() < 1e-6, "{made} {told}");
    // Little's law: L = λ · W, over the whole run.
    let little = answer.requests_per_s * answer.e2e_ms.mean / 1e3;
    assert!((answer.mean_in_flight / little - 1.0).abs() < 0.05, "{} {little}", answer.mean_in_flight);
}

#[test]
fn a_run_that_is_stopped_says_so() {
    let study = study(h20(), Arriving::Poisson(3.0));
    let faults = simulate(&study, &mut |finished, _| finished < 10).err().unwrap();
    assert_eq!(faults.0[0].code, "stopped");
}

#[test]
fn two_kinds_of_chips_serve_together_either_way_round() {
    let between = |from: &str, to: &str| {
        let pools = vec![pool(RoleName::Prefill, from, 4, 4), pool(RoleName::Decode, to, 4, 4)];
        run(&study(pools, Arriving::Poisson(1.0))).answer
    };
    let (one, other) = (between("h20", "ascend-910b2"), between("ascend-910b2", "h20"));
    assert_eq!((one.finished, other.finished), (200, 200));
    // Prompts are bound by the matrix unit, of which a 910B2 has two and a half times as much; tokens by memory, where the
    // H20 has two and a half times as much.
    assert!(other.tpot_ms.mean < one.tpot_ms.mean, "{} {}", other.tpot_ms.mean, one.tpot_ms.mean);
    let whole = SimulateStudy {
        whole_transfer: true,
        ..study(
            vec![pool(RoleName::Prefill, "h20", 4, 4), pool(RoleName::Decode, "ascend-910b2", 4, 4)],
            Arriving::Poisson(1.0),
        )
    };
    // A cache that leaves layer by layer arrives sooner.
    assert!(run(&whole).answer.ttft_ms.mean > one.ttft_ms.mean);
}

#[test]
fn drafts_help_where_there_is_room_and_cost_where_there_is_none() {
    let tokens = |speculation: Option<&str>, clients| {
        let study = SimulateStudy {
            speculation: speculation.map(str::to_owned),
            ..study(h20(), Arriving::Closed(clients, 0.0))
        };
        run(&study).answer.output_tokens_per_s
    };
    assert!(tokens(Some("2:0.7"), 1) > 1.3 * tokens(None, 1));
    // Drafts that are never accepted only cost.
    assert!(tokens(Some("2:0"), 32) < tokens(None, 32));
    let gain = |clients| tokens(Some("2:0.7"), clients) / tokens(None, clients);
    assert!(gain(100) < gain(1));
}

#[test]
fn recorded_steps_of_a_lane_follow_each_other() {
    let study = SimulateStudy { steps: true, ..study(h20(), Arriving::Poisson(3.0)) };
    let steps = run(&study).steps.unwrap();
    assert!(steps.slices.len() > 200 && steps.slices.iter().all(|slice| slice.track.0 == 0));
    assert!(steps.slices.iter().all(|slice| slice.from <= slice.to));
    assert!(steps.slices.windows(2).all(|pair| pair[0].to <= pair[1].from));
}

#[test]
fn shared_beginnings_are_computed_once() {
    let made = Made {
        requests: 200,
        arriving: Arriving::Poisson(2.0),
        range_ratio: None,
        length_sigma: None,
        lengths_of: None,
        shared: Some([2, 768]),
    };
    let with = SimulateStudy { traffic: Traffic::Made(made), ..study(h20(), Arriving::Burst) };
    let without = SimulateStudy { no_prefix_cache: true, ..with.clone() };
    let (with, without) = (run(&with).answer, run(&without).answer);
    // All but the first two requests find 768 of 1000 tokens.
    assert!((with.cache_hit_rate - 0.768 * 198.0 / 200.0).abs() < 0.02, "{}", with.cache_hit_rate);
    assert_eq!(without.cache_hit_rate, 0.0);
    assert!(with.ttft_ms.mean < without.ttft_ms.mean);
}
