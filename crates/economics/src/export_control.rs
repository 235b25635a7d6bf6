//! Export rules as data by date, and what they say of a chip.
//!
//! The thresholds stand in `catalog/rules/`; here is only what a comparison is, how rules hang together, and how total
//! processing performance (TPP) and performance density follow from a chip's description. Arithmetic on public text, not
//! legal advice.

pub mod catalog;
pub mod classify;
pub mod comply;
pub mod condition;
pub mod date;
pub mod facts;
pub mod rule;
pub mod timeline;

pub use catalog::{Collection, collection};
pub use classify::{Finding, Verdict, classify};
pub use comply::{Bound, Knob, Together, comply, together};
pub use condition::{Clause, Comparison, Condition, Field, Truth};
pub use date::Date;
pub use facts::{Fact, Facts, facts};
pub use rule::{Kind, Rule, Status};
pub use timeline::{Change, timeline};
