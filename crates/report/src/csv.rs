//! A table for machines: exact numbers, the unit in the header.

use crate::cell::Value;
use crate::table::{Column, Row, Section, Table};

/// CSV with one line a row.
///
/// Headers are lower-case words joined by `_`, the unit last (`tpot_ms`); a column with ranges is followed by its
/// `_p10` and `_p90`; sections become a first column `section`, row units a column `unit`. Numbers are exact and
/// shares are parts of one.
pub fn render(table: &Table) -> String {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    let form = Form::of(table);
    for line in std::iter::once(form.header(table)).chain(form.body(table)) {
        // Writing to memory fails only on lines of unequal length, which `line` rules out.
        let _ = writer.write_record(line);
    }
    writer.into_inner().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// Which columns a table has, looked up once for all of its rows.
struct Form {
    sections: bool,
    units: bool,
    /// Whether each column has ranges.
    ranges: Vec<bool>,
}

impl Form {
    fn of(table: &Table) -> Self {
        Self {
            sections: table.sections.iter().any(|section| section.title.is_some()),
            units: table.has_row_units(),
            ranges: (0..table.columns.len()).map(|column| table.has_ranges(column)).collect(),
        }
    }

    fn header(&self, table: &Table) -> Vec<String> {
        let mut header: Vec<String> = Vec::new();
        header.extend(self.sections.then(|| "section".to_owned()));
        for (index, (column, ranges)) in table.columns.iter().zip(&self.ranges).enumerate() {
            let name = column_name(column);
            header.push(name.clone());
            if *ranges {
                header.extend([format!("{name}_p10"), format!("{name}_p90")]);
            }
            header.extend((index == 0 && self.units).then(|| "unit".to_owned()));
        }
        header
    }

    fn body<'a>(&'a self, table: &'a Table) -> impl Iterator<Item = Vec<String>> + 'a {
        let sections = table.sections.iter();
        sections.flat_map(move |section| section.rows.iter().map(move |row| self.line(section, row)))
    }

    fn line(&self, section: &Section, row: &Row) -> Vec<String> {
        let mut line: Vec<String> = Vec::new();
        line.extend(self.sections.then(|| section.title.clone().unwrap_or_default()));
        for (index, ranges) in self.ranges.iter().enumerate() {
            line.push(exact(row.value(index)));
            if *ranges {
                line.extend(ends(row.value(index)));
            }
            line.extend((index == 0 && self.units).then(|| row.unit.clone().unwrap_or_default()));
        }
        line
    }
}

fn exact(value: &Value) -> String {
    match value {
        Value::Empty => String::new(),
        Value::Text(text) => text.clone(),
        Value::Integer(value) => value.to_string(),
        Value::Number(value) | Value::Share(value) | Value::Range { typical: value, .. } => value.to_string(),
    }
}

fn ends(value: &Value) -> [String; 2] {
    match value {
        Value::Range { p10, p90, .. } => [p10.to_string(), p90.to_string()],
        _ => [String::new(), String::new()],
    }
}

/// `TPOT` in `ms` as `tpot_ms`; `tokens/s per chip` as `tokens_per_s_per_chip`.
fn column_name(column: &Column) -> String {
    let unit = column.unit.as_deref().unwrap_or("");
    let spelt =
        format!("{} {unit}", column.header).replace('/', " per ").replace('%', " percent").replace('µ', "u");
    let lower = spelt.to_lowercase();
    let words = lower.split(|c: char| !(c.is_alphanumeric() || c == '-')).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Cell;

    #[test]
    fn numbers_are_exact_and_ranges_take_three_columns() {
        let mut table = Table::new([Column::name("chip"), Column::number("TPOT", "ms")]);
        table.row([Cell::text("h20"), Cell::range(41.234_567, 38.0, 45.5)]);
        assert_eq!(render(&table), "chip,tpot_ms,tpot_ms_p10,tpot_ms_p90\nh20,41.234567,38,45.5\n");
    }

    #[test]
    fn sections_and_row_units_become_columns() {
        let mut table = Table::side_by_side(["h20", "ascend-910b2"]);
        table.section("Latency");
        table.metric("TTFT", "ms", [Cell::number(412.0), Cell::number(600.5)]);
        assert_eq!(render(&table), "section,metric,unit,h20,ascend-910b2\nLatency,TTFT,ms,412,600.5\n");
    }

    #[test]
    fn names_are_words_joined_by_underscores() {
        assert_eq!(column_name(&Column::number("tokens/s per chip", "")), "tokens_per_s_per_chip");
        assert_eq!(column_name(&Column::number("HBM", "TB/s")), "hbm_tb_per_s");
        assert_eq!(column_name(&Column::number("error", "%")), "error_percent");
    }

    #[test]
    fn commas_and_quotes_are_quoted() {
        let mut table = Table::new([Column::name("a")]);
        table.row(["x, \"y\""]);
        assert_eq!(render(&table), "a\n\"x, \"\"y\"\"\"\n");
    }

    #[test]
    fn short_rows_are_filled() {
        let mut table = Table::new([Column::name("a"), Column::text("b")]);
        table.row(["x"]);
        assert_eq!(render(&table), "a,b\nx,\n");
    }
}
