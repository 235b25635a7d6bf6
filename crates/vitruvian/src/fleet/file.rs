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
