//! `config.json` to a [`Model`].

mod number;

use std::borrow::Cow;

use serde::Deserialize;
use vitruvian_diagnostics::{Diagnostic, SourceText, Span};

pub(crate) use number::{Depth, Dim, Few, Heads, Length, Optional, Rank, Size, Vocabulary, Whole};

use crate::family::{self, Refusal, Text};
use crate::model::Model;
use crate::parameters::checked_parameters;
use crate::quant::{PublishedConfig, plan_of, read_hf_quant_config};

/// Reads a Hugging Face `config.json`. The model is named after the source: its file, or its folder for `config.json`.
///
/// Refused with a place in the text: what is not JSON, is cut short, lacks a field, has one of another type or out of
/// range, is of a family not known, or contradicts itself.
pub fn read_config(source: &SourceText) -> Result<Model, Diagnostic> {
    read_config_beside(source, None)
}

/// The same with the `hf_quant_config.json` that may stand beside it, which says how the weights are quantised where
/// `config.json` does not.
pub fn read_config_beside(
    source: &SourceText,
    quantisation: Option<&SourceText>,
) -> Result<Model, Diagnostic> {
    let json = finite_numbers(source.text());
    let head: Head = serde_json::from_str(&json).map_err(|error| json_diagnostic(source, &error))?;
    let Some(model_type) = head.model_type else { return Err(no_model_type(source)) };
    let family = family::find(&model_type).ok_or_else(|| unknown_family(source, &model_type))?;
    let mut model =
        (family.read)(Text { json: &json, model_type: &model_type, nested: head.text_config.is_some() })
            .map_err(|refusal| refusal_diagnostic(source, refusal))?;
    model.name = name_of(source.name());
    model.family = model_type;
    let nested = head.text_config.and_then(|text| text.quantization_config);
    let beside = quantisation.map(read_hf_quant_config).transpose()?;
    if let Some(config) = head.quantization_config.or(nested).or(beside) {
        let published = plan_of(&config, head.expert_dtype.as_deref(), &model);
        model.published = published.plan;
        model.left_out.extend(published.doubt);
    } else {
        model.left_out.extend(missing_quantisation(&model.name));
    }
    check_size(source, &model)?;
    Ok(model)
}

/// What every file has, whatever the family.
#[derive(Deserialize)]
struct Head {
    model_type: Option<String>,
    quantization_config: Option<PublishedConfig>,
    /// DeepSeek-V4: format of the experts where it is another.
    expert_dtype: Option<String>,
    text_config: Option<Nested>,
}

#[derive(Deserialize)]
struct Nested {
    quantization_config: Option<PublishedConfig>,
}

/// Python writes `Infinity` and `NaN`, which JSON lacks: replaced by numbers of the same length, so that places stay.
fn finite_numbers(text: &str) -> Cow<'_, str> {
    if !text.contains("Infinity") && !text.contains("NaN") {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.replace(" Infinity", " 1e+308  ").replace(" -Infinity", " -1e+308  ").replace(": NaN", ": 0  "),
    )
}

/// A 16-bit configuration of a model whose name says otherwise: `ModelOpt` keeps the scheme in a file beside it.
fn missing_quantisation(name: &str) -> Option<String> {
    let format =
        ["NVFP4", "MXFP4", "FP8", "INT8", "INT4"].into_iter().find(|format| name.contains(format))?;
    Some(format!(
        "the quantisation that its name gives ({format}): neither config.json nor hf_quant_config.json states it, so \
         weights count in 16 bits unless a precision is asked for"
    ))
}

pub(crate) fn json_diagnostic(source: &SourceText, error: &serde_json::Error) -> Diagnostic {
    let full = error.to_string();
    let message = full.rsplit_once(" at line ").map_or(full.as_str(), |(message, _)| message);
    let (code, label) = match error.classify() {
        serde_json::error::Category::Eof => ("config-truncated", "the text ends here"),
        serde_json::error::Category::Data => ("config-field", ""),
        _ => ("config-not-json", "not JSON from here"),
    };
    let start = byte_of(source.text(), error.line(), error.column());
    Diagnostic::error(code, message).at(source, Span::new(start, start + 1), label)
}

/// Byte of a line and column (in bytes) counted from one; `serde_json`'s column is that of the last byte read.
fn byte_of(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    text.floor_char_boundary((before + column.saturating_sub(1)).min(text.len().saturating_sub(1)))
}

fn no_model_type(source: &SourceText) -> Diagnostic {
    Diagnostic::error("config-no-model-type", "no `model_type`")
        .at(source, Span::default(), "")
        .help("a config.json as Hugging Face publishes it names its family in `model_type`")
}

fn unknown_family(source: &SourceText, model_type: &str) -> Diagnostic {
    let known = family::names();
    let nearest = crate::nearest::nearest(model_type, known.iter().copied());
    let near = nearest.map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
    Diagnostic::error("config-unknown-family", format!("`model_type` \"{model_type}\" is not known"))
        .at(source, place_of(source, "model_type"), "")
        .help(format!("{near}known are {}", known.join(", ")))
}

fn refusal_diagnostic(source: &SourceText, refusal: Refusal) -> Diagnostic {
    match refusal {
        Refusal::Json(error) => json_diagnostic(source, &error),
        Refusal::Contradiction { key, message } => {
            Diagnostic::error("config-contradiction", message).at(source, place_of(source, key), "")
        }
    }
}

/// Where a key stands; the start of the text if it does not.
fn place_of(source: &SourceText, key: &str) -> Span {
    let quoted = format!("\"{key}\"");
    source.text().find(&quoted).map_or(Span::default(), |start| Span::new(start, start + quoted.len()))
}

/// Shapes must fit 32 bits and parameters 10¹⁵ (a thousand times the largest model published).
fn check_size(source: &SourceText, model: &Model) -> Result<(), Diagnostic> {
    const WIDEST: u64 = 1 << 28;
    const MOST: u64 = 1_000_000_000_000_000;
    let layers = || model.kinds.iter().chain(model.mtp.iter().flat_map(|mtp| &mtp.layers));
    let widest = layers().map(|layer| layer.mixer.widest().max(layer.ffn.widest())).max().unwrap_or(0);
    if widest > WIDEST {
        return Err(too_large(
            source,
            format!("a projection has {widest} columns; at most {WIDEST} make sense"),
        ));
    }
    match checked_parameters(model) {
        Some(count) if count.total <= MOST && count.mtp <= MOST => Ok(()),
        _ => Err(too_large(source, format!("the model has more than {MOST} parameters"))),
    }
}

fn too_large(source: &SourceText, message: String) -> Diagnostic {
    Diagnostic::error("config-too-large", message).at(source, Span::default(), "")
}

/// `dir/Qwen3-8B/config.json` and `dir/Qwen--Qwen3-8B.json` are both `Qwen3-8B`.
fn name_of(path: &str) -> String {
    let mut parts = path.rsplit(['/', '\\']);
    let file = parts.next().unwrap_or(path);
    let stem = file.strip_suffix(".json").unwrap_or(file);
    let name = if stem == "config" { parts.next().unwrap_or(stem) } else { stem };
    name.rsplit("--").next().unwrap_or(name).to_owned()
}
