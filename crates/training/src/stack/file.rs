//! The file of a stack.

use serde::Deserialize;
use std::collections::BTreeMap;
use vitruvian_diagnostics::{Diagnostic, SourceText};
use vitruvian_quantity::{Bytes, Seconds};

use super::{Attention, Checkpoint, Exchange, Figures, Inputs, Kernels, Stack};

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sourced<T> {
    value: T,
    source: String,
    grade: String,
}

impl<T> Sourced<T> {
    /// Key, source, grade.
    fn row(&self, key: &str) -> [String; 3] {
        [key.to_owned(), self.source.clone(), self.grade.clone()]
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    version: String,
    vendors: Vec<String>,
    /// Chip on which the figures were fitted.
    chip: String,
    attention: Attention,
    exchange: Exchange,
    kernels: Option<Sourced<Kernels>>,
    inputs: Option<Sourced<Inputs>>,
    checkpoint: Option<Sourced<Checkpoint>>,
    figures: Table,
    /// Figures of other chips, where they differ.
    #[serde(default)]
    chips: BTreeMap<String, Table>,
}

macro_rules! figures {
    ($($field:ident: $type:ty),+ $(,)?) => {
        #[derive(Clone, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            $($field: Option<Sourced<$type>>,)+
        }

        impl Table {
            /// Own figures, then those of the file's main table.
            fn over(self, base: &Self) -> Self {
                Self { $($field: self.$field.or_else(|| base.$field.clone()),)+ }
            }

            /// The key of a figure that is missing, if one is.
            fn figures(&self) -> Result<Figures, &'static str> {
                Ok(Figures { $($field: self.$field.as_ref().ok_or(stringify!($field))?.value,)+ })
            }

            fn sources(&self) -> Vec<[String; 3]> {
                let mut list = Vec::new();
                $(if let Some(figure) = &self.$field {
                    list.push(figure.row(stringify!($field)));
                })+
                list
            }
        }
    };
}

figures! {
    matrix: f64, matrix_8: f64, attention: f64, attention_backward: f64, vector: f64, collective: f64, launch: Seconds, step: Seconds,
    exchange: Seconds, tensor_overlap: f64, data_overlap: f64, contention: f64, gradient: f64, gradient_fp16: f64, dropout: f64,
    runtime: Bytes, communicator: Bytes, slack: f64, block: f64, buckets: Bytes, live: f64, logits: f64, logits_split: f64,
    sigma: f64,
}

/// Reads a stack's file for a chip. `relatives` are chips whose own figures it may borrow, nearest first.
///
/// # Errors
/// A diagnostic at the first place that is not as it should be.
pub fn parse(name: &str, source: &SourceText, chip: &str, relatives: &[String]) -> Result<Stack, Diagnostic> {
    let file: File = toml::from_str(source.text()).map_err(|error| {
        let span = error.span().unwrap_or_default().into();
        Diagnostic::error("stack-file", format!("training stack `{name}` cannot be read")).at(
            source,
            span,
            error.message(),
        )
    })?;
    let own = std::iter::once(chip).chain(relatives.iter().map(String::as_str));
    let of = own
        .map(|chip| (chip, file.chips.get(chip)))
        .find(|(known, own)| own.is_some() || *known == file.chip);
    let (measured, table) = match of {
        Some((known, Some(own))) => (known, own.clone().over(&file.figures)),
        Some((known, None)) => (known, file.figures.clone()),
        None => (file.chip.as_str(), file.figures.clone()),
    };
    let figures = table.figures().map_err(|key| {
        Diagnostic::error("stack-file", format!("training stack `{name}` has no figure `{key}`"))
    })?;
    let mut sources = table.sources();
    sources.extend(file.kernels.as_ref().map(|kernels| kernels.row("kernels")));
    sources.extend(file.inputs.as_ref().map(|inputs| inputs.row("inputs")));
    sources.extend(file.checkpoint.as_ref().map(|checkpoint| checkpoint.row("checkpoint")));
    Ok(Stack {
        name: name.to_owned(),
        borrowed: (measured != chip).then(|| measured.to_owned()),
        title: file.title,
        version: file.version,
        vendors: file.vendors,
        attention: file.attention,
        exchange: file.exchange,
        kernels: file.kernels.map(|kernels| kernels.value).unwrap_or_default(),
        inputs: file.inputs.map(|inputs| inputs.value).unwrap_or_default(),
        checkpoint: file.checkpoint.map(|checkpoint| checkpoint.value).unwrap_or_default(),
        figures,
        sources,
    })
}
