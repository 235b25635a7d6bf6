//! What stands before several instances: the router of a disaggregated service, or of several parts.

use super::command::Command;
use super::{Engine, Launch, Part, Role};

/// Port at which SGLang's prefill instances listen unless told otherwise.
const BOOTSTRAP_PORT: u32 = 8998;

/// The router of a service of more than one part; none for one part, which a Kubernetes service balances.
pub fn router(launch: &Launch) -> Option<Command> {
    let sglang = launch.parts.iter().all(|part| part.engine == Engine::Sglang);
    let command = if sglang {
        Command::new("sglang_router.launch_router", &["python3", "-m", "sglang_router.launch_router"])
    } else {
        Command::new("vllm-router", &["vllm-router"])
    };
    let command = command.option("--host", "0.0.0.0").option("--port", "${PORT:-8000}");
    if launch.parts.iter().all(|part| part.role == Role::Whole) {
        return (launch.parts.len() > 1).then(|| {
            let urls = launch.parts.iter().flat_map(urls).collect();
            command.option("--policy", "cache_aware").options("--worker-urls", urls)
        });
    }
    let mode = if sglang { "--pd-disaggregation" } else { "--vllm-pd-disaggregation" };
    let mut command = command.switch(mode, true);
    for part in &launch.parts {
        let name = if part.role == Role::Prefill { "--prefill" } else { "--decode" };
        for url in urls(part) {
            // SGLang's decode instances meet prefill at its bootstrap port, which the router passes on.
            let bootstrap = (sglang && part.role == Role::Prefill).then(|| BOOTSTRAP_PORT.to_string());
            command = command.options(name, std::iter::once(url).chain(bootstrap).collect());
        }
    }
    Some(command)
}

/// Addresses of the replicas of a part, as the manifest names them.
fn urls(part: &Part) -> Vec<String> {
    let first = |replica| replica * part.nodes();
    (0..part.replicas).map(|replica| format!("http://{0}-{1}.{0}:8000", part.name, first(replica))).collect()
}
