//! As much of JSON Schema as schemars writes for our answers.

use serde_json::Value;

/// Where an instance departs from a schema.
pub(crate) fn faults(schema: &Value, instance: &Value) -> Vec<String> {
    check(schema, schema, instance, "$")
}

fn check(root: &Value, schema: &Value, instance: &Value, at: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).unwrap();
        return check(root, target, instance, at);
    }
    let mut faults = alternatives(root, schema, instance, at);
    faults.extend(
        (!has_type(&schema["type"], instance)).then(|| format!("{at}: not of type {}", schema["type"])),
    );
    faults.extend((!is_listed(schema, instance)).then(|| format!("{at}: not one of the values")));
    faults.extend(missing(schema, instance, at));
    faults.extend(members(root, schema, instance, at));
    faults
}

/// Nothing if the instance is one of the alternatives, or there are none; else what it lacks of the nearest.
fn alternatives(root: &Value, schema: &Value, instance: &Value, at: &str) -> Vec<String> {
    let options = ["anyOf", "oneOf"].iter().find_map(|word| schema[word].as_array()).into_iter().flatten();
    let faults = options.map(|option| check(root, option, instance, at));
    faults.min_by_key(Vec::len).unwrap_or_default()
}

fn has_type(wanted: &Value, instance: &Value) -> bool {
    match wanted {
        Value::Null => true,
        Value::Array(all) => all.iter().any(|one| has_type(one, instance)),
        Value::String(name) => match name.as_str() {
            "null" => instance.is_null(),
            "boolean" => instance.is_boolean(),
            "integer" => instance.is_i64() || instance.is_u64(),
            "number" => instance.is_number(),
            "string" => instance.is_string(),
            "array" => instance.is_array(),
            "object" => instance.is_object(),
            other => panic!("schema of unknown type {other}"),
        },
        other => panic!("schema of odd type {other}"),
    }
}

fn is_listed(schema: &Value, instance: &Value) -> bool {
    let among = schema["enum"].as_array().is_none_or(|values| values.contains(instance));
    let equal = schema.get("const").is_none_or(|value| value == instance);
    among && equal
}

fn missing(schema: &Value, instance: &Value, at: &str) -> Vec<String> {
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let absent = required.filter(|key| instance.is_object() && instance.get(*key).is_none());
    absent.map(|key| format!("{at}: lacks `{key}`")).collect()
}

/// Items and properties; what a schema does not name, an answer must not have.
fn members(root: &Value, schema: &Value, instance: &Value, at: &str) -> Vec<String> {
    match instance {
        Value::Array(items) if schema.get("items").is_some() => {
            let items = items.iter().enumerate();
            items
                .flat_map(|(index, item)| check(root, &schema["items"], item, &format!("{at}[{index}]")))
                .collect()
        }
        Value::Object(fields) if schema.get("properties").is_some() => fields
            .iter()
            .flat_map(|(key, value)| match schema["properties"].get(key) {
                Some(property) => check(root, property, value, &format!("{at}.{key}")),
                None => vec![format!("{at}: `{key}` is not in the schema")],
            })
            .collect(),
        _ => Vec::new(),
    }
}

#[test]
fn departures_are_found() {
    let schema = serde_json::json!({
        "type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}, "b": {"type": ["null", "string"]}}
    });
    let find = |text: &str| faults(&schema, &serde_json::from_str(text).unwrap());
    assert_eq!(find(r#"{"a": 1, "b": null}"#), [""; 0]);
    assert_eq!(find(r#"{"a": 1.5}"#), ["$.a: not of type \"integer\""]);
    assert_eq!(find(r#"{"b": 3, "c": 1}"#).len(), 3);
}
