//! Rows and columns before they mean anything.

use vitruvian_diagnostics::{Diagnostic, SourceText, Span};
use vitruvian_quantity::Seconds;

use crate::measurement::Software;

/// A table as it stands in a file.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The file, as a person knows it.
    pub name: String,
    /// The text that diagnostics point into; none for a binary file.
    pub source: Option<SourceText>,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub lines: Vec<Line>,
}

/// One row.
#[derive(Clone, Debug)]
pub struct Line {
    /// Line of the file, or number of the row, counted from one.
    pub number: u32,
    /// Where it stands in the text.
    pub span: Span,
    /// One cell a column.
    pub cells: Vec<Cell>,
}

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A number.
    Number(f64),
    /// Anything else.
    Text(String),
}

/// One row with the names of its columns. Accessors fail with a sentence that names the column.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The table.
    pub sheet: &'a Sheet,
    /// The row.
    pub line: &'a Line,
}

impl Sheet {
    /// Whether all these columns are there.
    pub fn has(&self, columns: &[&str]) -> bool {
        columns.iter().all(|column| self.columns.iter().any(|name| name == column))
    }

    /// A mistake at a row, or in the head of the file.
    pub fn fault(&self, line: Option<&Line>, message: impl Into<String>) -> Diagnostic {
        let message = message.into();
        match (&self.source, line) {
            (Some(source), line) => {
                let span = line.map_or_else(|| Span::new(0, 0), |line| line.span);
                Diagnostic::error("table-row", message).at(source, span, "")
            }
            (None, Some(line)) => {
                Diagnostic::error("table-row", format!("{}, row {}: {message}", self.name, line.number))
            }
            (None, None) => Diagnostic::error("table-row", format!("{}: {message}", self.name)),
        }
    }
}

impl<'a> Row<'a> {
    fn cell(&self, column: &str) -> Result<&'a Cell, String> {
        let index = self.sheet.columns.iter().position(|name| name == column);
        let cell = index.and_then(|index| self.line.cells.get(index));
        cell.ok_or_else(|| format!("no column `{column}`"))
    }

    /// Whether the table has a column.
    pub fn has(&self, column: &str) -> bool {
        self.sheet.columns.iter().any(|name| name == column)
    }

    /// A number.
    ///
    /// # Errors
    /// No such column, or no number there.
    pub fn number(&self, column: &str) -> Result<f64, String> {
        match self.cell(column)? {
            Cell::Number(value) => Ok(*value),
            Cell::Text(text) => Err(format!("`{column}` is `{text}`, not a number")),
        }
    }

    /// A whole number from zero to 2³² − 1.
    ///
    /// # Errors
    /// No such column, or no such number there.
    pub fn count(&self, column: &str) -> Result<u32, String> {
        let value = self.number(column)?;
        let whole = value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value);
        if whole {
            Ok(value as u32)
        } else {
            Err(format!("`{column}` is {value}, not a whole number of things"))
        }
    }

    /// As [`Row::count`], or this number where the table has no such column.
    ///
    /// # Errors
    /// No such number there.
    pub fn count_or(&self, column: &str, otherwise: u32) -> Result<u32, String> {
        if self.has(column) { self.count(column) } else { Ok(otherwise) }
    }

    /// A word.
    ///
    /// # Errors
    /// No such column, or a number there.
    pub fn text(&self, column: &str) -> Result<&'a str, String> {
        match self.cell(column)? {
            Cell::Text(text) => Ok(text),
            Cell::Number(value) => Err(format!("`{column}` is {value}, not a word")),
        }
    }

    /// The measured time: `latency_us`, or `latency` in ms as aiconfigurator writes it.
    ///
    /// # Errors
    /// Neither column, or no positive number there.
    pub fn latency(&self) -> Result<Seconds, String> {
        let (column, unit) = if self.has("latency_us") { ("latency_us", 1e-6) } else { ("latency", 1e-3) };
        self.time(column, unit)
    }

    /// A time in a column of that unit (in seconds).
    ///
    /// # Errors
    /// No such column, or no positive number there.
    pub fn time(&self, column: &str, unit: f64) -> Result<Seconds, String> {
        let value = self.number(column)?;
        let sound = value.is_finite() && value > 0.0;
        if sound {
            Ok(Seconds::new(value * unit))
        } else {
            Err(format!("`{column}` is {value}, not a time above zero"))
        }
    }

    /// The measured software, if the table has `framework` and `version`.
    pub fn software(&self) -> Option<Software> {
        let name = self.text("framework").ok()?.to_lowercase();
        let version = match self.cell("version").ok()? {
            Cell::Text(text) => text.clone(),
            Cell::Number(value) => value.to_string(),
        };
        Some(Software { name, version })
    }
}
