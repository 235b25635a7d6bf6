//! Prints the error of every scenario of training: `cargo run --release -p vitruvian --example training_errors`.

use std::error::Error;
use std::fs;
use std::path::Path;

use vitruvian::validation::scenarios::scenarios;
use vitruvian_diagnostics::SourceText;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../validation/training");
    let mut paths: Vec<_> = fs::read_dir(folder)?.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| -> Result<SourceText, Box<dyn Error>> {
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(SourceText::new(name, fs::read_to_string(path)?))
    };
    let files = paths.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    if std::env::args().any(|argument| argument == "--fit") {
        let fits = vitruvian::validation::scenarios::training::fit(&files).map_err(|faults| faults.to_string())?;
        for fit in fits {
            std::io::Write::write_all(&mut std::io::stdout(), format!("{fit:#?}\n").as_bytes())?;
        }
        return Ok(());
    }
    let report = scenarios(&files).map_err(|faults| faults.to_string())?;
    for row in &report.rows {
        let measured = row.measured.unwrap_or_default();
        let error = row.error_pct.unwrap_or_default();
        let line = format!(
            "{:58} {:8} {:8} {:30} {measured:10.3} {:10.3} {error:7.1}\n",
            row.file, row.split, row.grade, row.metric, row.predicted
        );
        std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes())?;
    }
    for refused in &report.refused {
        std::io::Write::write_all(&mut std::io::stdout(), format!("refused {} {}\n", refused.file, refused.reason).as_bytes())?;
    }
    Ok(())
}
