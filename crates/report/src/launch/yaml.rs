//! JSON values as YAML in block style. Strings are written in double quotes, in which YAML reads JSON's escapes.

use std::fmt::Write;

use serde_json::Value;

/// A document.
pub(super) fn document(value: &Value) -> String {
    let mut out = String::from("---\n");
    block(&mut out, value, 0);
    out
}

fn block(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(map) => {
            for (key, item) in map {
                entry(out, &format!("{}{key}:", indent(depth)), item, depth + 1);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| element(out, item, depth)),
        scalar => {
            // Writing to a text cannot fail.
            let _ = writeln!(out, "{}{scalar}", indent(depth));
        }
    }
}

fn entry(out: &mut String, lead: &str, item: &Value, depth: usize) {
    if nested(item) {
        let _ = writeln!(out, "{lead}");
        block(out, item, depth);
    } else {
        let _ = writeln!(out, "{lead} {item}");
    }
}

/// `- ` takes the place of the first two blanks of the element.
fn element(out: &mut String, item: &Value, depth: usize) {
    let mut inner = String::new();
    block(&mut inner, item, depth + 1);
    let rest = inner.get(2 * (depth + 1)..).unwrap_or_default();
    let _ = write!(out, "{}- {rest}", indent(depth));
}

fn nested(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn lists_and_maps_nest() {
        let value = json!({ "a": { "b": [1, { "c": "x: y", "d": [] }] }, "e": true });
        let expected = "---\na:\n  b:\n    - 1\n    - c: \"x: y\"\n      d: []\ne: true\n";
        assert_eq!(super::document(&value), expected);
    }
}
