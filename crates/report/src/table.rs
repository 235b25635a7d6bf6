//! A table as a value.

use serde::{Deserialize, Serialize};

use crate::cell::{Cell, Tone, Value};

/// Rows in sections under named columns. Every renderer takes this value; none knows what it is about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// What the table shows, in a few words.
    pub title: Option<String>,
    /// Left to right.
    pub columns: Vec<Column>,
    /// Top to bottom. A plain table has one section without title.
    pub sections: Vec<Section>,
    /// Sentences below the table.
    pub notes: Vec<String>,
}

/// A column: what it shows, in which unit, and how it is set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// What it shows; the field's term, such as `TTFT`.
    pub header: String,
    /// The unit of its numbers, such as `ms`.
    pub unit: Option<String>,
    /// How its cells are set.
    pub align: Align,
    /// What it is for.
    pub role: Role,
}

/// Where the cells of a column stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Align {
    /// Words.
    #[default]
    Left,
    /// Numbers.
    Right,
}

/// What a column is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Names the row.
    Name,
    /// Answers.
    #[default]
    Value,
    /// Explains: it is set dim, and is the first to be wrapped where space is short.
    Detail,
}

/// Rows under a common title.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// What the rows have in common.
    pub title: Option<String>,
    /// Top to bottom.
    pub rows: Vec<Row>,
}

/// One row: as many cells as there are columns; missing ones are empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Left to right.
    pub cells: Vec<Cell>,
    /// The unit of the row's numbers, where rows are metrics and columns the things compared.
    pub unit: Option<String>,
    /// How the whole row stands out.
    pub tone: Tone,
}

impl Table {
    /// An empty table with these columns.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), ..Self::default() }
    }

    /// A table of metrics (rows, each with its unit) for several things (columns) side by side.
    pub fn side_by_side(things: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let things = things.into_iter().map(|thing| Column::text(thing));
        Self::new(std::iter::once(Column::name("metric")).chain(things))
    }

    /// Says what the table shows.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Begins a section; rows that follow belong to it.
    pub fn section(&mut self, title: impl Into<String>) {
        self.sections.push(Section { title: Some(title.into()), rows: Vec::new() });
    }

    /// Adds a row to the last section.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<Cell>>) {
        self.push(Row::new(cells));
    }

    /// Adds a row whose numbers are in `unit`: first the metric's name, then its values.
    pub fn metric(&mut self, name: &str, unit: &str, values: impl IntoIterator<Item = Cell>) {
        let cells = std::iter::once(Cell::text(name)).chain(values);
        let unit = Some(unit.to_owned()).filter(|unit| !unit.is_empty());
        self.push(Row { unit, ..Row::new(cells) });
    }

    /// Adds a finished row to the last section.
    pub fn push(&mut self, row: Row) {
        match self.sections.last_mut() {
            Some(section) => section.rows.push(row),
            None => self.sections.push(Section { title: None, rows: vec![row] }),
        }
    }

    /// Adds a sentence below the table.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// All rows, section after section.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.sections.iter().flat_map(|section| &section.rows)
    }

    /// Whether rows name units of their own.
    pub fn has_row_units(&self) -> bool {
        self.rows().any(|row| row.unit.is_some())
    }

    /// Whether any row of a column shows a range.
    pub fn has_ranges(&self, column: usize) -> bool {
        self.rows().any(|row| matches!(row.value(column), Value::Range { .. }))
    }
}

impl Column {
    /// The column that names the rows.
    pub fn name(header: impl Into<String>) -> Self {
        Self { header: header.into(), unit: None, align: Align::Left, role: Role::Name }
    }

    /// A column of words, or of words and numbers.
    pub fn text(header: impl Into<String>) -> Self {
        Self { role: Role::Value, ..Self::name(header) }
    }

    /// A column of explanations.
    pub fn detail(header: impl Into<String>) -> Self {
        Self { role: Role::Detail, ..Self::name(header) }
    }

    /// A column of numbers in a unit; the empty unit is none.
    pub fn number(header: impl Into<String>, unit: &str) -> Self {
        let unit = Some(unit.to_owned()).filter(|unit| !unit.is_empty());
        Self { unit, align: Align::Right, ..Self::text(header) }
    }
}

impl Row {
    /// A row of cells.
    pub fn new(cells: impl IntoIterator<Item = impl Into<Cell>>) -> Self {
        Self { cells: cells.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// The same row, standing out.
    #[must_use]
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    /// The value in a column; empty beyond the last cell.
    pub fn value(&self, column: usize) -> &Value {
        self.cells.get(column).map_or(&Value::Empty, |cell| &cell.value)
    }

    /// How the cell of a column stands out: its own tone, else the row's.
    pub fn tone_of(&self, column: usize) -> Tone {
        let own = self.cells.get(column).map_or(Tone::Plain, |cell| cell.tone);
        if own == Tone::Plain { self.tone } else { own }
    }
}
