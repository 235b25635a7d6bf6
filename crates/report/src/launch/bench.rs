//! `vllm bench serve` with the planned traffic.

use super::Launch;
use super::command::Command;

/// Seconds of traffic that the benchmark sends, and the fewest requests.
const SECONDS: f64 = 300.0;
const FEWEST: f64 = 200.0;

/// The benchmark. It speaks the OpenAI protocol, so it measures any of the engines.
pub fn bench(launch: &Launch) -> Command {
    let traffic = &launch.traffic;
    let prompts = (traffic.rate * SECONDS).max(FEWEST).round();
    let command = Command::new("vllm bench serve", &["vllm", "bench", "serve"])
        .option("--backend", "openai")
        .option("--base-url", "${URL:-http://127.0.0.1:8000}")
        .option("--endpoint", "/v1/completions")
        .option("--model", &launch.model)
        .option("--tokenizer", format!("${{MODEL:-{}}}", launch.model))
        .option("--dataset-name", "random")
        .option("--random-input-len", traffic.input - traffic.shared_prefix)
        .option("--random-output-len", traffic.output);
    let command = match traffic.shared_prefix {
        0 => command,
        prefix => command.option("--random-prefix-len", prefix),
    };
    let command = command
        .switch("--ignore-eos", true)
        .option("--request-rate", format!("{:.4}", traffic.rate))
        .option("--num-prompts", prompts)
        .option("--percentile-metrics", "ttft,tpot,itl,e2el")
        .option("--metric-percentiles", "50,90,99");
    match goodput(launch) {
        targets if targets.is_empty() => command,
        targets => command.options("--goodput", targets),
    }
}

fn goodput(launch: &Launch) -> Vec<String> {
    let traffic = &launch.traffic;
    let target = |name: &str, time: Option<f64>| time.map(|time| format!("{name}:{time}"));
    target("ttft", traffic.ttft_ms).into_iter().chain(target("tpot", traffic.tpot_ms)).collect()
}
