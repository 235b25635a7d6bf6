//! `python -m sglang.launch_server`.

use super::command::Command;
use super::{Launch, Part, Role};

/// The command of one replica. With data-parallel attention, SGLang's TP counts all ranks of a layer.
pub fn launch_server(part: &Part, launch: &Launch) -> Command {
    let degrees = part.degrees;
    let model = format!("${{MODEL:-{}}}", launch.model);
    let command = Command::new("sglang.launch_server", &["python3", "-m", "sglang.launch_server"])
        .option("--model-path", model)
        .option("--served-model-name", &launch.model)
        .option("--host", "0.0.0.0")
        .option("--port", "${PORT:-8000}")
        .option("--tp-size", degrees.tp * degrees.dp)
        .degree("--pp-size", degrees.pp)
        .degree("--dp-size", degrees.dp)
        .switch("--enable-dp-attention", degrees.dp > 1)
        .degree("--ep-size", degrees.ep)
        .option("--max-running-requests", part.sequences * degrees.dp)
        .option("--chunked-prefill-size", part.step_tokens)
        .option("--cuda-graph-max-bs", part.sequences)
        .option("--context-length", part.context)
        .option("--page-size", part.block)
        .option("--mem-fraction-static", part.memory_fraction)
        .switch("--enable-single-batch-overlap", part.exchange == Some("single-batch"))
        .switch("--enable-two-batch-overlap", part.exchange == Some("two-batch"));
    // Both overlap DeepEP's kernels alone.
    let command =
        if part.exchange.is_some() { command.option("--moe-a2a-backend", "deepep") } else { command };
    disaggregated(part, formats(part, nodes(part, command)))
}

fn nodes(part: &Part, command: Command) -> Command {
    if part.nodes() == 1 {
        return command;
    }
    command
        .option("--nnodes", part.nodes())
        .option("--node-rank", "${NODE_RANK:-0}")
        .option("--dist-init-addr", "${MASTER_ADDR:-127.0.0.1}:20000")
}

fn formats(part: &Part, command: Command) -> Command {
    let command = match part.format.name.split([',', ' ']).next() {
        Some("fp8" | "fp8-block") if !part.format.published => command.option("--quantization", "fp8"),
        Some("w8a8" | "w8a8-dynamic") if !part.format.published => {
            command.option("--quantization", "w8a8_int8")
        }
        _ => command,
    };
    if part.format.kv == "fp8" { command.option("--kv-cache-dtype", "fp8_e4m3") } else { command }
}

fn disaggregated(part: &Part, command: Command) -> Command {
    let mode = match part.role {
        Role::Whole => return command,
        Role::Prefill => "prefill",
        Role::Decode => "decode",
    };
    command
        .option("--disaggregation-mode", mode)
        .option("--disaggregation-transfer-backend", "mooncake")
        .option("--disaggregation-bootstrap-port", "${BOOTSTRAP_PORT:-8998}")
}
