//! Shows an answer, or what stands in its way.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use vitruvian_diagnostics::{Diagnostic, Diagnostics};
use vitruvian_report::{Charset, TextStyle, csv, text};

use crate::answer::Answer;
use crate::arguments::{Color, Format, Shared};
use crate::{diagnose, io};

/// The answer is there.
const ANSWERED: u8 = 0;
/// The question was understood, and nothing meets it.
const INFEASIBLE: u8 = 1;
/// The question was not understood, or its answer could not be written.
const BAD_INPUT: u8 = 2;

/// Where an answer goes and what it may look like there.
#[derive(Clone, Debug)]
pub struct Surface {
    format: Format,
    output: Option<PathBuf>,
    style: TextStyle,
    colour_diagnostics: bool,
}

impl Surface {
    /// The surface that the arguments, the terminal and the environment make.
    pub(crate) fn of(shared: &Shared) -> Self {
        let to_terminal = shared.output.is_none() && std::io::stdout().is_terminal();
        let width = to_terminal.then(terminal_size::terminal_size).flatten();
        let style = TextStyle {
            width: width.map(|(width, _)| usize::from(width.0)),
            colour: wants_colour(shared.color, to_terminal),
            charset: Charset::Unicode,
        };
        let colour_diagnostics = wants_colour(shared.color, std::io::stderr().is_terminal());
        Self { format: shared.format, output: shared.output.clone(), style, colour_diagnostics }
    }

    /// Shows the outcome of a command and gives the exit status.
    pub fn show(&self, outcome: Result<Answer, Diagnostics>) -> ExitCode {
        let status = match outcome.and_then(|answer| self.write(&answer).map(|()| answer)) {
            Ok(answer) => {
                self.complain(&answer.doubts);
                if answer.infeasible { INFEASIBLE } else { ANSWERED }
            }
            Err(faults) => {
                self.complain(&faults.0);
                BAD_INPUT
            }
        };
        ExitCode::from(status)
    }

    fn write(&self, answer: &Answer) -> Result<(), Diagnostics> {
        for file in &answer.files {
            io::write_file(&file.path, &file.contents)?;
        }
        for (path, contents) in &answer.traces {
            io::write_file(path, contents)?;
        }
        if let Some(folder) = &answer.folder {
            io::write_folder(&folder.path, &folder.files)?;
        }
        let contents = self.contents(answer);
        match &self.output {
            Some(path) => io::write_file(path, &contents)?,
            None => io::write_stdout(&contents)?,
        }
        Ok(())
    }

    fn contents(&self, answer: &Answer) -> String {
        match self.format {
            Format::Table => text::page(&answer.page, self.style),
            Format::Json => format!("{:#}\n", answer.json),
            Format::Csv => answer.main_table().map(csv::render).unwrap_or_default(),
        }
    }

    fn complain(&self, diagnostics: &[Diagnostic]) {
        if !diagnostics.is_empty() {
            io::write_stderr(&diagnose::render(diagnostics, self.colour_diagnostics));
        }
    }
}

/// See <https://no-color.org>: a variable that is set and not empty.
fn wants_colour(color: Color, terminal: bool) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            terminal && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        }
    }
}
