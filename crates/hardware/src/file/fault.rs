//! The sentences in which a file's mistakes are told.

use std::fmt::Display;

use vitruvian_diagnostics::{Diagnostic, SourceText, Span};
use vitruvian_quantity::ParseError;

use crate::file::key::Kind;
use crate::file::near::{self, did_you_mean};
use crate::file::sheet::Place;

/// Two figures that cannot both hold. The first place is where the figure in doubt stands.
pub(crate) fn contradiction(message: String, doubted: &Place, others: &[(&Place, String)]) -> Diagnostic {
    let first = Diagnostic::error("contradiction", message).at(&doubted.source, doubted.span, "");
    let labelled = others.iter().filter(|(place, _)| *place != doubted);
    labelled.fold(first, |diagnostic, (place, what)| diagnostic.at(&place.source, place.span, what.clone()))
}

pub(super) fn syntax(source: &SourceText, error: &toml::de::Error) -> Diagnostic {
    let span = error.span().map_or_else(Span::default, Span::from);
    Diagnostic::error("syntax", format!("not valid TOML: {}", error.message().replace('\n', ", ")))
        .at(source, span, "")
}

pub(super) fn unknown_key(path: &str, what: &str, known: &[String], place: &Place) -> Diagnostic {
    let fault = Diagnostic::error("unknown-key", format!("`{path}` is not a key of a {what} file"));
    with_help(fault.at(&place.source, place.span, ""), near::ask(&near::keys(path, known)))
}

pub(super) fn not_a_table(path: &str, found: &str, place: &Place) -> Diagnostic {
    let message = format!("`{path}` is a table of figures, found {found}");
    Diagnostic::error("wrong-type", message).at(&place.source, place.span, "")
}

pub(super) fn wrong_type(path: &str, kind: Kind, found: &str, place: &Place) -> Diagnostic {
    let fault = Diagnostic::error("wrong-type", format!("`{path}` is {}, found {found}", kind.article()));
    let fault = fault.at(&place.source, place.span, "");
    with_help(fault, (!kind.units().is_empty()).then(|| format!("write for example {}", example(kind, "1"))))
}

pub(super) fn quantity(path: &str, kind: Kind, error: &ParseError, place: &Place) -> Diagnostic {
    let (code, help) = match error {
        ParseError::NotANumber { .. } => {
            ("wrong-type", Some(format!("write for example {}", example(kind, "1"))))
        }
        ParseError::NoUnit { text, .. } => {
            ("unit-missing", Some(format!("write for example {}", example(kind, text))))
        }
        ParseError::WrongUnit { unit, units, .. } => {
            ("unit-wrong", did_you_mean(unit, units.iter().copied()))
        }
        ParseError::NotFinite { .. } => ("out-of-range", None),
    };
    let place_label = format!("`{path}` is {}", kind.article());
    with_help(Diagnostic::error(code, error.to_string()).at(&place.source, place.span, place_label), help)
}

pub(super) fn out_of_range(path: &str, expected: &str, found: impl Display, place: &Place) -> Diagnostic {
    Diagnostic::error("out-of-range", format!("`{path}` must be {expected}, found `{found}`")).at(
        &place.source,
        place.span,
        "",
    )
}

pub(super) fn unknown_word(path: &str, word: &str, words: &[&str], place: &Place) -> Diagnostic {
    let message = format!("`{word}` is not a value of `{path}`: use one of {}", words.join(", "));
    let fault = Diagnostic::error("unknown-word", message).at(&place.source, place.span, "");
    with_help(fault, did_you_mean(word, words.iter().copied()))
}

pub(super) fn missing(what: &str, paths: &[String], source: &SourceText) -> Diagnostic {
    let message = format!("a {what} file that extends nothing must also give {}", paths.join(", "));
    Diagnostic::error("missing-figure", message).at(source, Span::default(), "").help(format!(
        "start from a {what} of the catalog with `extends = \"...\"` and give only what differs"
    ))
}

pub(super) fn with_help(diagnostic: Diagnostic, help: Option<String>) -> Diagnostic {
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// The number with the kind's usual unit, as a fix to copy.
fn example(kind: Kind, number: &str) -> String {
    let unit = match kind {
        Kind::Time => "us",
        Kind::Size => "MiB",
        Kind::Bandwidth => "TB/s",
        Kind::Rate => "TFLOP/s",
        Kind::Frequency => "GHz",
        Kind::Power => "W",
        Kind::EnergyPerFlop => "pJ/FLOP",
        Kind::EnergyPerByte => "pJ/B",
        Kind::Area => "mm2",
        _ => "USD",
    };
    format!("\"{number} {unit}\"")
}
