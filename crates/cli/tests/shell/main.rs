//! The command as a process: what it prints where, and with which status.

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
    std::fs::write(&path, "extends = \"h20\"\nl2 = \"384 MiB\"\n").unwrap();
    let said = stdout(&["chip", "diff", "h20", path.to_str().unwrap(), "--format", "csv"]);
    assert!(said.contains("l2.capacity,") && said.contains(",384 MiB"), "{said}");
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
