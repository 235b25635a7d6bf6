//! Reading a CSV text.

use csv::{ReaderBuilder, StringRecord, Trim};
use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText, Span};

use super::sheet::{Cell, Line, Sheet};
use super::{Table, interpret};

/// Reads a table of operator times with the columns that `docs/calibration.md` lists.
///
/// # Errors
/// Columns that no kind of table has, rows of the wrong length, and every cell that is not what its column asks for.
pub fn read_csv(source: &SourceText) -> Result<Table, Diagnostics> {
    interpret(&sheet(source)?)
}

fn sheet(source: &SourceText) -> Result<Sheet, Diagnostic> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(source.text().as_bytes());
    let columns =
        reader.headers().map_err(|error| fault(source, &error))?.iter().map(str::to_owned).collect();
    let mut sheet =
        Sheet { name: source.name().to_owned(), source: Some(source.clone()), columns, lines: Vec::new() };
    for record in reader.records() {
        sheet.lines.push(line(source, &record.map_err(|error| fault(source, &error))?));
    }
    Ok(sheet)
}

fn line(source: &SourceText, record: &StringRecord) -> Line {
    let (start, number) = record.position().map_or((0, 0), |at| (at.byte() as usize, at.line()));
    let end = source.text()[start..].find('\n').map_or(source.text().len(), |length| start + length);
    Line { number: number as u32, span: Span::new(start, end), cells: record.iter().map(cell).collect() }
}

fn cell(text: &str) -> Cell {
    text.parse().map_or_else(|_| Cell::Text(text.to_owned()), Cell::Number)
}

fn fault(source: &SourceText, error: &csv::Error) -> Diagnostic {
    let start = error.position().map_or(0, |at| at.byte() as usize);
    Diagnostic::error("table-csv", error.to_string()).at(source, Span::new(start, start), "")
}
