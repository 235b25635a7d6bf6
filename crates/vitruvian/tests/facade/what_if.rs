//! A what-if chip moves the answer in the expected direction: more of a figure is never slower.

use proptest::prelude::*;
use vitruvian::study::Phase;
use vitruvian_hardware::catalog;

use crate::question::{compare, comparison, deployment, estimate, file};

/// What a chip file can ask for more of.
const KNOBS: [&str; 5] = ["hbm.bandwidth", "cores", "clock", "l2.capacity", "scale_up.bandwidth"];

/// A chip file with `factor` times a figure of its parent; the die grows with the cores.
fn more(parent: &str, knob: &str, factor: f64) -> String {
    let chip = catalog::chip(parent).unwrap();
    let line = match knob {
        "hbm.bandwidth" => format!("hbm.bandwidth = \"{} B/s\"", chip.hbm.bandwidth.get() * factor),
        "cores" => format!("cores = {}", (f64::from(chip.compute.cores) * factor) as u32),
        "clock" => format!("clock = \"{} Hz\"", chip.compute.clock.get() * factor),
        "l2.capacity" => format!("l2.capacity = \"{} B\"", chip.l2.capacity.get() * factor),
        "scale_up.bandwidth" => {
            format!("scale_up.bandwidth = \"{} B/s\"", chip.scale_up.bandwidth.get() * factor)
        }
        other => panic!("no knob {other}"),
    };
    format!("extends = \"{parent}\"\n{line}\n")
}

/// Milliseconds of prefill and decode of a deployment at TP4, which uses the links.
fn times(text: &str, model: &str, batch: u32) -> [f64; 2] {
    times_in(&[], text, model, batch)
}

/// The same in given precisions, or in what chip and checkpoint suggest.
fn times_in(precisions: &[&str], text: &str, model: &str, batch: u32) -> [f64; 2] {
    let time = |phase: Phase| {
        let mut study = deployment(model, file(text));
        study.layout.tp = 4;
        study.service.precisions = precisions.iter().map(ToString::to_string).collect();
        study.phase = phase;
        study.batch = batch;
        let answer = estimate(&study);
        answer.prefill.or(answer.decode).unwrap().time_ms.p50
    };
    [time(Phase::Prefill), time(Phase::Decode)]
}

/// Output tokens per second of the best deployment of eight.
fn throughput(text: &str) -> f64 {
    let mut study = comparison("qwen3-32b", &["h20"]);
    study.chips = vec![file(text)];
    compare(&study).chips[0].best.as_ref().map_or(0.0, |best| best.output_tokens_per_s.p50)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn more_of_a_figure_is_never_slower(
        parent in prop::sample::select(vec!["h20", "ascend-910b2"]),
        knob in prop::sample::select(KNOBS.to_vec()),
        model in prop::sample::select(vec!["qwen3-32b", "deepseek-v3"]),
        (low, more_of_it) in (0.5f64..2.0, 1.02f64..3.0),
        batch in 1u32..128,
    ) {
        // DeepGEMM, which multiplies block FP8, counts waves over the cores and may take a slower tile on more of them (D18).
        let precisions: &[&str] = if knob == "cores" { &["bf16"] } else { &[] };
        let before = times_in(precisions, &more(parent, knob, low), model, batch);
        let after = times_in(precisions, &more(parent, knob, low * more_of_it), model, batch);
        for (before, after) in before.iter().zip(after) {
            // A kernel that splits a cache so as to fill more cores pays for merging more parts, if little.
            prop_assert!(after <= before * 1.005, "{before} ms, then {after} ms");
        }
    }
}

#[test]
fn more_of_a_figure_never_lowers_the_best_throughput() {
    for parent in ["h20", "ascend-910b2"] {
        for knob in KNOBS {
            let best = [0.5, 1.0, 1.5, 2.0, 4.0].map(|factor| throughput(&more(parent, knob, factor)));
            let falls = best.windows(2).any(|pair| pair[1] < pair[0] * (1.0 - 1e-9));
            assert!(!falls, "{knob} of {parent}: {best:?}");
        }
    }
}

#[test]
fn what_binds_is_what_helps() {
    // On H20 dense decode of a small batch is bound by memory, prefill by the matrix units.
    let gains = |line: &str| {
        let before = times("extends = \"h20\"\n", "llama-3.1-70b", 16);
        let after = times(&format!("extends = \"h20\"\n{line}\n"), "llama-3.1-70b", 16);
        [0, 1].map(|phase| before[phase] / after[phase] - 1.0)
    };
    let ([prefill_by_memory, decode_by_memory], [prefill_by_matrix, decode_by_matrix]) =
        (gains("hbm.bandwidth = \"8 TB/s\""), gains("matrix.bf16 = 2048"));
    assert!(decode_by_memory > 0.2 && decode_by_memory > 3.0 * decode_by_matrix, "{decode_by_memory}");
    assert!(prefill_by_matrix > 0.5 && prefill_by_matrix > 3.0 * prefill_by_memory, "{prefill_by_matrix}");
}

#[test]
fn faster_links_shorten_exchanges() {
    // All-reduces of a prefill at TP4 over links of 28 GB/s each; with four times that they are not what they were.
    let prefill = |line: &str| times(&format!("extends = \"ascend-910b2\"\n{line}\n"), "qwen3-32b", 1)[0];
    assert!(prefill("scale_up.link_bandwidth = \"112 GB/s\"") < 0.85 * prefill(""));
}

#[test]
fn the_answer_says_what_was_changed() {
    let mut study = comparison("qwen3-32b", &["ascend-910b2"]);
    study.chips = vec![file("extends = \"ascend-910b2\"\nl2 = \"384 MiB\"\n")];
    let chip = &compare(&study).chips[0];
    assert_eq!((chip.chip.as_str(), chip.title.as_str()), ("what-if", "what-if (Huawei Ascend 910B2)"));
    assert_eq!(chip.notes, ["what-if is ascend-910b2 with l2.capacity = 384 MiB"]);
}
