//! Megatron-LM (core 0.16): `pretrain_gpt.py`.

use super::{Lines, TrainingLaunch};

pub(super) fn command(plan: &TrainingLaunch) -> String {
    let mut lines = common(plan);
    lines.when(plan.hides("tensor"), "--tp-comm-overlap");
    precision(plan, &mut lines);
    match plan.schedule.as_str() {
        "1f1b" => {}
        other => lines.comment(format!("Megatron-LM has no {other}: this launches 1F1B")),
    }
    if plan.offload == "optimizer" {
        lines.flag("--optimizer-cpu-offload");
        lines.flag("--use-precision-aware-optimizer");
    }
    lines.whole_masters(plan, "Megatron-LM");
    if plan.hides("experts") {
        lines.flag("--overlap-moe-expert-parallel-comm");
        lines.flag("--delay-wgrad-compute");
    }
    if plan.sharding == "zero-3" {
        lines.flag("--use-megatron-fsdp");
        lines.value("--data-parallel-sharding-strategy", "optim_grads_params");
        lines.flag("--ckpt-format fsdp_dtensor");
    }
    lines.command(&plan.torchrun("pretrain_gpt.py"))
}

/// What MindSpeed-LLM shares with Megatron-LM.
pub(super) fn common(plan: &TrainingLaunch) -> Lines {
    let mut lines = Lines::default();
    lines.comment(format!("{}: add the model's own arguments and data", plan.model));
    degrees(plan, &mut lines);
    batch(plan, &mut lines);
    recompute(plan, &mut lines);
    lines.when(plan.sequence_parallel, "--sequence-parallel");
    if plan.sharding == "zero-1" || plan.sharding == "zero-2" {
        lines.flag("--use-distributed-optimizer");
    }
    lines.when(plan.hides("gradients"), "--overlap-grad-reduce");
    lines.when(plan.hides("parameters") && plan.sharding != "none", "--overlap-param-gather");
    lines
}

fn degrees(plan: &TrainingLaunch, lines: &mut Lines) {
    lines.value("--tensor-model-parallel-size", plan.tp);
    lines.value("--pipeline-model-parallel-size", plan.pp);
    lines.value("--context-parallel-size", plan.cp);
    if plan.experts {
        lines.value("--expert-model-parallel-size", plan.ep);
        lines.value("--expert-tensor-parallel-size", plan.etp);
    }
    if plan.chunks > 1 {
        match plan.even_stage() {
            Some(layers) => lines.value("--num-layers-per-virtual-pipeline-stage", layers),
            None => lines.value("--num-virtual-stages-per-pipeline-rank", plan.chunks),
        }
    }
}

fn batch(plan: &TrainingLaunch, lines: &mut Lines) {
    lines.value("--micro-batch-size", plan.micro_batch);
    lines.value("--global-batch-size", plan.global_batch);
    lines.value("--seq-length", plan.sequence);
    if let Some(steps) = plan.steps {
        lines.value("--train-iters", steps);
    }
}

fn recompute(plan: &TrainingLaunch, lines: &mut Lines) {
    match (plan.recompute.as_str(), plan.recompute_layers) {
        ("full", Some(some)) => {
            lines.flag("--recompute-granularity full --recompute-method block");
            lines.value("--recompute-num-layers", some);
        }
        ("full", None) => {
            lines.flag("--recompute-granularity full --recompute-method uniform --recompute-num-layers 1");
        }
        ("selective", _) => lines.flag("--recompute-granularity selective"),
        ("elementwise", _) => {
            lines.flag("--recompute-granularity selective --recompute-modules layernorm mlp");
        }
        ("up-projection", _) => {
            lines.flag("--recompute-granularity selective --recompute-modules layernorm mla_up_proj moe_act");
        }
        ("none", _) => {}
        (other, _) => lines.comment(format!("no flag for recomputation {other}")),
    }
}

fn precision(plan: &TrainingLaunch, lines: &mut Lines) {
    match plan.precision.as_str() {
        "fp16" => lines.flag("--fp16"),
        "fp8" => lines.flag("--bf16 --fp8-format hybrid --fp8-recipe tensorwise"),
        "fp8-block" => lines.flag("--bf16 --fp8-format e4m3 --fp8-recipe blockwise"),
        "int8" => {
            lines.comment("Megatron-LM has no INT8 training: this launches BF16");
            lines.flag("--bf16");
        }
        _ => lines.flag("--bf16"),
    }
    if plan.cp > 1 {
        lines.value("--cp-comm-type", if plan.context == "ulysses" { "a2a" } else { "p2p" });
    }
}
