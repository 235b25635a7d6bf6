//! torchtitan (0.3): sections of its configuration as `--section.key value`.

use super::{Lines, TrainingLaunch};

pub(super) fn command(plan: &TrainingLaunch) -> String {
    let mut lines = Lines::default();
    lines.comment(format!("{}: name its --module and --config", plan.model));
    let sharded = plan.sharding == "zero-3";
    lines.value("--parallelism.data_parallel_shard_degree", if sharded { plan.dp } else { 1 });
    lines.value("--parallelism.data_parallel_replicate_degree", if sharded { 1 } else { plan.dp });
    lines.value("--parallelism.tensor_parallel_degree", plan.tp);
    lines.value("--parallelism.context_parallel_degree", plan.cp);
    lines.value("--parallelism.pipeline_parallel_degree", plan.pp);
    if plan.experts {
        lines.value("--parallelism.expert_parallel_degree", plan.ep);
    }
    pipeline(plan, &mut lines);
    // A local batch is what one data-parallel rank sees between two gradient exchanges.
    let local = if plan.pp > 1 { plan.global_batch / plan.dp.max(1) } else { plan.micro_batch };
    lines.value("--training.local_batch_size", local);
    lines.value("--training.global_batch_size", plan.global_batch);
    lines.value("--training.seq_len", plan.sequence);
    if let Some(steps) = plan.steps {
        lines.value("--training.steps", steps);
    }
    lines.flag("--compile.enable");
    lines.when(plan.hides("tensor") && plan.tp > 1, "--compile.enable_async_tensor_parallel");
    lines.whole_masters(plan, "torchtitan");
    lines.when(plan.offload == "optimizer", "--training.enable_cpu_offload");
    match plan.precision.as_str() {
        "bf16" => {}
        other => lines
            .comment(format!("{other}: choose a configuration with the matching converter (float8, mxfp8)")),
    }
    match plan.recompute.as_str() {
        "full" => lines.flag("activation_checkpoint:full"),
        "every-second" => lines.flag("activation_checkpoint:selective"),
        "none" => lines.flag("activation_checkpoint:none"),
        other => lines.comment(format!("no policy for recomputation {other}")),
    }
    lines.command(&plan.torchrun("-m torchtitan.train"))
}

fn pipeline(plan: &TrainingLaunch, lines: &mut Lines) {
    if plan.pp == 1 {
        return;
    }
    let schedule = match plan.schedule.as_str() {
        "1f1b" if plan.chunks > 1 => "Interleaved1F1B",
        "1f1b" => "1F1B",
        "dualpipe" => "DualPipeV",
        "zb-2p" => "ZBVZeroBubble",
        _ => "InterleavedZeroBubble",
    };
    lines.value("--parallelism.pipeline_parallel_schedule", schedule);
    lines.value("--parallelism.pipeline_parallel_microbatch_size", plan.micro_batch);
    if let Some(layers) = plan.even_stage() {
        lines.value("--parallelism.pipeline_parallel_layers_per_stage", layers);
    }
}
