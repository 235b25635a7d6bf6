//! A report of several tables and figures as one value.

use serde::{Deserialize, Serialize};

use crate::figure::Figure;
use crate::table::Table;

/// A page: a title, what it says in short, and its parts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The heading.
    pub title: String,
    /// The question that the page answers, in a line.
    pub subtitle: String,
    /// The answer, in a paragraph or two.
    pub summary: Vec<String>,
    /// Top to bottom.
    pub blocks: Vec<Block>,
    /// How the page was made: command, version, sources.
    pub footer: Vec<String>,
}

/// One part of a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Block {
    /// Begins a part.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// A table.
    Table(Table),
    /// A figure.
    Figure(Figure),
    /// Text to copy, such as a launch command.
    Code(String),
}
