//! Plans: what must hold of them whatever the figures, and closed forms where there are any.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use vitruvian::plan::answer::{PlanAnswer, PlanRow};
use vitruvian::plan::{Chips, Confirm, PlanStudy, Rate, Split, plan};
use vitruvian::study::{Input, Service};
use vitruvian_quantity::Seconds;

fn study(chips: &[(&str, u32)]) -> PlanStudy {
    let chips =
        chips.iter().map(|(name, count)| Chips { chip: Input::Name((*name).to_owned()), count: *count });
    PlanStudy {
        chips: chips.collect(),
        service: Service {
            model: Input::Name("llama-3.1-70b".to_owned()),
            input_tokens: 4096,
            output_tokens: 512,
            ..Service::default()
        },
        rate: None,
        trace: None,
        ttft: Some(Seconds::new(2.0)),
        tpot: Some(Seconds::new(0.05)),
        attainment: 0.9,
        objective: None,
        most: 10,
        split: Split::Both,
        confirm: None,
    }
}

fn answer(study: &PlanStudy) -> PlanAnswer {
    plan(study, false).unwrap().answer
}

fn best(study: &PlanStudy) -> PlanRow {
    answer(study).plans.swap_remove(0)
}

const MIXED: [(&str, u32); 2] = [("h20", 4), ("ascend-910b2", 4)];

#[test]
fn no_plan_uses_more_chips_than_there_are_or_loads_a_pool_beyond_its_capacity() {
    for plan in answer(&study(&MIXED)).plans {
        for (chip, count) in MIXED {
            let used: u32 = plan.pools.iter().filter(|pool| pool.chip == chip).map(|pool| pool.chips).sum();
            assert!(used <= count, "{}: {used} × {chip}", plan.name);
        }
        for pool in &plan.pools {
            assert!(pool.load > 0.0 && pool.load <= 1.0 + 1e-9, "{}: load {}", plan.name, pool.load);
        }
    }
}

#[test]
fn every_target_is_kept_by_every_plan() {
    for plan in answer(&study(&MIXED)).plans {
        assert!(plan.analytic.ttft_ms.p50 <= 2000.0 && plan.analytic.tpot_ms.p50 <= 50.0, "{}", plan.name);
    }
}

#[test]
fn more_chips_and_looser_targets_never_carry_less() {
    let capacity = |study: &PlanStudy| best(study).analytic.capacity_per_s.p50;
    let (four, eight) = (capacity(&study(&[("h20", 4)])), capacity(&study(&[("h20", 8)])));
    assert!(eight >= four, "{eight} on eight, {four} on four");
    let both = capacity(&study(&MIXED));
    assert!(both >= four, "{both} with Ascend beside, {four} without");
    let mut loose = study(&MIXED);
    (loose.ttft, loose.tpot) = (Some(Seconds::new(4.0)), Some(Seconds::new(0.1)));
    assert!(capacity(&loose) >= both);
}

#[test]
fn the_cache_of_a_prompt_is_that_of_all_layers() {
    // 80 layers · 2 · 8 heads · 128 · 2 B · 4096 tokens = 1.3422 GB
    let mut question = study(&MIXED);
    question.split = Split::Disaggregated;
    let transfer = best(&question).transfer.unwrap();
    assert!((transfer.bytes / 1.342_177_28e9 - 1.0).abs() < 1e-9, "{}", transfer.bytes);
    // Between makers it leaves the node: no faster than the four 200 Gb/s ports of 910B2 together.
    assert!(
        transfer.leaves_node && transfer.time_ms >= 1.342e9 / (4.0 * 25e9) * 1e3,
        "{} ms",
        transfer.time_ms
    );
}

#[test]
fn a_rate_is_served_with_no_more_chips_than_the_most() {
    let most = best(&study(&MIXED));
    let mut question = study(&MIXED);
    question.objective = Some("cost".to_owned());
    question.rate = Some(Rate::PerSecond(most.analytic.capacity_per_s.p50 / 4.0));
    let cheap = best(&question);
    assert_eq!(
        Some(cheap.analytic.rate_per_s),
        question.rate.map(|rate| match rate {
            Rate::PerSecond(rate) => rate,
            Rate::Most => f64::NAN,
        })
    );
    assert!(cheap.analytic.capacity_per_s.p50 >= cheap.analytic.rate_per_s);
    assert!(cheap.chips < most.chips, "{} for a quarter, {} for all", cheap.chips, most.chips);
}

#[test]
fn a_rate_that_nothing_carries_names_what_carries_most() {
    let mut question = study(&MIXED);
    question.rate = Some(Rate::PerSecond(1000.0));
    let found = answer(&question);
    assert!(found.plans.is_empty());
    assert!(found.closest[0].starts_with("Nothing carries 1000 requests/s"), "{:?}", found.closest);
}

#[test]
fn ascend_pairs_obey_their_connector() {
    // MooncakeConnectorV1: the TP degree of prefill is a multiple of decode's, and decode has no pipeline stages.
    let mut question = study(&[("ascend-910b2", 16)]);
    (question.split, question.most) = (Split::Disaggregated, 100);
    let plans = answer(&question).plans;
    assert!(plans.len() > 3);
    let tp = |layout: &str| {
        let degree = layout.split(' ').find_map(|part| part.strip_prefix("TP"));
        degree.map_or(1, |degree| degree.parse::<u32>().unwrap())
    };
    for plan in plans {
        let [prefill, decode] = &plan.pools[..] else { panic!("two pools") };
        assert!(tp(&prefill.layout).is_multiple_of(tp(&decode.layout)), "{}", plan.name);
        assert!(!decode.layout.contains("PP"), "{}", plan.name);
    }
}

#[test]
fn a_model_that_fits_nowhere_names_the_nearest_that_it_fits() {
    // 671 GB in FP8 over 0.9 · 102.6 GB a chip: 7.3, so eight.
    let mut question = study(&[("h20", 2)]);
    question.service.model = Input::Name("deepseek-v3".to_owned());
    let found = answer(&question);
    assert!(found.plans.is_empty());
    assert!(
        found.closest[0].contains("the nearest that does is 8 × NVIDIA H20 96 GB"),
        "{:?}",
        found.closest
    );
}

fn confirmed() -> PlanStudy {
    PlanStudy { confirm: Some(Confirm { requests: 400, seed: 1 }), ..study(&MIXED) }
}

#[test]
fn the_simulation_keeps_the_share_of_requests_that_is_asked() {
    let found = answer(&confirmed());
    assert!(found.search.simulations > 0);
    for plan in &found.plans {
        let simulated = plan.simulated.as_ref().unwrap();
        assert!(simulated.attainment >= 0.9, "{}: {}", plan.name, simulated.attainment);
        assert_eq!(simulated.goodput_per_s, Some(simulated.rate_per_s));
    }
    let goodputs: Vec<f64> =
        found.plans.iter().filter_map(|plan| plan.simulated.as_ref()?.goodput_per_s).collect();
    assert!(goodputs.is_sorted_by(|a, b| a >= b), "best first: {goodputs:?}");
}

#[test]
fn analytic_capacity_and_simulated_goodput_agree_without_pipelines() {
    // Two models of one service that share only step times: queues in closed form against requests one by one.
    for plan in answer(&confirmed()).plans {
        let pipelined = plan.pools.iter().any(|pool| pool.layout.contains("PP"));
        let ratio =
            plan.simulated.as_ref().unwrap().goodput_per_s.unwrap() / plan.analytic.capacity_per_s.p50;
        // With stages, chunks of one prompt do not follow each other in simulation (DEVIATIONS D30).
        assert!(pipelined || (ratio > 0.6 && ratio < 1.4), "{}: {ratio:.2}", plan.name);
    }
}

#[test]
fn the_same_question_has_the_same_answer() {
    assert_eq!(answer(&confirmed()), answer(&confirmed()));
}

#[test]
fn the_best_plan_can_be_launched() {
    let launch = plan(&study(&MIXED), true).unwrap().launch.unwrap();
    let files = vitruvian_report::launch::files(&launch);
    assert!(files.iter().any(|file| file.name == "kubernetes.yaml"));
    let chips: u32 = launch.parts.iter().map(|part| part.degrees.chips() * part.replicas).sum();
    assert_eq!(chips, best(&study(&MIXED)).chips);
}

#[test]
fn an_engine_without_launch_files_is_told() {
    let mut question = study(&[("h20", 4)]);
    question.service.engine = Some("tensorrt-llm".to_owned());
    assert!(plan(&question, false).is_ok());
    let refused = plan(&question, true).unwrap_err();
    assert_eq!(refused.0[0].code, "emit-engine");
}
