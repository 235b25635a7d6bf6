//! Whether a plan can run at all: what does not divide, which batch is no multiple, which stage is empty.

use vitruvian_diagnostics::Diagnostic;
use vitruvian_model::{Ffn, Layout, LayoutError, Model, validate};

use crate::plan::{Context, Plan, Schedule};
use crate::stages::stages;

/// Checks a plan for a model and batch.
///
/// # Errors
/// Every mistake, each with the nearest value that would do.
pub fn plan(model: &Model, plan: &Plan, sequence: u32, global_batch: u32) -> Result<(), Vec<Diagnostic>> {
    let mut faults = degrees(plan);
    if faults.is_empty() {
        faults.extend(shapes(model, plan));
        faults.extend(experts(model, plan));
        faults.extend(batch(plan, global_batch));
        faults.extend(pipeline(model, plan, global_batch));
        faults.extend(context(model, plan, sequence));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// The divisor of `value` nearest to `wanted`, the smaller of two as near.
pub fn nearest_divisor(value: u32, wanted: u32) -> u32 {
    let divisors = (1..=value).filter(|divisor| value.is_multiple_of(*divisor));
    divisors.min_by_key(|divisor| (divisor.abs_diff(wanted), *divisor)).unwrap_or(1)
}

fn fault(code: &'static str, message: String, help: String) -> Diagnostic {
    Diagnostic::error(code, message).help(help)
}

fn degrees(plan: &Plan) -> Vec<Diagnostic> {
    let d = plan.degrees;
    let named = [
        ("TP", d.tp),
        ("CP", d.cp),
        ("PP", d.pp),
        ("DP", d.dp),
        ("EP", d.ep),
        ("ETP", d.etp),
        ("micro-batch", plan.micro_batch),
        ("chunks", plan.chunks),
    ];
    let zero =
        |(name, _): &(&str, u32)| fault("layout-zero", format!("{name} is zero"), "give at least 1".into());
    named.iter().filter(|(_, value)| *value == 0).map(zero).collect()
}

fn shapes(model: &Model, plan: &Plan) -> Option<Diagnostic> {
    let d = plan.degrees;
    let layout = Layout { tp: d.tp, pp: 1, dp: 1, ep: 1, cp: 1 };
    // Experts have degrees of their own.
    let kinds = model.kinds.iter().map(|kind| match kind.ffn {
        Ffn::Moe(moe) => vitruvian_model::Layer {
            ffn: Ffn::Moe(vitruvian_model::ffn::Moe { width: d.tp, shared: moe.shared, ..moe }),
            ..*kind
        },
        _ => *kind,
    });
    let dense = Model { kinds: kinds.collect(), mtp: None, ..model.clone() };
    let error = validate(&dense, layout).err()?;
    let help = match error {
        LayoutError::Indivisible { value, by, .. } => {
            format!("the nearest that divides is TP{}", nearest_divisor(value, by))
        }
        _ => "choose another TP".to_owned(),
    };
    Some(fault("layout", format!("TP{} does not divide {}: {error}", d.tp, model.name), help))
}

fn experts(model: &Model, plan: &Plan) -> Vec<Diagnostic> {
    let d = plan.degrees;
    let mut faults = Vec::new();
    if d.ep > 1 && !model.has_experts() {
        let message = format!("EP{} for {}, which has no experts", d.ep, model.name);
        return vec![fault("layout", message, "leave --ep out".into())];
    }
    if !model.has_experts() {
        return faults;
    }
    if d.tp > 1 && !plan.sequence_parallel {
        let message =
            format!("TP{} without sequence parallelism sends every row to its experts {} times", d.tp, d.tp);
        faults.push(fault("layout", message, "leave --no-sequence-parallel out".into()));
    }
    for kind in &model.kinds {
        let Ffn::Moe(moe) = kind.ffn else { continue };
        if !moe.experts.is_multiple_of(d.ep) {
            let near = nearest_divisor(moe.experts, d.ep);
            let message = format!("{} routed experts do not divide by EP{}", moe.experts, d.ep);
            faults.push(fault("layout", message, format!("the nearest that divides is EP{near}")));
        }
        if !moe.width.is_multiple_of(d.etp) {
            let near = nearest_divisor(moe.width, d.etp);
            let message = format!("{} columns of an expert do not divide by ETP{}", moe.width, d.etp);
            faults.push(fault("layout", message, format!("the nearest that divides is ETP{near}")));
        }
    }
    if !d.stage_ranks().is_multiple_of(d.ep * d.etp) {
        let message = format!(
            "{} ranks of a stage (TP{} CP{} DP{}) do not divide by EP{} ETP{}",
            d.stage_ranks(),
            d.tp,
            d.cp,
            d.dp,
            d.ep,
            d.etp
        );
        let near = nearest_divisor(d.stage_ranks(), d.ep * d.etp);
        faults.push(fault(
            "layout",
            message,
            format!("the nearest product of EP and ETP that divides is {near}"),
        ));
    }
    faults
}

fn batch(plan: &Plan, global_batch: u32) -> Option<Diagnostic> {
    let each = plan.degrees.dp * plan.micro_batch;
    if global_batch > 0 && global_batch.is_multiple_of(each) {
        return None;
    }
    let nearest = ((global_batch + each / 2) / each).max(1) * each;
    let message = format!(
        "a global batch of {global_batch} sequences is no multiple of DP{} × micro-batch {} = {each}",
        plan.degrees.dp, plan.micro_batch
    );
    Some(fault("batch", message, format!("the nearest multiple is {nearest}")))
}

fn pipeline(model: &Model, plan: &Plan, global_batch: u32) -> Vec<Diagnostic> {
    let (depth, count) = (model.depth() as u32, plan.stages());
    let mut faults = Vec::new();
    if !plan.layers.is_empty() {
        faults.extend(listed(plan, depth));
    }
    let empty = stages(model, plan).iter().position(|stage| stage.layers() == 0);
    if let (Some(stage), true) = (empty, faults.is_empty()) {
        let near = nearest_divisor(depth, count.min(depth));
        let message = format!("stage {} of {count} has no layer: {} has {depth}", stage + 1, model.name);
        faults.push(fault(
            "stage-empty",
            message,
            format!("use at most {depth} stages (PP × chunks); {near} are even"),
        ));
    }
    if plan.chunks > 1 && plan.schedule != Schedule::OneFOneB {
        let message = format!("{} does not interleave {} chunks", plan.schedule, plan.chunks);
        faults.push(fault("schedule", message, "use --schedule 1f1b, or one chunk".into()));
    }
    if plan.chunks > 1 && plan.degrees.pp == 1 {
        let message = format!("{} chunks without a pipeline", plan.chunks);
        faults.push(fault("schedule", message, "interleaving needs PP of at least 2".into()));
    }
    if plan.schedule == Schedule::DualPipe {
        faults.extend(both_ways(plan, global_batch));
    }
    faults
}

fn listed(plan: &Plan, depth: u32) -> Option<Diagnostic> {
    let (count, sum) = (plan.layers.len() as u32, plan.layers.iter().sum::<u32>());
    let message = if count != plan.stages() {
        format!("{count} stages are listed for {} (PP × chunks)", plan.stages())
    } else if sum != depth {
        format!("the listed stages hold {sum} layers of {depth}")
    } else {
        return None;
    };
    Some(fault("stage-layers", message, "list one number of layers a stage, all layers together".into()))
}

/// `DualPipe` folds an even pipeline, and feeds both ends the same number of micro-batches, p or more in all.
fn both_ways(plan: &Plan, global_batch: u32) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let micros = plan.micro_batches(global_batch);
    if !plan.degrees.pp.is_multiple_of(2) {
        let message = format!("DualPipe folds an even number of stages, not PP{}", plan.degrees.pp);
        faults.push(fault("schedule", message, format!("use PP{}", plan.degrees.pp + 1)));
    }
    if !micros.is_multiple_of(2) || micros < 2 * plan.degrees.pp {
        let needed = (2 * plan.degrees.pp).max(micros.next_multiple_of(2));
        let message =
            format!("DualPipe needs an even number of micro-batches, twice PP or more, not {micros}");
        let batch = needed * plan.degrees.dp * plan.micro_batch;
        faults.push(fault("schedule", message, format!("a global batch of {batch} gives {needed}")));
    }
    faults
}

fn context(model: &Model, plan: &Plan, sequence: u32) -> Vec<Diagnostic> {
    let cp = plan.degrees.cp;
    let mut faults = Vec::new();
    if sequence == 0 || !sequence.is_multiple_of(cp) {
        let message = format!("{sequence} tokens of a sequence do not divide by CP{cp}");
        faults.push(fault(
            "layout",
            message,
            format!("the nearest that divides is CP{}", nearest_divisor(sequence.max(1), cp)),
        ));
    }
    if plan.context == Context::Ulysses && cp > 1 {
        for kind in &model.kinds {
            let vitruvian_model::Mixer::Attention(shape) = &kind.mixer else { continue };
            let heads = shape.heads / plan.degrees.tp;
            if !heads.is_multiple_of(cp) {
                let message = format!("{heads} query heads of a rank do not divide by CP{cp} (Ulysses)");
                let near = nearest_divisor(heads, cp);
                faults.push(fault("layout", message, format!("use CP{near}, or --context ring")));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Degrees;

    fn faults(model: &str, degrees: Degrees, batch: u32) -> Vec<String> {
        let model = vitruvian_model::catalog::model(model).unwrap();
        let found = plan(&model, &Plan::new(degrees), 4096, batch).err().unwrap_or_default();
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn mistakes_come_together_and_name_the_nearest_that_would_do() {
        // 64 heads by 5; a batch of 100 by 8.
        let all = faults("qwen3-32b", Degrees { tp: 5, dp: 8, ..Degrees::ONE }, 100).join("\n");
        assert!(all.contains("TP4"), "{all}");
        assert!(all.contains("104"), "{all}");
    }

    #[test]
    fn a_stage_without_a_layer_is_refused() {
        let all = faults("qwen3-32b", Degrees { pp: 65, ..Degrees::ONE }, 65).join("\n");
        assert!(all.contains("has no layer"), "{all}");
    }

    #[test]
    fn experts_need_ranks_to_live_on() {
        assert!(faults("qwen3-32b", Degrees { ep: 2, dp: 2, ..Degrees::ONE }, 8)[0].contains("no experts"));
        let all = faults("mixtral-8x7b", Degrees { ep: 8, dp: 4, ..Degrees::ONE }, 8).join("\n");
        assert!(all.contains("do not divide by EP8 ETP1"), "{all}");
    }

    #[test]
    fn nearest_divisors() {
        assert_eq!(nearest_divisor(64, 5), 4);
        assert_eq!(nearest_divisor(61, 7), 1);
    }
}
