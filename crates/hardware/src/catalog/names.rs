//! What a person may call a chip.

use vitruvian_diagnostics::Diagnostic;

use crate::catalog::{CHIPS, names};
use crate::file;

/// Other names of chips.
const ALIASES: [(&str, &str); 24] = [
    ("h20-96g", "h20"),
    ("h20-141g", "h20-3e"),
    ("h100", "h100-sxm"),
    ("h800", "h800-sxm"),
    ("h200", "h200-sxm"),
    ("a100", "a100-sxm"),
    ("a800", "a800-sxm"),
    ("310p", "ascend-310p3"),
    ("310p3", "ascend-310p3"),
    ("ascend-310p", "ascend-310p3"),
    ("910a", "ascend-910a"),
    ("910b1", "ascend-910b1"),
    ("910b2", "ascend-910b2"),
    ("910b3", "ascend-910b3"),
    ("910b4", "ascend-910b4"),
    ("910b4-1", "ascend-910b4-1"),
    ("910c", "ascend-910c"),
    ("950pr", "ascend-950pr"),
    ("950", "ascend-950pr"),
    ("ascend-950", "ascend-950pr"),
    ("mi300", "mi300x"),
    ("4090", "rtx-4090"),
    ("4090d", "rtx-4090d"),
    ("mi325", "mi325x"),
];

/// Names that mean several different chips, and why they are refused.
const AMBIGUOUS: [(&[&str], &str, &str); 2] = [
    (
        &["910b", "ascend-910b"],
        "`910B` names SKUs of 20 and 24 cores, 32 and 64 GB, 0.8 and 1.6 TB/s, and a bin of the first generation",
        "ascend-910b",
    ),
    (&["910", "ascend-910", "ascend"], "`910` names three generations of chips", "ascend-910"),
];

/// The catalog's name of a chip; case and underscores do not matter.
///
/// # Errors
/// If no chip is called so, with the nearest names; if several are, with their names.
pub fn resolve(name: &str) -> Result<&'static str, Diagnostic> {
    let wanted = name.trim().to_lowercase().replace('_', "-");
    let wanted =
        ALIASES.iter().find(|(alias, _)| *alias == wanted).map_or(wanted.as_str(), |(_, chip)| *chip);
    if let Some((chip, _)) = CHIPS.iter().find(|(chip, _)| *chip == wanted) {
        return Ok(chip);
    }
    let ambiguous = AMBIGUOUS.iter().find(|(words, ..)| words.contains(&wanted));
    Err(ambiguous.map_or_else(|| unknown(name, wanted), |(_, reason, stem)| several(name, reason, stem)))
}

fn several(name: &str, reason: &str, stem: &str) -> Diagnostic {
    let skus: Vec<&str> = names().filter(|chip| chip.starts_with(stem)).collect();
    Diagnostic::error("ambiguous-chip", format!("`{name}` is not one chip: {reason}"))
        .help(format!("name the SKU: {}", skus.join(", ")))
}

fn unknown(name: &str, wanted: &str) -> Diagnostic {
    let known = names().chain(ALIASES.iter().map(|(alias, _)| *alias));
    let all = || format!("the catalog has {}", names().collect::<Vec<_>>().join(", "));
    Diagnostic::error("unknown-chip", format!("no chip is called `{name}`"))
        .help(file::did_you_mean(wanted, known).unwrap_or_else(all))
}
