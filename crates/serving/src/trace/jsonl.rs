//! Traces with a JSON object a line.

use serde_json::{Map, Value};
use vitruvian_diagnostics::{SourceText, Span};

use super::columns::Columns;
use super::{Placed, Row, clock, tokens_of};

pub(super) fn rows(source: &SourceText, columns: &Columns) -> Vec<Placed> {
    let mut start = 0;
    let mut rows = Vec::new();
    for line in source.text().split_inclusive('\n') {
        let text = line.trim_end();
        if !text.is_empty() {
            rows.push(Placed { span: Span::new(start, start + text.len()), row: row(text, columns) });
        }
        start += line.len();
    }
    rows
}

fn row(text: &str, columns: &Columns) -> Result<Row, String> {
    let object: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| format!("not a JSON object: {error}"))?;
    let number = |key: &str| match object.get(key) {
        Some(value) => value.as_f64().ok_or_else(|| format!("`{key}` must be a number, not {value}")),
        None => Err(format!("no value for `{key}`")),
    };
    let time = match object.get(&columns.time) {
        Some(Value::String(text)) => clock::seconds(&columns.time, text, columns.seconds)?,
        _ => number(&columns.time)? * columns.seconds,
    };
    let input = tokens_of(&columns.input, number(&columns.input)?)?;
    let output = tokens_of(&columns.output, number(&columns.output)?)?;
    let names = match columns.names.as_ref().and_then(|key| object.get(key)) {
        Some(list) => names(list, input, columns)?,
        None => Vec::new(),
    };
    Ok(Row { time, input, output, names })
}

/// A name for each unit of the prompt.
fn names(list: &Value, input: u32, columns: &Columns) -> Result<Vec<u64>, String> {
    let key = columns.names.as_deref().unwrap_or_default();
    let named: Option<Vec<u64>> = list.as_array().and_then(|list| list.iter().map(Value::as_u64).collect());
    let named = named.ok_or_else(|| format!("`{key}` must be a list of whole numbers"))?;
    let units = input.div_ceil(columns.unit.max(1)) as usize;
    if named.len() > units {
        return Err(format!("`{key}` names {} units, but {input} tokens fill {units}", named.len()));
    }
    Ok(named)
}
