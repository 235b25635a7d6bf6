//! A page as one HTML file: style and figures inside, no script, nothing fetched.

use std::fmt::Write;

use crate::cell::{Tone, Value};
use crate::figure::Figure;
use crate::page::{Block, Page};
use crate::svg::{self, escape};
use crate::table::{Align, Column, Role, Row, Section, Table};

/// The style sheet of the page around the figures.
const STYLE: &str = include_str!("html/style.css");

/// The whole page.
pub fn render(page: &Page) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <style>\n{STYLE}{figures}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        title = escape(&page.title),
        figures = svg::STYLE,
        body = body(page),
    )
}

fn body(page: &Page) -> String {
    let mut out = format!("<header>\n<h1>{}</h1>\n", escape(&page.title));
    if !page.subtitle.is_empty() {
        element(&mut out, "p", "subtitle", &escape(&page.subtitle));
    }
    out.push_str("</header>\n");
    if !page.summary.is_empty() {
        element(&mut out, "section", "summary", &paragraphs(&page.summary));
    }
    page.blocks.iter().for_each(|part| block(&mut out, part));
    if !page.footer.is_empty() {
        element(&mut out, "footer", "made", &paragraphs(&page.footer));
    }
    out
}

fn paragraphs(texts: &[String]) -> String {
    texts.iter().map(|text| format!("<p>{}</p>", escape(text))).collect::<Vec<_>>().join("\n")
}

fn block(out: &mut String, block: &Block) {
    match block {
        Block::Heading(text) => element(out, "h2", "part", &escape(text)),
        Block::Text(text) => element(out, "p", "text", &escape(text)),
        Block::Code(text) => element(out, "pre", "code", &escape(text)),
        Block::Figure(shown) => figure(out, shown),
        Block::Table(shown) => table(out, shown),
    }
}

fn figure(out: &mut String, figure: &Figure) {
    let caption = format!("<strong>{}.</strong> {}", escape(&figure.title), escape(&figure.caption));
    let drawn = format!("<div class=\"scroll\">{}</div>", svg::fragment(figure));
    element(out, "figure", "drawn", &format!("{drawn}\n<figcaption>{caption}</figcaption>"));
}

fn table(out: &mut String, table: &Table) {
    out.push_str("<figure class=\"tabled\">\n<div class=\"scroll\">\n<table>\n");
    if let Some(title) = &table.title {
        element(out, "caption", "title", &escape(title));
    }
    element(out, "thead", "head", &head(table));
    table.sections.iter().for_each(|part| section(out, table, part));
    out.push_str("</table>\n</div>\n");
    if !table.notes.is_empty() {
        element(out, "figcaption", "notes", &paragraphs(&table.notes));
    }
    out.push_str("</figure>\n");
}

fn head(table: &Table) -> String {
    let cells = table.columns.iter().map(|column| {
        let unit = column.unit.iter().map(|unit| format!("<span class=\"unit\">{}</span>", escape(unit)));
        let content = std::iter::once(escape(&column.header)).chain(unit).collect::<Vec<_>>().join(" ");
        format!("<th scope=\"col\" class=\"{}\">{content}</th>", class_of(column))
    });
    format!("<tr>{}</tr>", cells.collect::<String>())
}

fn section(out: &mut String, table: &Table, section: &Section) {
    out.push_str("<tbody>\n");
    if let Some(title) = &section.title {
        let span = table.columns.len();
        let cell = format!("<th scope=\"rowgroup\" colspan=\"{span}\">{}</th>", escape(title));
        element(out, "tr", "section", &cell);
    }
    section.rows.iter().for_each(|line| element(out, "tr", tone_class(line.tone), &row(table, line)));
    out.push_str("</tbody>\n");
}

fn row(table: &Table, row: &Row) -> String {
    table.columns.iter().enumerate().map(|(index, column)| cell(column, index, row)).collect()
}

fn cell(column: &Column, index: usize, row: &Row) -> String {
    let value = row.value(index);
    let numeric = if value.is_numeric() { " number" } else { "" };
    let class = format!("{}{numeric} {}", class_of(column), tone_class(row.tone_of(index)));
    let unit = row
        .unit
        .iter()
        .filter(|_| index == 0)
        .map(|unit| format!(" <span class=\"unit\">{}</span>", escape(unit)));
    let content = std::iter::once(content(value)).chain(unit).collect::<String>();
    let (open, close) = if index == 0 { ("th scope=\"row\"", "th") } else { ("td", "td") };
    format!("<{open} class=\"{}\">{content}</{close}>", class.trim())
}

fn content(value: &Value) -> String {
    let head = escape(&value.head());
    match value {
        Value::Share(part) => {
            let width = part.clamp(0.0, 1.0) * 100.0;
            format!("{head}<span class=\"bar\"><span style=\"width:{width:.1}%\"></span></span>")
        }
        _ => match value.tail() {
            Some(tail) => format!("{head}<span class=\"interval\">{}</span>", escape(&tail)),
            None => head,
        },
    }
}

fn class_of(column: &Column) -> &'static str {
    match (column.role, column.align) {
        (Role::Name, _) => "name",
        (Role::Detail, _) => "detail",
        (Role::Value, Align::Right) => "right",
        (Role::Value, Align::Left) => "left",
    }
}

fn tone_class(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "plain",
        Tone::Strong => "strong",
        Tone::Dim => "dim",
        Tone::Good => "good",
        Tone::Bad => "bad",
    }
}

/// An element with a class around content that is HTML already.
fn element(out: &mut String, name: &str, class: &str, content: &str) {
    // Writing into a `String` does not fail.
    let _ = writeln!(out, "<{name} class=\"{class}\">{content}</{name}>");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Cell;

    fn page() -> Page {
        let mut table = Table::side_by_side(["h20"]);
        table.section("Latency <of a step>");
        table.metric("TTFT", "ms", [Cell::range(412.0, 380.0, 450.0)]);
        Page { title: "A & B".to_owned(), blocks: vec![Block::Table(table)], ..Page::default() }
    }

    #[test]
    fn words_are_escaped() {
        let html = render(&page());
        assert!(html.contains("<h1>A &amp; B</h1>"));
        assert!(html.contains("Latency &lt;of a step&gt;"));
    }

    #[test]
    fn nothing_is_fetched_and_nothing_runs() {
        let html = render(&page());
        for word in ["<script", "http://", "https://", "src=", "@import", "url("] {
            assert!(!html.contains(word), "{word}");
        }
    }

    #[test]
    fn numbers_stand_with_unit_and_interval() {
        let html = render(&page());
        assert!(html.contains("TTFT <span class=\"unit\">ms</span>"));
        assert!(html.contains("412<span class=\"interval\">380–450</span>"));
    }
}
