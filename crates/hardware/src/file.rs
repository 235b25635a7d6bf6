//! How a chip or node file is read.
//!
//! ```text
//! text --read--> Sheet (figures with provenance and place) --extend--> Sheet --relations--> Sheet --store--> Chip
//! ```
//!
//! The keys of a file are declared once, as a slice of [`Key`]; parsing, the suggestions of a diagnostic, the JSON
//! Schema and the documentation all follow from that slice. Every mistake of a file is reported in one go.

mod checked;
mod extend;
mod fault;
mod figure;
mod key;
mod near;
mod read;
mod schema;
mod sheet;
mod value;
mod written;

pub(crate) use extend::{Loader, load};
pub(crate) use fault::contradiction;
pub(crate) use key::{Key, Kind, optional, required};
pub use near::did_you_mean;
pub(crate) use schema::{json_schema, markdown};
pub(crate) use sheet::{Entry, Kin, Sheet, store};
pub(crate) use value::Value;

/// `"h20"` of `"catalog/chips/h20.toml"`.
pub(crate) fn stem(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.strip_suffix(".toml").unwrap_or(name)
}
