//! From the words of an argument to a value: a name of the catalog, or a file.
//!
//! A name of the catalog wins over a file of that name in the current folder; write `./h20` for the file.

use std::path::{Path, PathBuf};

use vitruvian::Input;
use vitruvian_diagnostics::Diagnostics;
use vitruvian_hardware::{ParsedChip, catalog, parse_chip};
use vitruvian_model::{Model, read_config};

use crate::io;

/// `--chip`: a name or alias of the catalog, or a TOML file, which may extend one.
///
/// # Errors
/// If no chip is called so (with the nearest names), or every mistake of the file at its line and column.
pub(crate) fn chip(argument: &str) -> Result<ParsedChip, Diagnostics> {
    if let Some(source) = catalog::chip_source(argument) {
        return parse_chip(&source, &catalog::chip_source);
    }
    if !looks_like_file(argument) {
        return Err(catalog::unknown_chip(argument).into());
    }
    parse_chip(&io::read_text(Path::new(argument))?, &catalog::chip_source)
}

/// `--model`: a name of the catalog, a `config.json`, or a folder that holds one.
///
/// # Errors
/// If no model is called so (with the nearest names), or what is wrong with the file, at its line and column.
pub(crate) fn model(argument: &str) -> Result<Model, Diagnostics> {
    if vitruvian_model::catalog::source(argument).is_some() || !looks_like_file(argument) {
        return Ok(vitruvian_model::catalog::model(argument)?);
    }
    Ok(read_config(&io::read_text(&config_in(Path::new(argument)))?)?)
}

/// A chip as a study takes it: a name of the catalog, or the text of a file.
///
/// # Errors
/// If no chip is called so, or the file cannot be read.
pub(crate) fn chip_input(argument: &str) -> Result<Input, Diagnostics> {
    if catalog::chip_source(argument).is_some() || !looks_like_file(argument) {
        return Ok(Input::Name(argument.to_owned()));
    }
    file_input(Path::new(argument))
}

/// A model as a study takes it: a name of the catalog, or the text of a `config.json`.
///
/// # Errors
/// If the file cannot be read.
pub(crate) fn model_input(argument: &str) -> Result<Input, Diagnostics> {
    if vitruvian_model::catalog::source(argument).is_some() || !looks_like_file(argument) {
        return Ok(Input::Name(argument.to_owned()));
    }
    file_input(&config_in(Path::new(argument)))
}

fn file_input(path: &Path) -> Result<Input, Diagnostics> {
    let source = io::read_text(path)?;
    Ok(Input::File { path: source.name().to_owned(), text: source.text().to_owned() })
}

/// The configuration of a folder, or the file itself.
fn config_in(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("config.json") } else { path.to_path_buf() }
}

/// Whether a word that names nothing in the catalog was meant as a file.
fn looks_like_file(argument: &str) -> bool {
    let path = Path::new(argument);
    path.extension().is_some_and(|extension| extension == "toml" || extension == "json")
        || path.components().count() > 1
        || path.exists()
}
