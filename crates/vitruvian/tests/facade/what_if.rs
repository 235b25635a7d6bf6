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
    let time = |phase: Phase| {
        let mut study = deployment(model, file(text));
        study.layout.tp = 4;
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
        (low, more_of_it) in (0.5f64..1.5, 1.02f64..2.0),
        batch in 1u32..128,
    ) {
        let before = times(&more(parent, knob, low), model, batch);
        let after = times(&more(parent, knob, low * more_of_it), model, batch);
        for (before, after) in before.iter().zip(after) {
            prop_assert!(after <= before * (1.0 + 1e-9), "{before} ms, then {after} ms");
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
    // Dense decode is bound by memory: twice the bandwidth gains much, twice the matrix rate little.
    let decode = |line: &str| times(&format!("extends = \"h20\"\n{line}\n"), "llama-3.1-70b", 16)[1];
    let (base, memory, matrix) =
        (decode(""), decode("hbm.bandwidth = \"8 TB/s\""), decode("matrix.bf16 = 2048"));
    assert!(memory < 0.75 * base, "{memory} of {base} ms");
    assert!(matrix > 0.9 * base, "{matrix} of {base} ms");
    // Prefill on H20 is bound by its matrix units.
    let prefill = |line: &str| times(&format!("extends = \"h20\"\n{line}\n"), "qwen3-32b", 1)[0];
    assert!(prefill("matrix.bf16 = 2048") < 0.7 * prefill(""));
    assert!(prefill("hbm.bandwidth = \"8 TB/s\"") > 0.9 * prefill(""));
}

#[test]
fn the_answer_says_what_was_changed() {
    let mut study = comparison("qwen3-32b", &["ascend-910b2"]);
    study.chips = vec![file("extends = \"ascend-910b2\"\nl2 = \"384 MiB\"\n")];
    let chip = &compare(&study).chips[0];
    assert_eq!((chip.chip.as_str(), chip.title.as_str()), ("what-if", "what-if (Huawei Ascend 910B2)"));
    assert_eq!(chip.notes, ["what-if changes l2.capacity = 384 MiB"]);
}
