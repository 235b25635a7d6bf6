//! Chores that keep the repository in order: `cargo xtask tidy`, `cargo xtask generate [--check]`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a chore talks to whoever runs it")]

mod generate;
mod repository;
mod tidy;

use std::process::ExitCode;

use repository::Repository;

const USAGE: &str = "\
usage: cargo xtask tidy               check the rules that no compiler checks
       cargo xtask generate           write the files that are generated from code
       cargo xtask generate --check   say which of them are stale
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["tidy"] => Repository::read().map(|repository| tidy::findings(&repository)),
        ["generate"] => Repository::read().and_then(|repository| generate::write(&repository)),
        ["generate", "--check"] => Repository::read().map(|repository| generate::stale(&repository)),
        _ => Err(std::io::Error::other(USAGE)),
    };
    finish(outcome)
}

fn finish(outcome: std::io::Result<Vec<String>>) -> ExitCode {
    match outcome {
        Ok(findings) if findings.is_empty() => ExitCode::SUCCESS,
        Ok(findings) => {
            println!("{}", findings.join("\n"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
