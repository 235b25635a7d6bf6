//! What a person who finds the folder must know.

use super::{Engine, Launch, Role, names};

pub(super) fn readme(launch: &Launch) -> String {
    let mut out = format!("# {} as planned by Vitruvian\n\n## Predicted\n\n", launch.model);
    launch.predicted.iter().for_each(|line| out.push_str(&format!("- {line}\n")));
    out.push_str("\n## Start\n\n");
    for part in &launch.parts {
        let what = match part.role {
            Role::Whole => "serves whole requests",
            Role::Prefill => "computes prompts and sends their KV cache on",
            Role::Decode => "receives KV caches and generates",
        };
        out.push_str(&format!(
            "- `{}.sh` starts one of {} replicas on {} × {} each; it {what}.\n",
            part.name,
            part.replicas,
            part.degrees.chips(),
            part.chip
        ));
        if part.engine == Engine::Mindie {
            out.push_str(&format!("  Copy `{}.config.json` to its `conf/config.json` first.\n", part.name));
        }
    }
    if super::router::router(launch).is_some() {
        out.push_str("- `router.sh` stands before them; its addresses are those of the manifest.\n");
    }
    out.push_str(
        "- `kubernetes.yaml` starts all of it; it expects the checkpoint below `/models` of a volume claim `models`.\n\
         - `bench.sh` then sends the planned traffic. Set `URL` and `MODEL`.\n",
    );
    if !launch.notes.is_empty() {
        out.push_str("\n## Before you start\n\n");
        launch.notes.iter().for_each(|note| out.push_str(&format!("- {note}\n")));
    }
    out.push_str("\n## Versions\n\nOptions were checked against these packages:\n\n");
    for line in versions(launch) {
        out.push_str(&format!("- {line}\n"));
    }
    out
}

fn versions(launch: &Launch) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let engines = launch.parts.iter().map(|part| part.engine.name());
    for list in engines.chain(["vllm"]).flat_map(names::lists) {
        let doubt = if list.grade == "datasheet" { "" } else { ", not checked against a release" };
        let line = format!("{} {}: {}{doubt}", list.package, list.version, list.name);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}
