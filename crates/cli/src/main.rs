//! The `vitruvian` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    vitruvian_cli::main()
}
