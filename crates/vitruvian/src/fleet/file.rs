//! How a fleet file is read.
//!
//! ```text
//! text --read--> tables with a place for each value --spec--> Spec (names looked up) --> planner's Problem
//! ```
//!
//! The keys are declared once, in `sections`; reading, the suggestions of a diagnostic and the JSON Schema follow from
//! them. Every mistake of a file is reported in one go.

mod fault;
mod key;
mod money;
mod read;
mod schema;
mod sections;

pub(super) use fault::Faults;
pub(super) use read::{Named, Table, read};
pub use schema::json_schema;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Chip files (`.toml`) and model configurations (`.json`) that a fleet file names where a name of the catalog could stand.
pub fn files_named(text: &str) -> Vec<String> {
    let (document, _) = DeTable::parse_recoverable(text);
    let named = |section: &str, key: &str, extension: &str| -> Vec<String> {
        let tables = document.get_ref().get(section).and_then(|tables| tables.get_ref().as_array());
        let words = tables.into_iter().flatten().filter_map(|table| {
            table.get_ref().as_table().and_then(|table| table.get(key)).map(Spanned::get_ref)
        });
        let texts = words.filter_map(DeValue::as_str).filter(|word| word.ends_with(extension));
        texts.map(str::to_owned).collect()
    };
    let mut all = named("supply", "chip", ".toml");
    all.extend(named("demand", "model", ".json"));
    all.dedup();
    all
}
