//! Answers agree with themselves: censuses add up, ranges are ordered, rates obey Little's law, energy its floor.

use std::sync::OnceLock;

use serde_json::Value;
use vitruvian::CompareStudy;
use vitruvian::answer::{ChipAnswer, CompareAnswer, Deployment};
use vitruvian::study::Phase;
use vitruvian_hardware::catalog;

use crate::question::{compare, comparison, deployment, estimate, name};

const PAIR: [&str; 2] = ["h20", "ascend-910b2"];

/// Questions about different kinds of model on chips of both makers, answered once for all tests.
fn answers() -> &'static [CompareAnswer] {
    static ANSWERS: OnceLock<Vec<CompareAnswer>> = OnceLock::new();
    ANSWERS.get_or_init(|| {
        let models = [("qwen3-32b", 8), ("deepseek-v3", 16), ("gpt-oss-120b", 4), ("qwen3.5-35b-a3b", 2)];
        models
            .map(|(model, count)| compare(&CompareStudy { all: true, count, ..comparison(model, &PAIR) }))
            .into()
    })
}

fn best(answers: &[CompareAnswer]) -> impl Iterator<Item = (&CompareAnswer, &ChipAnswer, &Deployment)> {
    let chips = answers.iter().flat_map(|answer| answer.chips.iter().map(move |chip| (answer, chip)));
    chips.filter_map(|(answer, chip)| chip.best.as_ref().map(|best| (answer, chip, best)))
}

#[test]
fn the_census_adds_up_and_lists_every_candidate() {
    for chip in answers().iter().flat_map(|answer| &answer.chips) {
        let search = &chip.search;
        let fallen: u64 = search.fell.iter().map(|fell| fell.count).sum();
        assert_eq!(search.front + fallen, search.candidates, "{}", chip.chip);
        assert_eq!(search.all.len() as u64, search.candidates, "{}", chip.chip);
        for fell in &search.fell {
            let listed = search.all.iter().filter(|row| row.verdict == fell.reason).count();
            assert_eq!(listed as u64, fell.count, "{}: {}", chip.chip, fell.reason);
        }
    }
}

#[test]
fn listing_every_candidate_changes_neither_the_best_nor_the_front() {
    let mut study = comparison("qwen3-32b", &PAIR);
    let without = compare(&study);
    study.all = true;
    for (with, without) in compare(&study).chips.iter().zip(&without.chips) {
        assert_eq!(with.best, without.best);
        assert_eq!(with.front, without.front);
    }
}

#[test]
fn the_best_is_the_fastest_of_all_that_meet_the_targets() {
    for (answer, chip, best) in best(answers()) {
        let question = &answer.question;
        let meets =
            |time: Option<f64>, target: Option<f64>| time.is_some_and(|t| target.is_none_or(|m| t <= m));
        let able = chip
            .search
            .all
            .iter()
            .filter(|row| meets(row.ttft_ms, question.ttft_ms) && meets(row.tpot_ms, question.tpot_ms));
        let fastest = able.filter_map(|row| row.output_tokens_per_s).fold(0.0, f64::max);
        assert_eq!(best.output_tokens_per_s.p50, fastest, "{}", chip.chip);
    }
}

#[test]
fn no_point_of_a_front_beats_another() {
    for chip in answers().iter().flat_map(|answer| &answer.chips) {
        for pair in chip.front.windows(2) {
            assert!(pair[0].output_tokens_per_s_per_chip > pair[1].output_tokens_per_s_per_chip);
            assert!(pair[0].output_tokens_per_s_per_user < pair[1].output_tokens_per_s_per_user);
        }
    }
}

#[test]
fn ranges_are_ordered_and_no_figure_is_missing() {
    for answer in answers() {
        check(&serde_json::to_value(answer).unwrap(), "$");
    }
}

/// Every object with `p50` has P10 ≤ P50 ≤ P90; a figure that is not a number would be written as null.
fn check(value: &Value, at: &str) {
    let may_be_absent =
        ["best", "closest", "deployment", "nearest", "extends", "ttft_ms", "tpot_ms", "output_tokens_per_s"];
    match value {
        Value::Object(map) => {
            if let (Some(low), Some(mid), Some(high)) = (map.get("p10"), map.get("p50"), map.get("p90")) {
                let [low, mid, high] = [low, mid, high].map(|v| v.as_f64().unwrap());
                assert!(0.0 <= low && low <= mid && mid <= high, "{at}: {low} {mid} {high}");
            }
            map.iter().for_each(|(key, value)| check(value, &format!("{at}.{key}")));
        }
        Value::Array(all) => all.iter().for_each(|value| check(value, at)),
        Value::Null => {
            let rows = at.contains(".search.all.");
            assert!(rows || may_be_absent.iter().any(|key| at.ends_with(key)), "{at} is null");
        }
        _ => {}
    }
}

#[test]
fn requests_in_decode_are_rate_times_stay() {
    // Little's law: N = λ · (OSL − 1) · TPOT. A batch that pipeline and data-parallel groups do not share out equally
    // runs up to one sequence more in each.
    for (answer, chip, best) in best(answers()) {
        let stay = best.tpot_ms.p50 / 1e3 * f64::from(answer.question.output_tokens - 1);
        let groups = f64::from(best.dp * best.pp * best.replicas);
        let running = f64::from((f64::from(best.batch * best.replicas) / groups).ceil() as u32) * groups;
        let law = best.requests_per_s.p50 * stay;
        assert!((law / running - 1.0).abs() < 1e-9, "{}: {law} of {running}", chip.chip);
    }
}

#[test]
fn rates_follow_from_requests() {
    for (answer, _, best) in best(answers()) {
        let question = &answer.question;
        let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-9, "{a} and {b}");
        close(best.output_tokens_per_s.p50, best.requests_per_s.p50 * f64::from(question.output_tokens));
        close(best.input_tokens_per_s.p50, best.requests_per_s.p50 * f64::from(question.input_tokens));
        close(
            best.output_tokens_per_s_per_chip.p50 * f64::from(question.chips),
            best.output_tokens_per_s.p50,
        );
        close(best.output_tokens_per_s_per_user.p50, 1e3 / best.tpot_ms.p50);
        let request = best.ttft_ms.p50 + best.tpot_ms.p50 * f64::from(question.output_tokens - 1);
        close(best.request_time_s.p50 * 1e3, request);
    }
}

#[test]
fn energy_is_at_least_active_idle() {
    // Joules per second of all chips = J/token · token/s ≥ chips · active idle, and the wall draws more than the chips.
    for (answer, chip, best) in best(answers()) {
        let power = catalog::chip(&chip.chip).unwrap().power;
        let drawn = best.energy_per_token_j.p50 * best.output_tokens_per_s.p50;
        assert!(drawn >= f64::from(answer.question.chips) * power.active_idle.get(), "{}", chip.chip);
        assert!(best.wall_power_w.p50 > best.chip_power_w.p50);
        assert!(best.chip_power_w.p50 <= power.cap.get());
    }
}

#[test]
fn memory_adds_up_to_no_more_than_there_is() {
    for (_, chip, best) in best(answers()) {
        let capacity = catalog::chip(&chip.chip).unwrap().hbm.capacity.in_unit("GB");
        assert!((best.memory_used_gb + best.memory_free_gb - capacity).abs() < 1e-6, "{}", chip.chip);
        assert!(best.weights_gb + best.cache_gb < best.memory_used_gb && best.memory_free_gb > 0.0);
    }
}

#[test]
fn money_is_shared_out_between_input_and_output() {
    // The hour of all chips = input + output; both in proportion to the time that they take.
    for (_, chip, best) in best(answers()) {
        let (Some(input), Some(output)) = (best.cost_per_million_input_usd, best.cost_per_million_output_usd)
        else {
            continue;
        };
        let input = input.p50 * best.input_tokens_per_s.p50;
        let share = input / (input + output.p50 * best.output_tokens_per_s.p50);
        assert!((share - best.prefill_share).abs() < 1e-9, "{}: {share}", chip.chip);
    }
}

#[test]
fn operators_add_up_to_the_step() {
    for model in ["qwen3-32b", "deepseek-v3", "gpt-oss-120b"] {
        let mut study = deployment(model, name("h200-sxm"));
        study.layout.tp = 8;
        study.phase = Phase::Both;
        let answer = estimate(&study);
        for phase in answer.prefill.iter().chain(&answer.decode) {
            let shares: f64 = phase.operators.iter().map(|operator| operator.share).sum();
            assert!((shares - 1.0).abs() < 1e-9);
            let bounds: f64 = phase.by_bound.iter().map(|part| part.share).sum();
            assert!((bounds - 1.0).abs() < 1e-9);
            let device: f64 = phase.operators.iter().map(|operator| operator.total_us).sum();
            assert!(device / 1e3 <= phase.time_ms.p50 * (1.0 + 1e-9), "{model}");
            assert!(phase.mfu < 1.0 && phase.mbu < 1.0, "{model}");
        }
    }
}

#[test]
fn no_operator_beats_the_roofs_of_its_chip() {
    for chip in ["h20", "h100-sxm", "a100-sxm", "ascend-910b2"] {
        let catalog = catalog::chip(chip).unwrap();
        let peak = catalog.compute.matrix.supported().map(|(dtype, _)| catalog.matrix_peak(dtype).get());
        let peak = peak.fold(0.0, f64::max);
        let answer = compare(&comparison("qwen3-32b", &[chip]));
        for operator in answer.chips[0].prefill.iter().chain(&answer.chips[0].decode) {
            let links = operator.bound == "network";
            assert!(operator.flop_per_s <= peak * 1.001, "{chip}: {operator:?}");
            let roof = catalog.hbm.bandwidth.get();
            assert!(links || operator.bytes_per_s <= roof * 1.001, "{chip}: {operator:?}");
        }
    }
}

#[test]
fn the_same_question_gives_the_same_bytes() {
    let study = comparison("qwen3-30b-a3b", &PAIR);
    let bytes = || serde_json::to_string(&compare(&study)).unwrap();
    assert_eq!(bytes(), bytes());
}

#[test]
fn a_comparison_of_a_chip_with_itself_is_even() {
    let answer = compare(&comparison("qwen3-32b", &["h20", "h20"]));
    assert_eq!(answer.chips[0], answer.chips[1]);
}

#[test]
fn every_chip_of_the_catalog_answers_or_says_why_not() {
    for chip in catalog::names() {
        let answer = compare(&comparison("qwen3-8b", &[chip]));
        let answer = &answer.chips[0];
        assert!(answer.best.is_some() != answer.closest.is_some(), "{chip}");
        assert!(answer.closest.iter().all(|closest| !closest.stops.is_empty()), "{chip}");
    }
}

#[test]
fn every_model_of_the_catalog_answers_or_says_why_not() {
    for model in vitruvian_model::catalog::names() {
        for chip in compare(&CompareStudy { count: 4, ..comparison(model, &PAIR) }).chips {
            assert!(chip.best.is_some() != chip.closest.is_some(), "{model} on {}", chip.chip);
        }
    }
}

#[test]
fn looser_targets_are_never_worse() {
    // What meets the tighter targets meets the looser ones too.
    let throughput = |scale: f64| {
        let mut study = comparison("qwen3-32b", &PAIR);
        study.ttft = study.ttft.map(|time| time * scale);
        study.tpot = study.tpot.map(|time| time * scale);
        let answer = compare(&study);
        answer
            .chips
            .iter()
            .map(|c| c.best.as_ref().map_or(0.0, |b| b.output_tokens_per_s.p50))
            .collect::<Vec<_>>()
    };
    let scales = [0.25, 0.5, 1.0, 2.0, 4.0].map(throughput);
    for pair in scales.windows(2) {
        assert!(pair[0].iter().zip(&pair[1]).all(|(tight, loose)| tight <= loose), "{scales:?}");
    }
}

#[test]
fn each_objective_is_best_at_what_it_asks_for() {
    let chip = |objective: &str| {
        let mut study = comparison("qwen3-32b", &["h20"]);
        study.objective = Some(objective.to_owned());
        compare(&study).chips.remove(0).best.unwrap()
    };
    let all = ["throughput", "cost", "energy", "latency"].map(chip);
    let [throughput, _, energy, latency] = &all;
    for other in &all {
        assert!(throughput.output_tokens_per_s.p50 >= other.output_tokens_per_s.p50);
        assert!(energy.energy_per_token_j.p50 <= other.energy_per_token_j.p50);
        assert!(latency.request_time_s.p50 <= other.request_time_s.p50);
    }
}
