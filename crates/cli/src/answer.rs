//! What a command has to say, before anything is printed.

use std::path::PathBuf;

use serde::Serialize;
use vitruvian_diagnostics::Diagnostic;
use vitruvian_report::{Block, Page, Table};

/// The answer of a command, in the forms that `--format` can ask for.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// For people. Its first table is also the CSV form.
    pub page: Page,
    /// For scripts: keys carry their unit and do not change silently.
    pub json: serde_json::Value,
    /// Files that options such as `--report` asked for.
    pub files: Vec<OutputFile>,
    /// Binary files, such as traces.
    pub traces: Vec<(PathBuf, Vec<u8>)>,
    /// A folder of files that `--emit` asked for.
    pub folder: Option<Folder>,
    /// Doubts, printed to stderr.
    pub doubts: Vec<Diagnostic>,
    /// Whether nothing feasible was found; the page then says why, and the exit status is 1.
    pub infeasible: bool,
}

/// A file to write beside the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputFile {
    /// Where.
    pub path: PathBuf,
    /// What.
    pub contents: String,
}

/// A folder that appears whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Where.
    pub path: PathBuf,
    /// Name, content, and whether it is a script.
    pub files: Vec<(String, String, bool)>,
}

impl Answer {
    /// An answer shown as `page` and, to scripts, as `data`.
    ///
    /// Data that cannot be written as JSON (maps with keys that are not strings) becomes `null`; no answer has such.
    pub fn new(page: Page, data: &impl Serialize) -> Self {
        Self { page, json: serde_json::to_value(data).unwrap_or_default(), ..Self::default() }
    }

    /// An answer that is one table.
    pub fn table(table: Table, data: &impl Serialize) -> Self {
        Self::new(Page { blocks: vec![Block::Table(table)], ..Page::default() }, data)
    }

    /// The table that CSV shows.
    pub fn main_table(&self) -> Option<&Table> {
        self.page
            .blocks
            .iter()
            .find_map(|block| if let Block::Table(table) = block { Some(table) } else { None })
    }
}
