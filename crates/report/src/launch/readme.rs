//! What a person who finds the folder must know.

use super::{Engine, Launch, Part, Role, names};

pub(super) fn readme(launch: &Launch) -> String {
    let mut lines = vec![format!("# {} as planned by Vitruvian", launch.model)];
    section(&mut lines, "Predicted", &launch.predicted);
    section(&mut lines, "Start", &start(launch));
    section(&mut lines, "Before you start", &launch.notes);
    section(&mut lines, "Packages whose options were checked", &versions(launch));
    lines.join("\n") + "\n"
}

fn section(lines: &mut Vec<String>, title: &str, points: &[String]) {
    if !points.is_empty() {
        lines.extend([String::new(), format!("## {title}"), String::new()]);
        lines.extend(points.iter().map(|point| format!("- {point}")));
    }
}

fn start(launch: &Launch) -> Vec<String> {
    let mut points: Vec<String> = launch.parts.iter().flat_map(of_part).collect();
    if super::router::router(launch).is_some() {
        points.push("`router.sh` stands before them; its addresses are those of the manifest.".to_owned());
    }
    points.push(
        "`kubernetes.yaml` starts all of it; it expects the checkpoint below `/models` of a volume claim `models`."
            .to_owned(),
    );
    points.push("`bench.sh` then sends the planned traffic. Set `URL` and `MODEL`.".to_owned());
    points
}

fn of_part(part: &Part) -> Vec<String> {
    let what = match part.role {
        Role::Whole => "serves whole requests",
        Role::Prefill => "computes prompts and sends their KV cache on",
        Role::Decode => "receives KV caches and generates",
    };
    let (name, chips) = (&part.name, part.degrees.chips());
    let replicas = if part.replicas == 1 {
        "the one replica".to_owned()
    } else {
        format!("one of {} replicas", part.replicas)
    };
    let mut points = vec![format!("`{name}.sh` starts {replicas} on {chips} × {}; it {what}.", part.chip)];
    if part.engine == Engine::Mindie {
        points.push(format!("Copy `{name}.config.json` to MindIE's `conf/config.json` before that."));
    }
    points
}

/// The lists of names that the commands of the folder use.
fn versions(launch: &Launch) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let engines = launch.parts.iter().map(|part| part.engine.name());
    let bench = names::list("vllm", "vllm bench serve");
    for list in engines.flat_map(names::lists).chain(bench) {
        let doubt = if list.grade == "datasheet" { "" } else { ", not checked against a release" };
        let line = format!("{} {}: {}{doubt}", list.package, list.version, list.name);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}
