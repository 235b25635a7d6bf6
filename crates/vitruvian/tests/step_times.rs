//! How far the simulator's remembered step times are from the engine's own.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use vitruvian::setup::{Profiles, Setup, load_model};
use vitruvian::study::{Input, Service};
use vitruvian_engine::{Meter, Replica, step_cost};
use vitruvian_model::{Decode, Layout, Prefill, Step};
use vitruvian_serving::{Batch, EngineTimes, StepTimes};

/// Chip, model, TP, and the worst error allowed in decode and with prompts.
///
/// Plans of latent decode go piece by piece: times jump from one length to the next, and a line between two passes by.
const CASES: [(&str, &str, u32, [f64; 2]); 4] = [
    ("h20", "llama-3.1-8b", 1, [0.01, 0.06]),
    ("h200-sxm", "deepseek-v3", 8, [0.08, 0.10]),
    ("ascend-910b2", "qwen3-32b", 4, [0.01, 0.06]),
    ("h100-sxm", "gpt-oss-120b", 2, [0.01, 0.06]),
];

/// Calls `check` with the case's name and worst errors, the simulator's times and the engine's.
fn each(check: impl Fn((&str, [f64; 2]), &mut EngineTimes<'_>, &mut dyn FnMut(&Step) -> f64)) {
    let profiles = Profiles::catalog().unwrap();
    for (chip, name, tp, allowed) in CASES {
        let setup = Setup::new(&Input::Name(chip.into()), &Service::default(), &profiles).unwrap();
        let model = load_model(&Input::Name(name.into())).unwrap();
        let plan = model.default_plan();
        let layout = Layout { tp, ..Layout::ONE };
        let replica = Replica { model: &model, plan: &plan, layout, engine: &setup.engine };
        let network = setup.network();
        let meter = || Meter::new(&setup.node, setup.costs(), &network);
        let mut own = meter();
        let mut times = EngineTimes::new(replica, meter(), None).unwrap();
        check((name, allowed), &mut times, &mut |step| {
            step_cost(&replica, step, &mut own).unwrap().latency.get()
        });
    }
}

/// Worst and mean relative error.
fn spread(errors: &[f64]) -> (f64, f64) {
    let worst = errors.iter().fold(0.0, |worst: f64, error| worst.max(error.abs()));
    (worst, errors.iter().sum::<f64>() / errors.len() as f64)
}

#[test]
fn decode_lines_follow_the_engine() {
    each(|(name, allowed), times, engine| {
        let mut errors = Vec::new();
        for sequences in [1, 3, 17, 64, 200] {
            for context in (0..60).map(|i| 37 + 211 * i) {
                let step =
                    Step { decode: Some(Decode { sequences, context, queries: 1 }), ..Step::default() };
                let line = times.decode(sequences, f64::from(context)).unwrap();
                errors.push(line.now.latency / engine(&step) - 1.0);
            }
        }
        let (worst, mean) = spread(&errors);
        println!("{name}: decode worst {:.3} %, mean {:.4} %", 100.0 * worst, 100.0 * mean);
        assert!(worst < allowed[0] && mean.abs() < 0.002, "{name}: {worst} {mean}");
    });
}

#[test]
fn steps_with_prompts_follow_the_engine() {
    each(|(name, allowed), times, engine| {
        let mut errors = Vec::new();
        for (index, new) in (0..120).map(|i| (i, 21 + 53 * i)).filter(|(_, new)| *new < 6000) {
            let (decode, context, cached) = (index % 40, 900 + 31 * index, (index % 5) * 700);
            let mut batch = Batch { decode, context: u64::from(decode * context), ..Batch::default() };
            batch.add(new, cached, true);
            let step = Step {
                prefill: Some(Prefill { sequences: 1, new, cached, sampled: 1 }),
                decode: (decode > 0).then_some(Decode { sequences: decode, context, queries: 1 }),
                padding: 0,
            };
            errors.push(times.step(&batch).unwrap().latency / engine(&step) - 1.0);
        }
        let (worst, mean) = spread(&errors);
        println!("{name}: prompts worst {:.3} %, mean {:.4} %", 100.0 * worst, 100.0 * mean);
        assert!(worst < allowed[1] && mean.abs() < 0.004, "{name}: {worst} {mean}");
    });
}
