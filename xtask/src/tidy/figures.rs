//! No figure of a chip, a price or a rule stands in code: it stands in `catalog/` with unit, source and grade.
//!
//! A heuristic: it knows figures by the units that are written beside them or end their names.

use crate::repository::{File, Repository};

/// Units in which catalogs state figures.
const UNITS: [&str; 14] = [
    "TB/s", "GB/s", "TFLOP/s", "PFLOP/s", "GHz", "MHz", "MiB", "GiB", "GB", "W", "USD", "pJ/FLOP", "pJ/B",
    "mm2",
];

/// Ends of names that hold figures.
const ENDINGS: [&str; 8] = ["_tflops", "_tops", "_gbps", "_tbps", "_ghz", "_watts", "_usd", "_mm2"];

/// Where figures in code are right, with the reason.
const ALLOWED: &[(&str, &str)] = &[("crates/quantity/", "it defines the units")];

pub(super) fn check(repository: &Repository) -> Vec<String> {
    let sources = repository.product_sources();
    sources
        .filter(|file| !ALLOWED.iter().any(|(path, _)| file.path.starts_with(path)))
        .flat_map(faults)
        .collect()
}

fn faults(file: &File) -> Vec<String> {
    let code = file.product_lines().filter(|(_, line)| !line.trim_start().starts_with("//"));
    let figures = code.filter(|(_, line)| has_figure(line) || has_named_figure(line));
    figures
        .map(|(number, _)| {
            file.finding(number, "a figure belongs into catalog/, with unit, source and grade")
        })
        .collect()
}

/// A string literal that is a number and a unit: `"4.0 TB/s"`.
fn has_figure(line: &str) -> bool {
    let literals = line.split('"').skip(1).step_by(2);
    literals
        .filter_map(|literal| literal.split_once(' '))
        .any(|(number, unit)| number.parse::<f64>().is_ok() && UNITS.contains(&unit))
}

/// A name that ends in a unit and is given a number: `let peak_tflops = 148.0`.
fn has_named_figure(line: &str) -> bool {
    let Some((name, value)) = line.split_once('=') else { return false };
    let name = name.split(':').next().unwrap_or(name).trim_end().to_lowercase();
    let value = value.trim_start();
    ENDINGS.iter().any(|ending| name.ends_with(ending)) && value.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_known_by_their_units() {
        assert!(has_figure("let x = parse(\"4.0 TB/s\");"));
        assert!(has_named_figure("const H20_TFLOPS: f64 = 148.0;"));
        assert!(!has_figure("Column::number(\"bandwidth\", \"TB/s\")"));
        assert!(!has_named_figure("let peak_tflops = chip.peak();"));
    }
}
