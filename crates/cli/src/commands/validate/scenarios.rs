//! `vitruvian validate scenarios`: published results against predictions.

use std::path::PathBuf;

use clap::Args;
use vitruvian::present::validation as present;
use vitruvian::validation::scenarios;
use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText};
use vitruvian_report::{Block, Page};

use crate::answer::Answer;
use crate::io;

/// Arguments of `validate scenarios`.
#[derive(Debug, Args)]
pub(crate) struct ScenariosArgs {
    /// Scenario files, or folders of them
    #[arg(required = true, value_name = "DIR")]
    paths: Vec<PathBuf>,
}

/// Answers the question.
pub(crate) fn run(arguments: &ScenariosArgs) -> Result<Answer, Diagnostics> {
    let report = scenarios::scenarios(&files(arguments)?)?;
    let blocks =
        [present::scenario_rows(&report), present::scenario_groups(&report)].map(Block::Table).to_vec();
    let page = Page { blocks, ..Page::default() };
    Ok(Answer::new(page, &report))
}

fn files(arguments: &ScenariosArgs) -> Result<Vec<SourceText>, Diagnostics> {
    let mut texts = Vec::new();
    for path in &arguments.paths {
        let mut found = io::files_in(path);
        found.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
        found.sort();
        if found.is_empty() {
            return Err(Diagnostic::error("scenario-none", format!("{} holds no scenario", path.display()))
                .help("name a TOML file, or a folder of them")
                .into());
        }
        for file in &found {
            texts.push(io::read_text(file)?);
        }
    }
    Ok(texts)
}
