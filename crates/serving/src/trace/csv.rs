//! Traces with a header and a row a request.

use csv::{Reader, ReaderBuilder, StringRecord, Trim};
use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText, Span};

use super::columns::Columns;
use super::{Placed, Row, clock, tokens};

pub(super) fn rows(source: &SourceText, columns: &Columns) -> Result<Vec<Placed>, Diagnostics> {
    let mut reader =
        ReaderBuilder::new().trim(Trim::All).flexible(true).from_reader(source.text().as_bytes());
    let places = places(&mut reader, source, columns)?;
    let mut rows = Vec::new();
    let mut record = StringRecord::new();
    loop {
        let start = reader.position().byte() as usize;
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(rows),
            Ok(true) => {
                let start = record.position().map_or(start, |at| at.byte() as usize);
                rows.push(Placed { span: line(source, start), row: row(&record, places, columns) });
            }
            Err(error) => rows.push(Placed { span: line(source, start), row: Err(error.to_string()) }),
        }
    }
}

/// Where the columns of time, input and output are.
fn places(
    reader: &mut Reader<&[u8]>,
    source: &SourceText,
    columns: &Columns,
) -> Result<[usize; 3], Diagnostics> {
    let header = reader.headers().map_err(|error| Diagnostic::error("trace-csv", error.to_string()))?.clone();
    let place = |name: &str| header.iter().position(|column| column == name);
    let names = [&columns.time, &columns.input, &columns.output];
    let missing: Vec<&str> =
        names.iter().filter(|name| place(name).is_none()).map(|name| name.as_str()).collect();
    if !missing.is_empty() {
        return Err(Diagnostic::error("trace-columns", format!("no column {}", missing.join(", ")))
            .at(source, line(source, 0), "the header")
            .into());
    }
    Ok(names.map(|name| place(name).unwrap_or(0)))
}

fn row(record: &StringRecord, [time, input, output]: [usize; 3], columns: &Columns) -> Result<Row, String> {
    let cell = |place: usize, name: &str| {
        record.get(place).filter(|text| !text.is_empty()).ok_or_else(|| format!("no value for `{name}`"))
    };
    Ok(Row {
        time: clock::seconds(&columns.time, cell(time, &columns.time)?, columns.seconds)?,
        input: tokens(&columns.input, cell(input, &columns.input)?)?,
        output: tokens(&columns.output, cell(output, &columns.output)?)?,
        names: Vec::new(),
    })
}

/// From a byte to the end of its line.
fn line(source: &SourceText, start: usize) -> Span {
    let rest = source.text().get(start..).unwrap_or_default();
    Span::new(start, start + rest.find(['\r', '\n']).unwrap_or(rest.len()))
}
