//! The JSON Schema and the documentation of a kind of file, both from its keys.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};
use vitruvian_quantity::Dtype;

use crate::file::key::{Key, Kind, Presence, Range};
use crate::provenance::Grade;

/// The JSON Schema (draft 2020-12) of a file with these keys.
pub(crate) fn json_schema<T>(keys: &[Key<T>], what: &str) -> Json {
    let text = |meaning: &str| json!({ "type": "string", "description": meaning });
    let mut properties = Map::new();
    properties
        .insert("name".to_owned(), text("The name used on the command line; the file's name if left out."));
    properties.insert(
        "extends".to_owned(),
        text(&format!("A {what} whose figures hold where this file gives none.")),
    );
    for key in keys {
        for path in key.paths() {
            insert(&mut properties, &path, key);
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("{what} file"),
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// Puts a key into its section; a section also takes the provenance of its bare values, and `capacity` for itself.
fn insert<T>(properties: &mut Map<String, Json>, path: &str, key: &Key<T>) {
    let Some((section, name)) = path.split_once('.') else {
        properties.insert(path.to_owned(), figure(key));
        return;
    };
    let table = properties.entry(section).or_insert_with(empty_section);
    if let Some(table) = table["properties"].as_object_mut() {
        table.insert(name.to_owned(), figure(key));
    }
    if name == "capacity" {
        table["type"] = json!(["object", "string"]);
        table["pattern"] = json!(pattern(key.kind));
    }
}

fn empty_section() -> Json {
    let properties =
        json!({ "source": { "type": "string" }, "grade": grades(), "note": { "type": "string" } });
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// A bare value, or a table with the value and where it comes from.
fn figure<T>(key: &Key<T>) -> Json {
    let value = bare(key.kind, key.range);
    let alternative = json!({
        "type": "object",
        "properties": { "value": value, "source": { "type": "string" }, "grade": grades() },
        "required": ["value"],
        "additionalProperties": false,
    });
    let mut table = alternative.clone();
    table["properties"]["note"] = json!({ "type": "string" });
    table["properties"]["alternatives"] = json!({ "type": "array", "items": alternative });
    json!({ "description": key.meaning, "anyOf": [value, table] })
}

fn bare(kind: Kind, range: Range) -> Json {
    let bound = if range == Range::Positive { "exclusiveMinimum" } else { "minimum" };
    match kind {
        Kind::Count => json!({ "type": "integer", bound: 0, "maximum": u32::MAX }),
        Kind::Number => json!({ "type": "number", bound: 0 }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Text => json!({ "type": "string" }),
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Dtypes => json!({ "type": "array", "items": { "enum": Dtype::ALL.map(Dtype::name) } }),
        _ => json!({ "type": "string", "pattern": pattern(kind) }),
    }
}

/// A number and one of the kind's units.
fn pattern(kind: Kind) -> String {
    let units: Vec<&str> = kind.units().iter().map(|(unit, _)| *unit).collect();
    let currency = if kind == Kind::Money { "|[A-Z]{3}" } else { "" };
    format!(r"^\s*\d*\.?\d+([eE][+-]?\d+)?\s*({}{currency})\s*$", units.join("|"))
}

fn grades() -> Json {
    json!({ "enum": Grade::ALL.map(Grade::name) })
}

/// The keys as a Markdown table, for the documentation.
pub(crate) fn markdown<T>(keys: &[Key<T>]) -> String {
    let mut table = "| key | value | meaning |\n| --- | --- | --- |\n".to_owned();
    for key in keys {
        let path = key.path.replace(".*", ".<format>");
        let needed = if key.presence == Presence::Required { "" } else { ", optional" };
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| `{path}` | {}{needed} | {} |", written(key.kind), key.meaning);
    }
    table
}

fn written(kind: Kind) -> String {
    match kind {
        Kind::Word(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        kind => kind.article().to_owned(),
    }
}
