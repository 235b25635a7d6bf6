//! What `--format json` prints is what `docs/schema/` says.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod validate;

use std::process::Command;

use serde_json::Value;

/// Runs a command of the CLI and holds its JSON against a schema.
fn agrees(name: &str, arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_vitruvian"))
        .args(arguments)
        .args(["--format", "json"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let path = format!("{}/../../docs/schema/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let faults = validate::faults(&schema, &answer);
    assert!(faults.is_empty(), "{name}: {}", faults.join("\n"));
}

#[test]
fn chips() {
    agrees("chip-list", &["chip", "list"]);
    agrees("chip-show", &["chip", "show", "h20"]);
    agrees("chip-diff", &["chip", "diff", "h20", "ascend-910b2"]);
}

#[test]
fn models() {
    agrees("model-list", &["model", "list"]);
    agrees("model-show", &["model", "show", "deepseek-v3"]);
}

#[test]
fn fleets() {
    let path = format!("{}/../../examples/fleet.toml", env!("CARGO_MANIFEST_DIR"));
    agrees("fleet-plan", &["fleet", "plan", &path]);
}

#[test]
fn answers() {
    agrees("compare", &["compare"]);
    agrees(
        "simulate",
        &["simulate", "--rate", "5", "--requests", "20", "--isl", "100", "--osl", "20", "--chips", "1"],
    );
    agrees("estimate", &["estimate", "--chip", "h20", "--tp", "2", "--explain"]);
}

#[test]
fn money_and_rules() {
    agrees("cost-die", &["cost", "die", "ascend-910b2", "--process", "smic-n2,tsmc-n7", "--samples", "100"]);
    let sale = ["--input-price", "0.3 USD", "--output-price", "1 USD"];
    agrees("cost-serve", &[&["cost", "serve", "--tp", "4"], sale.as_slice()].concat());
    let run = ["--model", "qwen3-8b", "--tp", "4", "--dp", "2", "--global-batch", "64", "--tokens", "1B"];
    agrees("cost-train", &[&["cost", "train"], run.as_slice()].concat());
    agrees("cost-rent", &["cost", "rent", "h800-sxm", "--output-tokens", "1e9"]);
    agrees("export-control-check", &["export-control", "check", "h20"]);
    agrees("export-control-chips", &["export-control", "chips"]);
    agrees("export-control-timeline", &["export-control", "timeline", "h20"]);
    agrees("export-control-rules", &["export-control", "rules"]);
    let stack = ["--bandwidth", "819 GB/s", "--area", "110 mm2"];
    agrees("export-control-memory", &[&["export-control", "memory"], stack.as_slice()].concat());
}

#[test]
fn compression() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/small-decoder");
    agrees("compress", &["compress", folder, "--against", folder]);
}
