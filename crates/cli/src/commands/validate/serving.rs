//! `vitruvian validate serving`: measured serving points against predictions.

use std::path::{Path, PathBuf};

use clap::Args;
use vitruvian::present::validation as present;
use vitruvian::validation::{fit, serving};
use vitruvian_diagnostics::{Diagnostics, SourceText};
use vitruvian_report::{Block, Page, csv};

use crate::answer::{Answer, OutputFile};
use crate::io;

/// Arguments of `validate serving`.
#[derive(Debug, Args)]
pub(crate) struct ServingArgs {
    /// CSV with a measured point a row
    #[arg(long, value_name = "FILE.csv")]
    table: PathBuf,
    /// Folder of configurations named `org--name.json`; without it, `models` beside the table's folder, then the catalog
    #[arg(long, value_name = "FOLDER")]
    models: Option<PathBuf>,
    /// Write every point with its prediction
    #[arg(long, value_name = "FILE.csv")]
    predictions: Option<PathBuf>,
    /// Fit the engines' host figures to the table and print them, with errors on models left out
    #[arg(long)]
    fit: bool,
}

/// Answers the question.
pub(crate) fn run(arguments: &ServingArgs) -> Result<Answer, Diagnostics> {
    let folder = arguments.models.clone().unwrap_or_else(|| models_beside(&arguments.table));
    let configuration = |path: &str| configuration(&folder, path);
    if arguments.fit {
        let fits = fit(&io::read_text(&arguments.table)?, &configuration)?;
        let page = Page { blocks: vec![Block::Table(present::engine_figures(&fits))], ..Page::default() };
        return Ok(Answer::new(page, &fits));
    }
    let report = serving(&io::read_text(&arguments.table)?, &configuration)?;
    let predictions = arguments.predictions.iter().map(|path| OutputFile {
        path: path.clone(),
        contents: csv::render(&present::serving_points(&report)),
    });
    let page = Page { blocks: vec![Block::Table(present::serving_errors(&report))], ..Page::default() };
    Ok(Answer { files: predictions.collect(), ..Answer::new(page, &report) })
}

fn models_beside(table: &Path) -> PathBuf {
    table.parent().and_then(Path::parent).unwrap_or(Path::new(".")).join("models")
}

fn configuration(folder: &Path, path: &str) -> Option<SourceText> {
    let file = folder.join(format!("{}.json", path.replace('/', "--")));
    file.is_file().then(|| io::read_text(&file).ok()).flatten()
}
