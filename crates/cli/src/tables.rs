//! Measured tables named by the user: CSV and parquet files, or folders of them.

use std::path::{Path, PathBuf};

use vitruvian_calibration::{Table, read_csv, read_parquet};
use vitruvian_diagnostics::{Diagnostic, Diagnostics};

use crate::io;

/// Tables, and what was left aside.
pub(crate) struct Tables {
    pub(crate) tables: Vec<Table>,
    /// Files in folders that are no tables of operators.
    pub(crate) doubts: Vec<Diagnostic>,
}

/// Reads all tables. What stands in a folder and is no table of operators is left aside with a warning.
///
/// # Errors
/// Every mistake of every file that was named itself.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Tables, Diagnostics> {
    let (mut tables, mut left_aside, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for path in paths {
        for file in io::files_in(path).into_iter().filter(|file| !path.is_dir() || is_table(file)) {
            match read_table(&file) {
                Ok(table) => tables.push(table),
                Err(_) if path.is_dir() => left_aside.push(file),
                Err(refused) => faults.extend(refused.0),
            }
        }
    }
    let doubts = doubt(&left_aside).into_iter().collect();
    if faults.is_empty() { Ok(Tables { tables, doubts }) } else { Err(Diagnostics(faults)) }
}

fn is_table(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "csv" || extension == "parquet")
}

fn read_table(path: &Path) -> Result<Table, Diagnostics> {
    if path.extension().is_some_and(|extension| extension == "parquet") {
        return read_parquet(&path.display().to_string(), io::read_bytes(path)?);
    }
    read_csv(&io::read_text(path)?)
}

/// One warning for all files that were left aside.
fn doubt(files: &[PathBuf]) -> Option<Diagnostic> {
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let message =
        format!("left aside, as they are no tables of operator times: {} of the files", files.len());
    let help = format!("name one with `--table` to see what is missing: {}", names.join(", "));
    (!files.is_empty()).then(|| Diagnostic::warning("table-left-aside", message).help(help))
}
