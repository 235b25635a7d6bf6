//! `vllm serve` with the Ascend plug-in.

use serde_json::{Value, json};

use super::command::Command;
use super::vllm::{common, kv_role};
use super::{Degrees, Launch, Part, Peer, Role};

/// Port at which the Mooncake connector of the first rank listens; each rank takes the next.
const KV_PORT: u32 = 30000;

/// The command of one replica.
pub fn serve(part: &Part, launch: &Launch) -> Command {
    let mut command = common(part, launch).variable("VLLM_ASCEND_ENABLE_NZ", "1");
    if !matches!(part.format.name.split([',', ' ']).next(), Some("bf16" | "fp16")) {
        // Checkpoints of msModelSlim; the plug-in reads the scheme from them.
        command = command.option("--quantization", "ascend");
    }
    command = command.option("--additional-config", additional(part));
    match part.peer {
        Some(peer) => command.option("--kv-transfer-config", transfer(part, peer)),
        None => command,
    }
}

/// `--additional-config`: a decode pool computes again what it cannot hold, instead of preempting.
fn additional(part: &Part) -> Value {
    if part.role == Role::Decode {
        json!({ "enable_cpu_binding": true, "recompute_scheduler_enable": true })
    } else {
        json!({ "enable_cpu_binding": true })
    }
}

/// Mooncake between equal engines, which both ends tell each other's degrees; LMCache where the other pool runs another.
fn transfer(part: &Part, peer: Peer) -> Value {
    if !peer.same_engine {
        return json!({ "kv_connector": "LMCacheAscendConnector", "kv_role": kv_role(part.role, false) });
    }
    let (prefill, decode) = match part.role {
        Role::Decode => (peer.degrees, part.degrees),
        Role::Whole | Role::Prefill => (part.degrees, peer.degrees),
    };
    json!({
        "kv_connector": "MooncakeConnectorV1",
        "kv_role": kv_role(part.role, false),
        "kv_port": KV_PORT.to_string(),
        "kv_connector_extra_config": { "prefill": sizes(prefill), "decode": sizes(decode) },
    })
}

fn sizes(degrees: Degrees) -> Value {
    json!({ "tp_size": degrees.tp, "dp_size": degrees.dp, "pp_size": degrees.pp })
}
