//! The console blocks of the documentation are run, and must print what they show.
//!
//! In a block marked `console`, a line `$ vitruvian …` (or `$ cargo run --release -- …`) is run in the root of the
//! repository; other commands are left alone. The lines below it are what it prints, errors included; `...` stands for
//! any lines, and a first line `? 1` for that exit status. With `BLESS=1` in the environment the blocks are rewritten.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod block;
mod matching;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use block::{Block, Step};

#[test]
fn console_blocks_print_what_they_show() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let bless = std::env::var_os("BLESS").is_some();
    let faults: Vec<String> = documents(&root).iter().flat_map(|path| check(&root, path, bless)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The Markdown of the root and of `docs/` with its folders, sorted.
fn documents(root: &Path) -> Vec<PathBuf> {
    let mut paths = markdown_in(root, false);
    paths.extend(markdown_in(&root.join("docs"), true));
    paths.sort();
    paths
}

fn markdown_in(folder: &Path, deep: bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let markdown = |path: PathBuf| match path.extension() {
        Some(extension) if extension == "md" => vec![path],
        _ if deep && path.is_dir() => markdown_in(&path, deep),
        _ => Vec::new(),
    };
    entries.flat_map(markdown).collect()
}

fn check(root: &Path, path: &Path, bless: bool) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let blocks = block::blocks(&text);
    let printed: Vec<Vec<Option<String>>> =
        blocks.iter().map(|block| block.steps.iter().map(|step| run(root, step)).collect()).collect();
    if bless {
        fs::write(path, block::rewrite(&text, &blocks, &printed)).unwrap();
    }
    let pairs = blocks.iter().zip(&printed).flat_map(|(block, printed)| block.steps.iter().zip(printed));
    pairs.filter_map(|(step, printed)| fault(path, step, printed.as_deref()?)).filter(|_| !bless).collect()
}

fn fault(path: &Path, step: &Step, printed: &str) -> Option<String> {
    if matching::matches(&step.shown, printed) {
        return None;
    }
    let place = format!("{}:{}", path.file_name()?.display(), step.line);
    Some(format!(
        "{place}: `{}` prints\n{printed}--- but the documentation shows\n{}\n",
        step.command, step.shown
    ))
}

/// What a command prints; nothing if it is not ours.
fn run(root: &Path, step: &Step) -> Option<String> {
    let arguments = Block::arguments(&step.command)?;
    let output =
        Command::new(env!("CARGO_BIN_EXE_vitruvian")).args(arguments).current_dir(root).output().unwrap();
    let status = match output.status.code() {
        Some(0) => String::new(),
        status => format!("? {}\n", status.unwrap_or(-1)),
    };
    let said = [status.as_bytes(), &output.stdout, &output.stderr].concat();
    Some(String::from_utf8(said).unwrap())
}
