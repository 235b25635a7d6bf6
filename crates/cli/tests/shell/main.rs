//! The command as a process: what it prints where, and with which status.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::process::{Command, Stdio};

use common::Folder;

fn vitruvian(arguments: &[&str]) -> Command {
    let mut command = Command::new(common::BINARY);
    command.args(arguments);
    command
}

fn stdout(arguments: &[&str]) -> String {
    let output = vitruvian(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(arguments: &[&str]) -> String {
    let output = vitruvian(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(output.stdout.is_empty(), "a refusal goes to stderr");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn an_unknown_command_names_its_neighbour() {
    let said = refused(&["chpi", "list"]);
    assert!(said.contains("unrecognized subcommand 'chpi'") && said.contains("'chip'"), "{said}");
}

#[test]
fn an_unknown_chip_names_its_neighbours() {
    let said = refused(&["chip", "show", "h21"]);
    assert!(said.starts_with("error[unknown-chip]") && said.contains("`h20"), "{said}");
}

#[test]
fn both_faults_of_a_comparison_are_told() {
    let said = refused(&["chip", "diff", "h21", "no/such.toml"]);
    assert!(said.contains("unknown-chip") && said.contains("file-missing"), "{said}");
}

#[test]
fn help_and_version_are_answers() {
    assert!(stdout(&["--help"]).contains("Usage: vitruvian"));
    assert!(stdout(&["chip", "--version"]).ends_with(concat!(env!("CARGO_PKG_VERSION"), "\n")));
}

#[test]
fn a_pipe_gets_no_colour_unless_told() {
    assert!(!stdout(&["chip", "list"]).contains('\u{1b}'));
    assert!(stdout(&["chip", "list", "--color", "always"]).contains('\u{1b}'));
}

#[test]
fn the_same_command_gives_the_same_bytes() {
    for format in ["table", "json", "csv"] {
        let arguments = ["chip", "show", "h20", "--format", format];
        assert_eq!(stdout(&arguments), stdout(&arguments));
    }
}

#[test]
fn output_goes_to_the_file_and_nothing_else_is_left() {
    let folder = Folder::new("output");
    let path = folder.join("chips.csv");
    let said = stdout(&["chip", "list", "--format", "csv", "--output", path.to_str().unwrap()]);
    assert_eq!(said, "");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), stdout(&["chip", "list", "--format", "csv"]));
    assert_eq!(std::fs::read_dir(&*folder).unwrap().count(), 1);
}

#[test]
fn an_output_that_cannot_be_written_is_told() {
    assert!(refused(&["chip", "list", "--output", "/no/such/folder/x"]).contains("output-unwritable"));
    assert!(refused(&["chip", "list", "--output", "."]).contains("output-unwritable"));
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let mut command = vitruvian(&["chip", "show", "h20", "--sources"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn a_file_that_extends_a_chip_is_shown_with_its_own_figures() {
    let folder = Folder::new("extends");
    let path = folder.join("my.toml");
    std::fs::write(&path, "extends = \"h20\"\nhbm.bandwidth = \"8 TB/s\"\n").unwrap();
    let said = stdout(&["chip", "diff", "h20", path.to_str().unwrap(), "--format", "csv"]);
    // The catalog's H20 has 4.0 TB/s; twice that moves nothing else of the file.
    assert!(said.contains("hbm.bandwidth,4.0 TB/s,8 TB/s,2"), "{said}");
}

#[test]
fn every_mistake_of_a_file_is_told_at_its_place() {
    let folder = Folder::new("mistakes");
    let path = folder.join("my.toml");
    std::fs::write(&path, "extends = \"h20\"\nl2 = \"384 Mi\"\nfoo = 3\n").unwrap();
    let said = refused(&["chip", "show", path.to_str().unwrap()]);
    assert!(said.contains("my.toml:2:6") && said.contains("my.toml:3:1"), "{said}");
}

#[test]
fn a_folder_stands_for_the_config_inside() {
    let folder = Folder::new("model");
    let catalog = concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalog/models/qwen3-32b.json");
    std::fs::copy(catalog, folder.join("config.json")).unwrap();
    let shown = stdout(&["model", "show", folder.to_str().unwrap(), "--format", "json"]);
    // Qwen3-32B: 64 layers × 8 KV heads × 128 × (K and V) × 2 bytes = 262,144 bytes a token.
    assert!(shown.contains("\"kv_bytes_per_token\": 262144.0"), "{shown}");
}

#[test]
fn a_folder_without_config_is_refused() {
    let folder = Folder::new("empty");
    assert!(refused(&["model", "show", folder.to_str().unwrap()]).contains("config.json` does not exist"));
}

/// Two products whose time is the roofline's at half the H20's 296 TFLOP/s: 2·4096³ / 148 TFLOP/s = 929 us.
const GEMM_TABLE: &str =
    "dtype,m,n,k,latency_us\nfp8_block,4096,4096,4096,929\nfp8_block,8192,4096,4096,1858\n";

#[test]
fn a_table_is_held_against_predictions() {
    let folder = Folder::new("operators");
    let (table, rows) = (folder.join("gemm.csv"), folder.join("rows.csv"));
    std::fs::write(&table, GEMM_TABLE).unwrap();
    let question = [
        "validate",
        "operators",
        "--chip",
        "h20",
        "--table",
        table.to_str().unwrap(),
        "--fidelity",
        "roofline",
    ];
    let answer =
        stdout(&[&question[..], &["--format", "json", "--predictions", rows.to_str().unwrap()]].concat());
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["n"], 2);
    // A roofline takes half of the measured time: 50 % off.
    let error = answer["mean_abs_pct_error"].as_f64().unwrap();
    assert!((error - 50.0).abs() < 1.0, "{error}");
    let header = std::fs::read_to_string(&rows).unwrap();
    assert!(header.starts_with("table,line,family,precision,shape,measured_us,predicted_us,"), "{header}");
}

#[test]
fn a_file_that_is_no_table_is_refused_and_in_a_folder_left_aside() {
    let folder = Folder::new("tables");
    std::fs::write(folder.join("other.csv"), "a,b\n1,2\n").unwrap();
    std::fs::write(folder.join("gemm.csv"), GEMM_TABLE).unwrap();
    let other = folder.join("other.csv");
    let said = refused(&["validate", "operators", "--chip", "h20", "--table", other.to_str().unwrap()]);
    assert!(said.contains("make no table of operator times"), "{said}");
    let arguments = ["validate", "operators", "--chip", "h20", "--table", folder.to_str().unwrap()];
    let output = vitruvian(&arguments).output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no tables of operator times: 1 of the files"));
}

#[test]
fn a_calibration_writes_only_where_told() {
    let folder = Folder::new("calibrate");
    let table = folder.join("gemm.csv");
    std::fs::write(&table, GEMM_TABLE).unwrap();
    let question = ["calibrate", "--chip", "h20", "--table", table.to_str().unwrap()];
    assert!(refused(&question).contains("--out"), "neither --out nor --dry-run");
    assert!(stdout(&[&question[..], &["--dry-run"]].concat()).contains("fp8-block"));
    assert_eq!(std::fs::read_dir(&*folder).unwrap().count(), 1);
}

/// A small simulation, with these arguments added.
fn simulated(more: &[&str]) -> Vec<String> {
    let small = "simulate --model qwen3-0.6b --chip h20 --chips 1 --tp 1 --isl 200 --osl 20";
    small.split(' ').chain(more.iter().copied()).map(str::to_owned).collect()
}

#[test]
fn a_simulation_writes_its_files_whole_and_the_same_every_time() {
    let folder = Folder::new("simulated");
    let names = ["page.html", "rows.csv", "rows.parquet", "steps.pftrace"];
    let write = || {
        for (report, rows, steps) in
            [("page.html", "rows.csv", "steps.pftrace"), ("page.html", "rows.parquet", "steps.pftrace")]
        {
            let arguments = simulated(&[
                "--rate",
                "20",
                "--requests",
                "50",
                "--report",
                report,
                "--per-request",
                rows,
                "--steps",
                steps,
            ]);
            assert!(
                Command::new(common::BINARY)
                    .args(arguments)
                    .current_dir(&*folder)
                    .output()
                    .unwrap()
                    .status
                    .success()
            );
        }
        names.map(|name| std::fs::read(folder.join(name)).unwrap())
    };
    let files = write();
    assert_eq!(files, write());
    let rows = String::from_utf8(files[1].clone()).unwrap();
    assert!(rows.starts_with("request,answered,arrival_s,") && rows.lines().count() == 51);
    assert!(files[0].starts_with(b"<!DOCTYPE html>") && files[2].starts_with(b"PAR1"));
    // Every packet of a Perfetto trace is field 1, length-delimited.
    assert_eq!(files[3][0], 0x0a);
    assert_eq!(std::fs::read_dir(&*folder).unwrap().count(), names.len());
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_simulation_without_half_a_file() {
    let folder = Folder::new("interrupted");
    let arguments = simulated(&["--rate", "300", "--requests", "1000000", "--per-request", "rows.csv"]);
    let child = Command::new(common::BINARY)
        .args(arguments)
        .current_dir(&*folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Requests are drawn first; asking then is as good as asking later.
    std::thread::sleep(std::time::Duration::from_millis(800));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error[stopped]"));
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert_eq!(std::fs::read_dir(&*folder).unwrap().count(), 0);
}
