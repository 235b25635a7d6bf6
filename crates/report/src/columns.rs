//! Long tables, a column at a time: as CSV and as Parquet.

use std::fmt::Write;
use std::sync::Arc;

use parquet::basic::{Compression, Repetition, Type as Physical};
use parquet::data_type::{DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

/// A named column; the name carries the unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Header.
    pub name: &'static str,
    /// Values, one a row.
    pub values: Values,
}

/// The values of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Whole numbers.
    Whole(Vec<i64>),
    /// Numbers; what is not a number is an empty cell.
    Number(Vec<f64>),
}

impl Column {
    /// A column of whole numbers.
    pub fn whole(name: &'static str, values: impl Iterator<Item = i64>) -> Self {
        Self { name, values: Values::Whole(values.collect()) }
    }

    /// A column of numbers.
    pub fn number(name: &'static str, values: impl Iterator<Item = f64>) -> Self {
        Self { name, values: Values::Number(values.collect()) }
    }

    fn rows(&self) -> usize {
        match &self.values {
            Values::Whole(values) => values.len(),
            Values::Number(values) => values.len(),
        }
    }
}

/// The columns as CSV, numbers in the shortest form that reads back the same.
pub fn csv(columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    let mut out = names.join(",");
    out.push('\n');
    for row in 0..columns.first().map_or(0, Column::rows) {
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            cell(&mut out, column, row);
        }
        out.push('\n');
    }
    out
}

fn cell(out: &mut String, column: &Column, row: usize) {
    // Writing to a string cannot fail.
    let _ = match &column.values {
        Values::Whole(values) => write!(out, "{}", values[row]),
        Values::Number(values) if values[row].is_finite() => write!(out, "{}", values[row]),
        Values::Number(_) => Ok(()),
    };
}

/// The columns as a Parquet file of one row group, compressed by Zstandard.
///
/// # Errors
/// What the format cannot hold.
pub fn parquet(columns: &[Column]) -> Result<Vec<u8>, ParquetError> {
    let fields = columns.iter().map(field).collect::<Result<Vec<_>, _>>()?;
    let schema = Arc::new(Type::group_type_builder("requests").with_fields(fields).build()?);
    let compression = Compression::ZSTD(parquet::basic::ZstdLevel::default());
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut file = SerializedFileWriter::new(Vec::new(), schema, properties)?;
    let mut group = file.next_row_group()?;
    columns.iter().try_for_each(|column| write_column(&mut group, column))?;
    group.close()?;
    file.into_inner()
}

fn field(column: &Column) -> Result<Arc<Type>, ParquetError> {
    let (physical, repetition) = match column.values {
        Values::Whole(_) => (Physical::INT64, Repetition::REQUIRED),
        Values::Number(_) => (Physical::DOUBLE, Repetition::OPTIONAL),
    };
    let field = Type::primitive_type_builder(column.name, physical).with_repetition(repetition).build()?;
    Ok(Arc::new(field))
}

fn write_column(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    column: &Column,
) -> Result<(), ParquetError> {
    let Some(mut writer) = group.next_column()? else { return Ok(()) };
    match &column.values {
        Values::Whole(values) => {
            writer.typed::<Int64Type>().write_batch(values, None, None)?;
        }
        Values::Number(values) => {
            let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_finite())).collect();
            let present: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
            writer.typed::<DoubleType>().write_batch(&present, Some(&levels), None)?;
        }
    }
    writer.close()
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;

    use super::*;

    fn columns() -> Vec<Column> {
        vec![
            Column::whole("tokens", [3, 5].into_iter()),
            Column::number("time_ms", [0.25, f64::NAN].into_iter()),
        ]
    }

    #[test]
    fn csv_leaves_what_is_no_number_empty() {
        assert_eq!(csv(&columns()), "tokens,time_ms\n3,0.25\n5,\n");
    }

    #[test]
    fn parquet_reads_back_the_same() {
        let file = SerializedFileReader::new(bytes::Bytes::from(parquet(&columns()).unwrap())).unwrap();
        let rows: Vec<_> = file.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].get_long(0).unwrap(), rows[0].get_double(1).unwrap()), (3, 0.25));
        assert_eq!(rows[1].get_long(0).unwrap(), 5);
        assert!(rows[1].get_double(1).is_err());
    }
}
