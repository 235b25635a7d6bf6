//! Bad input at the command line: each mistake with its whole message and its exit status.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod checkpoints;
mod chips;
#[path = "../shell/common.rs"]
mod common;
mod economics;
mod files;
mod fleet;
mod models;
mod numbers;
mod plans;
mod targets;
mod traffic;
mod training;
mod unfit;

use std::path::Path;
use std::process::Command;

/// What a refusal prints: status 2, nothing on standard output. Paths of the folder are left out.
pub(crate) fn refused_in(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(common::BINARY).args(arguments).current_dir(folder).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
    assert!(output.stdout.is_empty(), "a refusal goes to stderr");
    told
}

pub(crate) fn refused(arguments: &[&str]) -> String {
    refused_in(Path::new("."), arguments)
}

/// What is said of a question that reads `text` from the file `name`.
pub(crate) fn refused_file(name: &str, text: impl AsRef<[u8]>, arguments: &[&str]) -> String {
    let test = std::thread::current().name().unwrap().replace("::", "-");
    let folder = common::Folder::new(&format!("bad-{test}"));
    std::fs::write(folder.join(name), text).unwrap();
    refused_in(&folder, arguments)
}
