//! What a chip or node file may hold, for editors and for the documentation; both follow from the declared keys.

use serde_json::Value;

use crate::{chip, file, node};

/// The JSON Schema of a chip file.
pub fn chip_schema() -> Value {
    file::json_schema(chip::KEYS, "chip")
}

/// The JSON Schema of a node file.
pub fn node_schema() -> Value {
    file::json_schema(node::KEYS, "node")
}

/// The keys of a chip file as a Markdown table.
pub fn chip_keys_markdown() -> String {
    file::markdown(chip::KEYS)
}

/// The keys of a node file as a Markdown table.
pub fn node_keys_markdown() -> String {
    file::markdown(node::KEYS)
}
