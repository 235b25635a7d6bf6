//! A table on a terminal: aligned columns, one rule under the header, colour only when told to.
//!
//! Numbers stand digits under digits, their intervals or bars beside them; units stand in a line of their own under
//! the header, or beside the name of a metric. Where the terminal is too narrow, words are wrapped and numbers never.
//! (No table library sets a number and its interval on edges of their own within one column.)

mod layout;
mod paint;
mod wrap;

use crate::page::{Block, Page};
use crate::table::{Section, Table};
use layout::Layout;
use paint::{Paint, Style};
pub use wrap::wrap;

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextStyle {
    /// Columns of the terminal; unlimited in a pipe.
    pub width: Option<usize>,
    /// Whether to use ANSI colour.
    pub colour: bool,
    /// Characters to draw with.
    pub charset: Charset,
}

/// Characters to draw rules and bars with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charset {
    /// Light box drawing and block elements.
    #[default]
    Unicode,
    /// ASCII only.
    Ascii,
}

impl TextStyle {
    /// No colour, no limit: what a pipe or a test gets.
    pub const PLAIN: Self = Self { width: None, colour: false, charset: Charset::Unicode };
}

impl Default for TextStyle {
    fn default() -> Self {
        Self::PLAIN
    }
}

/// The table as lines, each ended by a newline and without trailing blanks.
pub fn render(table: &Table, style: TextStyle) -> String {
    let layout = Layout::of(table, style);
    let paint = Paint(style.colour);
    let mut lines: Vec<String> = Vec::new();
    if let Some(title) = &table.title {
        lines.extend(wrap(title, style.width).iter().map(|line| paint.apply(line, Style::TITLE)));
        lines.push(String::new());
    }
    lines.extend(layout.header(table, paint));
    for (index, section) in table.sections.iter().enumerate() {
        lines.extend(section_lines(section, index, &layout, paint));
    }
    if !table.notes.is_empty() {
        lines.push(String::new());
    }
    lines.extend(table.notes.iter().flat_map(|note| wrap(note, style.width)));
    lines.iter().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// A page as paragraphs and tables; the summary, which the tables bear out, comes last. Figures have no place here.
pub fn page(page: &Page, style: TextStyle) -> String {
    let paint = Paint(style.colour);
    let heading = [paint.apply(&page.title, Style::TITLE), paint.apply(&page.subtitle, Style::DIM)];
    let heading: Vec<String> = heading.into_iter().filter(|line| !line.is_empty()).collect();
    let heading =
        Some(heading.join("\n")).filter(|lines| !lines.is_empty()).map(|lines| format!("{lines}\n"));
    let blocks = page.blocks.iter().filter_map(|part| block(part, style));
    let paragraphs = page.summary.iter().chain(&page.footer).map(|text| paragraph(text, style));
    heading.into_iter().chain(blocks).chain(paragraphs).collect::<Vec<_>>().join("\n")
}

fn block(block: &Block, style: TextStyle) -> Option<String> {
    match block {
        Block::Heading(text) => Some(format!("{}\n", Paint(style.colour).apply(text, Style::TITLE))),
        Block::Text(text) => Some(paragraph(text, style)),
        Block::Code(text) => Some(text.lines().flat_map(|line| ["  ", line, "\n"]).collect()),
        Block::Table(table) => Some(render(table, style)),
        Block::Figure(_) => None,
    }
}

/// Lines of at most a hundred characters: longer ones are hard to read on the widest terminal.
fn paragraph(text: &str, style: TextStyle) -> String {
    let lines = wrap(text, style.width.map(|width| width.min(100)));
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

fn section_lines(section: &Section, index: usize, layout: &Layout, paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(title) = &section.title {
        lines.extend((index > 0).then(String::new));
        lines.push(paint.apply(title, Style::TITLE));
    }
    lines.extend(section.rows.iter().flat_map(|row| layout.row(row, paint)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{Cell, Tone};
    use crate::table::Column;

    fn chips() -> Table {
        let mut table = Table::new([
            Column::name("chip"),
            Column::number("HBM", "GB"),
            Column::number("bandwidth", "TB/s"),
            Column::detail("source"),
        ]);
        table.row([
            Cell::text("h20"),
            Cell::number(96.0),
            Cell::number(4.0),
            Cell::text("a data sheet of the maker"),
        ]);
        table.row([
            Cell::text("ascend-910b2"),
            Cell::number(64.0),
            Cell::number(1.6),
            Cell::text("measured"),
        ]);
        table
    }

    #[test]
    fn digits_stand_under_digits_and_units_under_names() {
        let expected = "\
chip           HBM  bandwidth  source
                GB       TB/s
────────────────────────────────────────────────────────
h20           96.0       4.00  a data sheet of the maker
ascend-910b2  64.0       1.60  measured
";
        assert_eq!(render(&chips(), TextStyle::PLAIN), expected);
    }

    #[test]
    fn a_narrow_terminal_wraps_words_and_keeps_numbers() {
        let expected = "\
chip           HBM  bandwidth  source
                GB       TB/s
────────────────────────────────────────────
h20           96.0       4.00  a data sheet
                               of the maker
ascend-910b2  64.0       1.60  measured
";
        assert_eq!(render(&chips(), TextStyle { width: Some(44), ..TextStyle::PLAIN }), expected);
    }

    #[test]
    fn metrics_side_by_side() {
        let mut table = Table::side_by_side(["h20", "ascend-910b2"]).title("H20 against Ascend 910B2");
        table.section("Deployment");
        table.metric("layout", "", [Cell::text("TP2 × DP4"), Cell::text("TP8")]);
        table.section("Latency");
        table.metric("TTFT", "ms", [Cell::range(412.0, 380.0, 450.0), Cell::range(98.7, 90.0, 110.0)]);
        table.note("P10–P90 in brackets.");
        let expected = "\
H20 against Ascend 910B2

metric        h20           ascend-910b2
──────────────────────────────────────────
Deployment
  layout      TP2 × DP4     TP8

Latency
  TTFT    ms  412  380–450  98.7  90.0–110

P10–P90 in brackets.
";
        assert_eq!(render(&table, TextStyle::PLAIN), expected);
    }

    #[test]
    fn a_page_ends_with_its_summary() {
        let shown = Page {
            title: "Title".to_owned(),
            summary: vec!["Because.".to_owned()],
            blocks: vec![Block::Heading("Part".to_owned()), Block::Table(chips())],
            ..Page::default()
        };
        let text = page(&shown, TextStyle::PLAIN);
        assert!(text.starts_with("Title\n\nPart\n\nchip "), "{text}");
        assert!(text.ends_with("measured\n\nBecause.\n"), "{text}");
    }

    #[test]
    fn shares_have_bars_of_the_charset() {
        let mut table = Table::new([Column::name("operator"), Column::number("share", "")]);
        table.row([Cell::text("attention"), Cell::share(0.5)]);
        table.row([Cell::text("norm"), Cell::share(0.25)]);
        let ascii = TextStyle { charset: Charset::Ascii, ..TextStyle::PLAIN };
        assert!(render(&table, TextStyle::PLAIN).contains("attention  50.0%  █████\n"));
        assert!(render(&table, ascii).contains("norm       25.0%  ##.\n"), "{}", render(&table, ascii));
    }

    #[test]
    fn wide_characters_count_twice() {
        let mut table = Table::new([Column::name("chip"), Column::number("n", "")]);
        table.row([Cell::text("昇腾"), Cell::integer(1)]);
        table.row([Cell::text("h20"), Cell::integer(2)]);
        assert!(render(&table, TextStyle::PLAIN).ends_with("昇腾  1\nh20   2\n"));
    }

    #[test]
    fn colour_comes_only_when_told() {
        let mut table = chips();
        table.push(crate::table::Row::new(["best"]).tone(Tone::Good));
        let coloured = render(&table, TextStyle { colour: true, ..TextStyle::PLAIN });
        assert!(coloured.contains("\u{1b}[32mbest\u{1b}[0m"));
        assert!(!render(&table, TextStyle::PLAIN).contains('\u{1b}'));
    }
}
