//! Models embedded in the binary: their shapes under the field names of `config.json`, read by the same readers.

use vitruvian_diagnostics::{Diagnostic, SourceText};

use crate::config::read_config;
use crate::model::Model;
use crate::nearest::nearest;

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../catalog/models/", $name, ".json")))),+]
    };
}

/// Name and text of each model.
const MODELS: &[(&str, &str)] =
    embedded!["deepseek-v3", "llama-3.1-405b", "llama-3.1-70b", "llama-3.1-8b", "qwen3-32b", "qwen3-8b",];

/// Names of the embedded models, in alphabetical order.
pub fn names() -> impl Iterator<Item = &'static str> {
    MODELS.iter().map(|(name, _)| *name)
}

/// The text of an embedded model, named `catalog:NAME`.
pub fn source(name: &str) -> Option<SourceText> {
    let (name, text) = MODELS.iter().find(|(known, _)| *known == name)?;
    Some(SourceText::new(format!("catalog:{name}"), *text))
}

/// An embedded model by name. An unknown name is refused with the nearest known one.
pub fn model(name: &str) -> Result<Model, Diagnostic> {
    let source = source(name).ok_or_else(|| unknown(name))?;
    Ok(Model { name: name.to_owned(), ..read_config(&source)? })
}

fn unknown(name: &str) -> Diagnostic {
    let near = nearest(name, names()).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    let known: Vec<&str> = names().collect();
    Diagnostic::error("model-unknown", format!("no model is called `{name}`"))
        .help(format!("{near}known are {}; a path to a config.json does as well", known.join(", ")))
}
