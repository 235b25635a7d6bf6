//! The shell: arguments in, files and terminal out.
//!
//! This is the only crate that reads files, the environment or the terminal, and the only one that prints. A command
//! (one file under `commands/`) is a function from its arguments to an [`Answer`] or to [`Diagnostics`]; it prints
//! nothing. [`Surface`] shows either, in the format and colours asked for, and picks the exit status:
//! 0 answered, 1 no feasible answer, 2 bad input.
//!
//! [`Diagnostics`]: vitruvian_diagnostics::Diagnostics

mod answer;
mod arguments;
mod checkpoint;
mod commands;
mod diagnose;
mod inputs;
mod io;
mod schemas;
mod surface;
mod tables;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

pub use answer::{Answer, OutputFile};
use arguments::Arguments;
pub use schemas::schemas;
pub use surface::Surface;

/// Runs the command named by the process' arguments.
pub fn main() -> ExitCode {
    match Arguments::try_parse() {
        Ok(arguments) => Surface::of(&arguments.shared).show(commands::run(&arguments.command)),
        Err(refusal) => refuse(&refusal),
    }
}

/// The whole command line as data, from which `docs/cli.md` is generated.
pub fn command_line() -> clap::Command {
    Arguments::command()
}

/// Prints help (status 0) or what is wrong with the arguments (status 2).
fn refuse(refusal: &clap::Error) -> ExitCode {
    // A closed pipe is no reason to complain.
    let _ = refusal.print();
    ExitCode::from(u8::try_from(refusal.exit_code()).unwrap_or(2))
}
