//! MindSpeed-LLM (2.0): Megatron-LM's flags and Ascend's own.

use super::{Lines, TrainingLaunch, megatron};

pub(super) fn command(plan: &TrainingLaunch) -> String {
    let mut lines = megatron::common(plan);
    lines.flag("--use-flash-attn --use-fused-rmsnorm --use-fused-swiglu --use-fused-rotary-pos-emb");
    lines.when(plan.hides("tensor") && plan.tp > 1, "--use-ascend-mc2");
    if plan.cp > 1 {
        let algorithm = if plan.context == "ulysses" { "ulysses_cp_algo" } else { "megatron_cp_algo" };
        lines.value("--context-parallel-algo", algorithm);
    }
    if !plan.stage_layers.is_empty() && plan.chunks == 1 {
        let list: Vec<String> = plan.stage_layers.iter().map(ToString::to_string).collect();
        lines.value("--num-layer-list", list.join(","));
    }
    schedule(plan, &mut lines);
    precision(plan, &mut lines);
    if plan.sharding == "zero-3" {
        lines.flag("--use-torch-fsdp2 --ckpt-format torch_dist");
    }
    if plan.offload != "none" {
        lines.flag(if plan.offload == "activations" { "--swap-attention" } else { "--swap-optimizer" });
    }
    lines.when(plan.reuse_master, "--reuse-fp32-param");
    lines.command(&plan.torchrun("pretrain_gpt.py"))
}

fn schedule(plan: &TrainingLaunch, lines: &mut Lines) {
    match plan.schedule.as_str() {
        "1f1b" => {}
        "dualpipe" => lines.flag("--schedules-method dualpipev --moe-fb-overlap"),
        other => lines.comment(format!("MindSpeed-LLM has no {other}: this launches 1F1B")),
    }
}

fn precision(plan: &TrainingLaunch, lines: &mut Lines) {
    match plan.precision.as_str() {
        "fp16" => lines.flag("--fp16"),
        "bf16" => lines.flag("--bf16"),
        other => {
            lines.comment(format!("910B trains in 16 bits: {other} is launched as BF16"));
            lines.flag("--bf16");
        }
    }
}
