//! The JSON Schema of a fleet file, from its keys.

use serde_json::{Map, Value, json};
use vitruvian_quantity::{Quantity, Seconds, Watts};

use super::key::{Key, Kind, Section};
use super::sections::FILE;

/// The JSON Schema (draft 2020-12) of a fleet file.
pub fn json_schema() -> Value {
    let mut schema = section(&FILE);
    let rate = json!({ "type": "number", "exclusiveMinimum": 0 });
    schema["properties"]["currencies"] = json!({
        "description": "US dollars for one unit of a currency; they go before the catalog's.",
        "type": "object",
        "additionalProperties": rate,
    });
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("fleet file");
    schema
}

fn section(section_: &Section) -> Value {
    let mut properties = Map::new();
    for key in section_.keys {
        properties.insert(key.name.to_owned(), described(key));
    }
    for inner in section_.inner {
        let one = section(inner);
        let shown = if inner.list { json!({ "type": "array", "items": one, "minItems": 1 }) } else { one };
        properties.insert(inner.name.to_owned(), shown);
    }
    let keys = section_.keys.iter().filter(|key| key.required).map(|key| key.name);
    let required: Vec<&str> =
        keys.chain(section_.inner.iter().filter(|inner| inner.required).map(|inner| inner.name)).collect();
    json!({
        "description": section_.meaning,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn described(key: &Key) -> Value {
    let bare = bare(key.kind);
    let mut shown =
        if key.series { json!({ "anyOf": [bare, { "type": "array", "items": bare }] }) } else { bare };
    shown["description"] = json!(key.meaning);
    shown
}

fn bare(kind: Kind) -> Value {
    match kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::Count(low, high) => json!({ "type": "integer", "minimum": low, "maximum": high }),
        Kind::Number(low, high) if high.is_finite() => {
            json!({ "type": "number", "minimum": low, "maximum": high })
        }
        Kind::Number(low, _) => json!({ "type": "number", "minimum": low }),
        Kind::Money(_) => {
            json!({ "type": "string", "pattern": r"^\s*\d*\.?\d+([eE][+-]?\d+)?\s*[A-Za-z]{3,4}\s*$" })
        }
        Kind::Power => quantity::<Watts>(),
        Kind::Time => quantity::<Seconds>(),
        Kind::Quarter => json!({ "type": "string", "pattern": r"^\d{4}-Q[1-4]$" }),
        Kind::Word(words) => json!({ "enum": words }),
    }
}

fn quantity<Q: Quantity>() -> Value {
    let units: Vec<&str> = Q::UNITS.iter().map(|(unit, _)| *unit).collect();
    json!({ "type": "string", "pattern": format!(r"^\s*\d*\.?\d+([eE][+-]?\d+)?\s*({})\s*$", units.join("|")) })
}
