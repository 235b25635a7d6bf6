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
fn answers() {
    agrees("compare", &["compare"]);
    agrees("estimate", &["estimate", "--chip", "h20", "--tp", "2", "--explain"]);
}

#[test]
fn compression() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/small-decoder");
    agrees("compress", &["compress", folder, "--against", folder]);
}
