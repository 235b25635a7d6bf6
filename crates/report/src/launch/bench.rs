//! `vllm bench serve` with the planned traffic.

use serde_json::json;

use super::command::Command;
use super::{Launch, Recorded, Traffic};

/// Seconds of traffic that the benchmark sends, and the fewest requests.
const SECONDS: f64 = 300.0;
const FEWEST: f64 = 200.0;

/// The benchmark. It speaks the OpenAI protocol, so it measures any of the engines.
pub fn bench(launch: &Launch) -> Command {
    let command = Command::new("vllm bench serve", &["vllm", "bench", "serve"])
        .option("--backend", "openai")
        .option("--base-url", "${URL:-http://127.0.0.1:8000}")
        .option("--endpoint", "/v1/completions")
        .option("--model", &launch.model)
        .option("--tokenizer", format!("${{MODEL:-{}}}", launch.model));
    let command = match &launch.traffic.recorded {
        Some(recorded) => replayed(command, recorded),
        None => made(command, &launch.traffic),
    };
    let command = command
        .switch("--ignore-eos", true)
        .option("--percentile-metrics", "ttft,tpot,itl,e2el")
        .option("--metric-percentiles", "50,90,99");
    match goodput(launch) {
        targets if targets.is_empty() => command,
        targets => command.options("--goodput", targets),
    }
}

/// Poisson arrivals of equal lengths.
fn made(command: Command, traffic: &Traffic) -> Command {
    let prompts = (traffic.rate * SECONDS).max(FEWEST).round();
    let command = command
        .option("--dataset-name", "random")
        .option("--random-input-len", traffic.input - traffic.shared_prefix.min(traffic.input))
        .option("--random-output-len", traffic.output);
    let command = match traffic.shared_prefix {
        0 => command,
        prefix => command.option("--random-prefix-len", prefix),
    };
    command.option("--request-rate", format!("{:.4}", traffic.rate)).option("--num-prompts", prompts)
}

/// The requests of the trace at their times.
fn replayed(command: Command, recorded: &Recorded) -> Command {
    command
        .option("--dataset-name", "timed_trace")
        .option("--dataset-path", "${TRACE:-trace.jsonl}")
        .option("--timed-trace-chunk-hash-size", recorded.unit)
        .switch("--self-timed", true)
        .option("--num-prompts", recorded.requests.len())
}

/// The trace as the benchmark reads it: one JSON object a line, times in seconds.
pub fn trace(launch: &Launch) -> Option<String> {
    let recorded = launch.traffic.recorded.as_ref()?;
    let lines = recorded.requests.iter().map(|request| {
        let line = json!({
            "timestamp": request.seconds,
            "input_length": request.input,
            "output_length": request.output,
            "hash_ids": request.contents,
        });
        format!("{line}\n")
    });
    Some(lines.collect::<Vec<_>>().concat())
}

fn goodput(launch: &Launch) -> Vec<String> {
    let traffic = &launch.traffic;
    let target = |name: &str, time: Option<f64>| time.map(|time| format!("{name}:{time}"));
    target("ttft", traffic.ttft_ms).into_iter().chain(target("tpot", traffic.tpot_ms)).collect()
}
