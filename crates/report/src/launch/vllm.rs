//! `vllm serve` on GPUs.

use serde_json::{Value, json};

use super::command::Command;
use super::{Launch, Part, Peer, Role};

/// The command of one replica.
pub fn serve(part: &Part, launch: &Launch) -> Command {
    let mut command = common(part, launch);
    if let Some(method) = quantization(part) {
        command = command.option("--quantization", method);
    }
    if part.exchange == Some("two-batch") {
        let kernels =
            if part.role == Role::Prefill { "deepep_high_throughput" } else { "deepep_low_latency" };
        command = command.switch("--enable-dbo", true).option("--all2all-backend", kernels);
    }
    if let Some(peer) = part.peer {
        command = command
            .variable("VLLM_NIXL_SIDE_CHANNEL_HOST", "${POD_IP:-127.0.0.1}")
            .variable("VLLM_NIXL_SIDE_CHANNEL_PORT", "${SIDE_CHANNEL_PORT:-5600}")
            .option("--kv-transfer-config", transfer(part.role, peer));
    }
    command
}

/// What `vllm serve` is told on any chip.
pub(super) fn common(part: &Part, launch: &Launch) -> Command {
    let degrees = part.degrees;
    let model = format!("${{MODEL:-{}}}", launch.model);
    let mut command = Command::new("vllm serve", &["vllm", "serve", &model])
        .option("--served-model-name", &launch.model)
        .option("--host", "0.0.0.0")
        .option("--port", "${PORT:-8000}")
        .option("--tensor-parallel-size", degrees.tp)
        .degree("--pipeline-parallel-size", degrees.pp)
        .degree("--data-parallel-size", degrees.dp)
        .switch("--enable-expert-parallel", degrees.ep > 1)
        .option("--max-num-seqs", part.sequences)
        .option("--max-num-batched-tokens", part.step_tokens)
        .option("--max-model-len", part.context)
        .option("--block-size", part.block)
        .option("--gpu-memory-utilization", part.memory_fraction);
    if part.nodes() > 1 {
        command = command
            .option("--nnodes", part.nodes())
            .option("--node-rank", "${NODE_RANK:-0}")
            .option("--master-addr", "${MASTER_ADDR:-127.0.0.1}");
    }
    match part.format.kv.as_str() {
        "fp8" => command.option("--kv-cache-dtype", "fp8"),
        _ => command,
    }
}

/// What has to be asked for: 8-bit weights of a 16-bit checkpoint. Other formats are properties of the checkpoint.
fn quantization(part: &Part) -> Option<&'static str> {
    match part.format.name.split([',', ' ']).next() {
        Some("fp8") if !part.format.published => Some("fp8_per_tensor"),
        Some("fp8-block") if !part.format.published => Some("fp8_per_block"),
        _ => None,
    }
}

/// `--kv-transfer-config`: NIXL between equal engines; LMCache where the other pool runs another engine.
fn transfer(role: Role, peer: Peer) -> Value {
    let connector = if peer.same_engine { "NixlConnector" } else { "LMCacheConnectorV1" };
    json!({ "kv_connector": connector, "kv_role": kv_role(role, peer.same_engine) })
}

/// NIXL decides the direction by request; the others by role.
pub(super) fn kv_role(role: Role, either: bool) -> &'static str {
    match role {
        _ if either => "kv_both",
        Role::Whole => "kv_both",
        Role::Prefill => "kv_producer",
        Role::Decode => "kv_consumer",
    }
}
