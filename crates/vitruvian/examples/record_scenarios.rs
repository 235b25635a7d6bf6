//! Writes the present errors into the files of `validation/`, for when a better model has moved them:
//! `cargo run --release -p vitruvian --example record_scenarios`. Say in DEVIATIONS.md why they moved.

use std::error::Error;
use std::fs;
use std::path::Path;

use vitruvian::validation::scenarios::{ScenarioRow, scenarios};
use vitruvian_diagnostics::SourceText;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../validation");
    let mut files = Vec::new();
    for folder in [folder.clone(), folder.join("training")] {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                files.push(SourceText::new(path.display().to_string(), fs::read_to_string(&path)?));
            }
        }
    }
    let report = scenarios(&files).map_err(|faults| faults.to_string())?;
    for file in &files {
        let rows: Vec<&ScenarioRow> = report.rows.iter().filter(|row| row.file == file.name()).collect();
        let lines = file.text().lines().map(|line| recorded(line, &rows) + "\n");
        fs::write(file.name(), lines.collect::<String>())?;
    }
    Ok(())
}

/// The line with its metric's error, if it is one of a metric.
fn recorded(line: &str, rows: &[&ScenarioRow]) -> String {
    let metric = line.split(" = ").next().unwrap_or_default();
    let error = rows.iter().find(|row| row.metric == metric).and_then(|row| row.error_pct);
    let Some(error) = error else { return line.to_owned() };
    let kept = line.split(", error_pct").next().unwrap_or(line).trim_end_matches([' ', '}']);
    format!("{kept}, error_pct = {error:.1} }}")
}
