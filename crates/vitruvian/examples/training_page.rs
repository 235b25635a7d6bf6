//! Writes docs/training-validation.md from the scenarios of `validation/training`, or, with `--fit`, prints the figures of
//! training stacks as their calibration rows have them:
//! `cargo run --release -p vitruvian --example training_page -- [--fit]`.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::Path;

use vitruvian::present::validation as present;
use vitruvian::validation::scenarios::{scenarios, training};
use vitruvian_diagnostics::SourceText;
use vitruvian_report::markdown;

const TEXT: &str = include_str!("training_page.md");

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let files = files(&root)?;
    let fits = training::fit(&files).map_err(|faults| faults.to_string())?;
    if std::env::args().any(|argument| argument == "--fit") {
        let mut out = std::io::stdout().lock();
        for fit in fits {
            writeln!(out, "{fit:#?}")?;
        }
        return Ok(());
    }
    let report = scenarios(&files).map_err(|faults| faults.to_string())?;
    let tables = [
        ("{fit}", present::stack_figures(&fits)),
        ("{groups}", present::training_groups(&report)),
        ("{scenarios}", present::scenario_rows(&report)),
    ];
    let page = tables.iter().fold(TEXT.to_owned(), |page, (place, table)| {
        page.replace(place, markdown::render(table).trim_end())
    });
    fs::write(root.join("docs/training-validation.md"), page)?;
    Ok(())
}

fn files(root: &Path) -> Result<Vec<SourceText>, Box<dyn Error>> {
    let folder = fs::read_dir(root.join("validation/training"))?;
    let mut paths: Vec<_> = folder.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Result<SourceText, Box<dyn Error>> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(SourceText::new(name, fs::read_to_string(path)?))
}
