//! Reading a parquet file of the aiconfigurator tree.

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use vitruvian_diagnostics::{Diagnostic, Diagnostics, Span};

use super::sheet::{Cell, Line, Sheet};
use super::{Table, interpret};

/// Reads a parquet file of operator times as aiconfigurator writes it (latencies in ms).
///
/// # Errors
/// A file that is not parquet, columns that no kind of table has, and every cell that is not what its column asks for.
pub fn read_parquet(name: &str, content: Vec<u8>) -> Result<Table, Diagnostics> {
    let fault = |error: ParquetError| Diagnostic::error("table-parquet", format!("{name}: {error}"));
    interpret(&sheet(name, content).map_err(fault)?)
}

fn sheet(name: &str, content: Vec<u8>) -> Result<Sheet, ParquetError> {
    let reader = SerializedFileReader::new(Bytes::from(content))?;
    let schema = reader.metadata().file_metadata().schema_descr();
    let columns = schema.columns().iter().map(|column| column.name().to_owned()).collect();
    let mut sheet = Sheet { name: name.to_owned(), source: None, columns, lines: Vec::new() };
    for row in reader.get_row_iter(None)? {
        let cells = row?.get_column_iter().map(|(_, field)| cell(field)).collect();
        sheet.lines.push(Line { number: sheet.lines.len() as u32 + 1, span: Span::default(), cells });
    }
    Ok(sheet)
}

fn cell(field: &Field) -> Cell {
    match field {
        Field::Str(text) => Cell::Text(text.clone()),
        Field::Byte(value) => Cell::Number(f64::from(*value)),
        Field::Short(value) => Cell::Number(f64::from(*value)),
        Field::Int(value) => Cell::Number(f64::from(*value)),
        Field::Long(value) => Cell::Number(*value as f64),
        Field::UInt(value) => Cell::Number(f64::from(*value)),
        Field::ULong(value) => Cell::Number(*value as f64),
        Field::Float(value) => Cell::Number(f64::from(*value)),
        Field::Double(value) => Cell::Number(*value),
        other => Cell::Text(other.to_string()),
    }
}
