//! Failures, restarts and storage, as the catalog has them.

use serde::Deserialize;
use vitruvian_diagnostics::{Diagnostic, SourceText};
use vitruvian_quantity::{BytesPerSecond, Seconds};

const FILE: &str = include_str!("../../../catalog/training/reliability.toml");

/// What interrupts a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reliability {
    /// Mean time between failures of one chip with its share of the node.
    pub chip_mtbf: Seconds,
    /// From a failure to the first step after it.
    pub restart: Seconds,
    /// What one chip writes to storage in a second.
    pub storage: BytesPerSecond,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sourced<T> {
    value: T,
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "grade")]
    _grade: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    chip_mtbf: Sourced<Seconds>,
    restart: Sourced<Seconds>,
    storage: Sourced<BytesPerSecond>,
}

/// The catalog's figures.
///
/// # Errors
/// A mistake in the embedded file, which a test rules out.
pub fn reliability() -> Result<Reliability, Diagnostic> {
    let source = SourceText::new("catalog/training/reliability.toml", FILE);
    let file: File = toml::from_str(FILE).map_err(|error| {
        let span = error.span().unwrap_or_default().into();
        Diagnostic::error("reliability-file", "the catalog's failure rates cannot be read").at(&source, span, error.message())
    })?;
    Ok(Reliability { chip_mtbf: file.chip_mtbf.value, restart: file.restart.value, storage: file.storage.value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_of_16384_chips_fails_every_three_hours() {
        // 54 days · 24 h / 419
        let mtbf = reliability().unwrap().chip_mtbf.get() / 16_384.0 / 3600.0;
        assert!((mtbf - 54.0 * 24.0 / 419.0).abs() < 0.01, "{mtbf}");
    }
}
