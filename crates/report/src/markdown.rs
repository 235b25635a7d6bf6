//! A table in Markdown.

use crate::cell::Value;
use crate::table::{Align, Column, Row, Section, Table};

/// A pipe table with bold section rows; the title as a paragraph above, notes as paragraphs below.
pub fn render(table: &Table) -> String {
    let title = table.title.iter().map(|title| format!("**{}**\n\n", escape(title)));
    let head =
        [line(table.columns.iter().map(header)), line(table.columns.iter().map(|column| rule(column.align)))];
    let sections = table.sections.iter().flat_map(|section| section_lines(section, table.columns.len()));
    let notes = table.notes.iter().map(|note| format!("\n{note}\n"));
    title.chain(head).chain(sections).chain(notes).collect()
}

fn section_lines(section: &Section, columns: usize) -> impl Iterator<Item = String> + '_ {
    let title = section.title.iter().map(move |title| section_line(title, columns));
    title.chain(section.rows.iter().map(move |row| row_line(row, columns)))
}

fn header(column: &Column) -> String {
    match &column.unit {
        Some(unit) => format!("{} ({})", escape(&column.header), escape(unit)),
        None => escape(&column.header),
    }
}

fn rule(align: Align) -> String {
    if align == Align::Right { "---:".to_owned() } else { "---".to_owned() }
}

fn section_line(title: &str, columns: usize) -> String {
    let rest = std::iter::repeat_n(String::new(), columns.saturating_sub(1));
    line(std::iter::once(format!("**{}**", escape(title))).chain(rest))
}

fn row_line(row: &Row, columns: usize) -> String {
    line((0..columns).map(|index| cell(row, index)))
}

fn cell(row: &Row, index: usize) -> String {
    let text = escape(&row.value(index).one_line());
    match (index, &row.unit, row.value(index)) {
        (0, Some(unit), Value::Text(_)) => format!("{text} ({})", escape(unit)),
        _ => text,
    }
}

fn line(cells: impl Iterator<Item = String>) -> String {
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

fn escape(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Cell;

    #[test]
    fn units_stand_with_what_they_measure() {
        let mut table = Table::new([Column::name("chip"), Column::number("HBM", "GB")]);
        table.row([Cell::text("a|b"), Cell::number(96.0)]);
        assert_eq!(render(&table), "| chip | HBM (GB) |\n| --- | ---: |\n| a\\|b | 96.0 |\n");
    }

    #[test]
    fn sections_are_bold_rows() {
        let mut table = Table::side_by_side(["h20"]);
        table.section("Latency");
        table.metric("TTFT", "ms", [Cell::range(4.0, 3.0, 5.0)]);
        assert_eq!(
            render(&table),
            "| metric | h20 |\n| --- | --- |\n| **Latency** |  |\n| TTFT (ms) | 4.00 (3.00–5.00) |\n"
        );
    }
}
