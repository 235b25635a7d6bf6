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
const MODELS: &[(&str, &str)] = embedded![
    "deepseek-r1",
    "deepseek-v3",
    "deepseek-v3.2",
    "deepseek-v4-flash",
    "glm-5",
    "gpt-1t",
    "gpt-oss-120b",
    "gpt-oss-20b",
    "gpt3-175b",
    "kimi-k2",
    "llama-3.1-405b",
    "llama-3.1-70b",
    "llama-3.1-8b",
    "minimax-m2.5",
    "mixtral-8x22b",
    "mixtral-8x7b",
    "nemotron-3-nano-30b-a3b",
    "qwen3-0.6b",
    "qwen3-14b",
    "qwen3-235b-a22b",
    "qwen3-30b-a3b",
    "qwen3-32b",
    "qwen3-8b",
    "qwen3-coder-480b-a35b",
    "qwen3.5-27b",
    "qwen3.5-35b-a3b",
    "qwen3.5-397b-a17b",
];

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

/// The embedded model that a path such as `Qwen/Qwen3-32B-FP8` means: its last part, in lower case, less the endings that
/// name a precision or a tuning and leave the shape alone.
pub fn by_path(path: &str) -> Option<Model> {
    const ENDINGS: [&str; 6] = ["-instruct", "-fp8", "-nvfp4", "-bf16", "-chat", "-base"];
    let last = path.rsplit('/').next()?.to_lowercase();
    let mut name = last.strip_prefix("meta-").unwrap_or(&last);
    loop {
        if let Ok(model) = model(name) {
            return Some(model);
        }
        name = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending))?;
    }
}

fn unknown(name: &str) -> Diagnostic {
    let near = nearest(name, names()).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    let known: Vec<&str> = names().collect();
    Diagnostic::error("model-unknown", format!("no model is called `{name}`"))
        .help(format!("{near}known are {}; a path to a config.json does as well", known.join(", ")))
}
