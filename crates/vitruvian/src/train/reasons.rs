//! Why the plan is as it is: what its time is spent on, what each choice is worth, what memory allows.

use vitruvian_training::{Step, schedule};

use super::describe::in_one_line;
use super::{Outcome, Question};

const GB: f64 = 1e9;

pub(super) fn reasons(question: &Question, outcome: &Outcome) -> Vec<String> {
    let Some(best) = outcome.plans.first() else { return nothing_fits(question, outcome) };
    let step = &best.step;
    let mut reasons = vec![spent(step)];
    reasons.extend(waiting(question, step));
    reasons.push(memory(question, step));
    for (name, time) in &outcome.without {
        let gain = 100.0 * (time / step.time - 1.0);
        reasons.push(format!("without {name} the step would take {time:.3} s ({gain:+.1} %)"));
    }
    if let Some(second) = outcome.plans.get(1) {
        let behind = 100.0 * (second.step.time / step.time - 1.0);
        reasons.push(format!("next best is {}, {behind:.1} % slower", in_one_line(&second.step.plan)));
    }
    reasons
}

/// The largest parts of the step.
fn spent(step: &Step) -> String {
    let p = step.parts;
    let mut parts = [
        ("products", p.products),
        ("attention", p.attention),
        ("element-wise kernels", p.vector),
        ("launches", p.launch),
        ("tensor- and context-parallel exchange", p.tensor),
        ("expert exchange", p.experts),
        ("gradient and parameter exchange", p.data),
        ("the pipeline's bubble", p.bubble),
        ("the optimizer", p.optimizer),
        ("the host", p.host),
    ];
    parts.sort_by(|a, b| b.1.total_cmp(&a.1));
    let share = |(name, time): &(&str, f64)| format!("{:.0} % {name}", 100.0 * time / step.time);
    let largest: Vec<String> =
        parts.iter().take(4).filter(|(_, time)| *time > 0.005 * step.time).map(share).collect();
    format!("the busiest device spends {}", largest.join(", "))
}

/// What a perfect pipeline would gain.
fn waiting(question: &Question, step: &Step) -> Option<String> {
    let plan = &step.plan;
    if plan.degrees.pp == 1 {
        return None;
    }
    let mean = |index: usize| [1.0, 2.0, 1.0][index];
    let ideal =
        schedule::bubble(plan.schedule, plan.degrees.pp, plan.chunks, [mean(0), mean(1), mean(2)], 3.0);
    let share = 100.0 * ideal / (3.0 * f64::from(step.micro_batches) + ideal);
    Some(format!(
        "{} stages and {} micro-batches leave a bubble of {share:.1} % if all stages were equal; it is {:.1} %; a larger \
         global batch than {} would shrink it",
        plan.stages(),
        step.micro_batches,
        100.0 * step.parts.bubble / step.time,
        question.global_batch
    ))
}

fn memory(question: &Question, step: &Step) -> String {
    let fullest = step.fullest();
    format!(
        "device {} is the fullest: {:.1} of {:.1} GB, most of it {}; it peaks at the {}",
        fullest.device + 1,
        fullest.peak() / GB,
        question.usable() / GB,
        fullest.largest(),
        fullest.moment()
    )
}

fn nothing_fits(question: &Question, outcome: &Outcome) -> Vec<String> {
    let usable = question.usable() / GB;
    if let Some(step) = &outcome.misfit {
        let fullest = step.fullest();
        let mut reasons = vec![format!(
            "{} needs {:.1} GB on device {}, {:.1} more than the {usable:.1} GB of a chip, most of it {}, at the {}",
            in_one_line(&step.plan),
            fullest.peak() / GB,
            fullest.device + 1,
            fullest.peak() / GB - usable,
            fullest.largest(),
            fullest.moment()
        )];
        reasons.push(match &outcome.nearest {
            Some(other) => format!(
                "the nearest layout that fits is {}: {:.1} GB, {:.3} s a step",
                in_one_line(&other.step.plan),
                other.step.fullest().peak() / GB,
                other.step.time
            ),
            None => format!("no layout of {} chips fits; more chips are needed", question.chips),
        });
        return reasons;
    }
    let Some(miss) = outcome.census.as_ref().and_then(|census| census.nearest.as_ref()) else {
        return Vec::new();
    };
    vec![format!(
        "no layout fits into {usable:.1} GB: the nearest, {}, lacks {:.1} GB on device {}, where most is {}; more \
         chips, a smaller micro-batch or offloading the optimizer would help",
        in_one_line(&miss.plan),
        miss.missing / GB,
        miss.memory.device + 1,
        miss.memory.largest()
    )]
}
