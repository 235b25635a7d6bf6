//! Column widths, and rows set to them.

use unicode_width::UnicodeWidthStr;

use super::paint::{Paint, Style};
use super::wrap::{longest_word, wrap};
use super::{Charset, TextStyle};
use crate::cell::{Tone, Value};
use crate::table::{Align, Role, Row, Table};

/// Blanks between columns, and between a number and its interval.
const GAP: &str = "  ";
/// Characters of the bar of a share of one.
const BAR: usize = 10;

/// The columns as they are drawn.
pub(super) struct Layout {
    columns: Vec<Drawn>,
    indent: &'static str,
    charset: Charset,
}

/// One drawn column: a column of the table, or the units of its rows.
struct Drawn {
    source: Source,
    align: Align,
    role: Role,
    /// Width of the numbers.
    number: usize,
    /// Width of what stands beside the numbers.
    tail: usize,
    /// Width of the whole column.
    width: usize,
    /// No wrapping makes it narrower.
    least: usize,
}

/// Where a drawn column gets its cells.
#[derive(Clone, Copy, PartialEq)]
enum Source {
    Cells(usize),
    RowUnit,
}

/// One cell before it is set.
struct Piece {
    head: String,
    tail: String,
    numeric: bool,
    tone: Tone,
}

impl Layout {
    pub(super) fn of(table: &Table, style: TextStyle) -> Self {
        let titled = table.sections.iter().any(|section| section.title.is_some());
        let mut layout =
            Self { columns: Vec::new(), indent: if titled { GAP } else { "" }, charset: style.charset };
        layout.columns = sources(table).into_iter().map(|source| layout.measure(table, source)).collect();
        if let Some(limit) = style.width {
            layout.narrow(limit);
        }
        layout
    }

    /// Names, units where there are any, and a rule.
    pub(super) fn header(&self, table: &Table, paint: Paint) -> Vec<String> {
        let name = |source| header(table, source).0;
        let unit = |source| header(table, source).1;
        let mut lines = vec![self.header_line(paint, Style::TITLE, name)];
        if table.columns.iter().any(|column| column.unit.is_some()) {
            lines.push(self.header_line(paint, Style::DIM, unit));
        }
        let rule = if self.charset == Charset::Ascii { "-" } else { "─" };
        lines.push(paint.apply(&rule.repeat(self.total()), Style::DIM));
        lines
    }

    fn header_line<'t>(&self, paint: Paint, style: Style, text: impl Fn(Source) -> &'t str) -> String {
        let cells = self
            .columns
            .iter()
            .map(|column| paint.apply(&pad(text(column.source), column.width, column.align), style));
        cells.collect::<Vec<_>>().join(GAP)
    }

    /// One row; several lines where a cell is wrapped.
    pub(super) fn row(&self, row: &Row, paint: Paint) -> Vec<String> {
        let cells: Vec<Vec<String>> =
            self.columns.iter().map(|column| self.cell(row, column, paint)).collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        (0..height).map(|line| self.row_line(&cells, line)).collect()
    }

    fn row_line(&self, cells: &[Vec<String>], line: usize) -> String {
        let blank = |column: &Drawn| " ".repeat(column.width);
        let parts = cells.iter().zip(&self.columns);
        let parts = parts.map(|(cell, column)| cell.get(line).cloned().unwrap_or_else(|| blank(column)));
        parts.collect::<Vec<_>>().join(GAP)
    }

    fn cell(&self, row: &Row, column: &Drawn, paint: Paint) -> Vec<String> {
        let piece = self.piece(row, column.source);
        let style = if column.role == Role::Detail { Style::DIM } else { Style::of(piece.tone) };
        if piece.numeric {
            return vec![set_number(&piece, column, style, paint)];
        }
        let indent = self.indent_of(column.source);
        let lines = wrap(&piece.head, Some(column.width - indent.len()));
        lines.iter().map(|line| set_words(&format!("{indent}{line}"), column, style, paint)).collect()
    }

    fn piece(&self, row: &Row, source: Source) -> Piece {
        let Source::Cells(index) = source else {
            return Piece {
                head: row.unit.clone().unwrap_or_default(),
                tail: String::new(),
                numeric: false,
                tone: Tone::Dim,
            };
        };
        let value = row.value(index);
        let tail = if let Value::Share(part) = value {
            bar(*part, self.charset)
        } else {
            value.tail().unwrap_or_default()
        };
        Piece { head: value.head(), tail, numeric: value.is_numeric(), tone: row.tone_of(index) }
    }

    /// Names of rows stand a little to the right of the titles of their sections.
    fn indent_of(&self, source: Source) -> &'static str {
        if source == Source::Cells(0) { self.indent } else { "" }
    }

    fn measure(&self, table: &Table, source: Source) -> Drawn {
        let pieces: Vec<Piece> = table.rows().map(|row| self.piece(row, source)).collect();
        let widest = |of: &dyn Fn(&Piece) -> usize| pieces.iter().map(of).max().unwrap_or(0);
        let number = widest(&|piece| if piece.numeric { piece.head.width() } else { 0 });
        let tail = widest(&|piece| piece.tail.width());
        let numbers = number + if tail > 0 { GAP.len() + tail } else { 0 };
        let indent = self.indent_of(source).len();
        let words = widest(&|piece| if piece.numeric { 0 } else { indent + piece.head.width() });
        let (name, unit) = header(table, source);
        let headers = name.width().max(unit.width());
        let word = widest(&|piece| if piece.numeric { 0 } else { indent + longest_word(&piece.head) });
        let (align, role) = setting(table, source);
        Drawn {
            source,
            align,
            role,
            number,
            tail,
            width: numbers.max(words).max(headers),
            least: numbers.max(word).max(headers),
        }
    }

    /// Takes what is too much from the widest column that can be wrapped, explanations first.
    fn narrow(&mut self, limit: usize) {
        while self.total() > limit {
            let spare = |column: &Drawn| column.width.saturating_sub(column.least);
            let order =
                |column: &&mut Drawn| (column.role == Role::Detail && spare(column) > 0, spare(column));
            match self.columns.iter_mut().max_by_key(order) {
                Some(column) if spare(column) > 0 => column.width -= 1,
                _ => return,
            }
        }
    }

    fn total(&self) -> usize {
        let gaps = GAP.len() * self.columns.len().saturating_sub(1);
        self.columns.iter().map(|column| column.width).sum::<usize>() + gaps
    }
}

fn sources(table: &Table) -> Vec<Source> {
    let mut sources: Vec<Source> = (0..table.columns.len()).map(Source::Cells).collect();
    if table.has_row_units() {
        sources.insert(1.min(sources.len()), Source::RowUnit);
    }
    sources
}

fn header(table: &Table, source: Source) -> (&str, &str) {
    match source {
        Source::Cells(index) => {
            (&table.columns[index].header, table.columns[index].unit.as_deref().unwrap_or(""))
        }
        Source::RowUnit => ("", ""),
    }
}

fn setting(table: &Table, source: Source) -> (Align, Role) {
    match source {
        Source::Cells(index) => (table.columns[index].align, table.columns[index].role),
        Source::RowUnit => (Align::Left, Role::Value),
    }
}

fn set_words(line: &str, column: &Drawn, style: Style, paint: Paint) -> String {
    let blanks = " ".repeat(column.width.saturating_sub(line.width()));
    let painted = paint.apply(line, style);
    if column.align == Align::Right { blanks + &painted } else { painted + &blanks }
}

fn set_number(piece: &Piece, column: &Drawn, style: Style, paint: Paint) -> String {
    let head = paint.apply(&pad(&piece.head, column.number, Align::Right), style);
    let tail = paint.apply(&pad(&piece.tail, column.tail, Align::Left), Style::DIM);
    let gap = if column.tail > 0 { GAP } else { "" };
    let used = column.number + gap.len() + column.tail;
    let blanks = " ".repeat(column.width.saturating_sub(used));
    if column.align == Align::Right {
        format!("{blanks}{head}{gap}{tail}")
    } else {
        format!("{head}{gap}{tail}{blanks}")
    }
}

fn pad(text: &str, width: usize, align: Align) -> String {
    let blanks = " ".repeat(width.saturating_sub(text.width()));
    if align == Align::Right { blanks + text } else { format!("{text}{blanks}") }
}

/// A bar of eighths of a character, or of `#` and `.` for whole and half ones.
fn bar(part: f64, charset: Charset) -> String {
    let part = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
    let (whole, steps): (&str, &[&str]) = match charset {
        Charset::Unicode => ("█", &["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]),
        Charset::Ascii => ("#", &["", "."]),
    };
    let filled = (part * (BAR * steps.len()) as f64).round() as usize;
    whole.repeat(filled / steps.len()) + steps[filled % steps.len()]
}
