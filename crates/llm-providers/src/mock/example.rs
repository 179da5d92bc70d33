//! The simplest value that a JSON schema allows, for most schemas that people write.

use serde_json::{Map, Value, json};

/// How deep schemas are followed: recursive ones end here.
const DEPTH: u32 = 16;

/// A value for a schema.
pub(super) fn example(schema: &Value) -> Value {
    value(schema, schema, DEPTH)
}

fn value(schema: &Value, root: &Value, depth: u32) -> Value {
    let Some(depth) = depth.checked_sub(1) else { return Value::Null };
    for stated in ["const", "default"] {
        if let Some(value) = schema.get(stated) {
            return value.clone();
        }
    }
    if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
        return first.clone();
    }
    if let Some(target) = schema["$ref"].as_str().and_then(|path| root.pointer(path.strip_prefix('#')?)) {
        return value(target, root, depth);
    }
    for choice in ["anyOf", "oneOf", "allOf"] {
        if let Some(first) = schema[choice].as_array().and_then(|schemas| schemas.first()) {
            return value(first, root, depth);
        }
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
    match kind {
        Some("string") => text(schema),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(true),
        Some("null") => Value::Null,
        Some("array") => {
            let count = schema["minItems"].as_u64().unwrap_or(1).min(16);
            (0..count).map(|_| value(&schema["items"], root, depth)).collect()
        }
        Some("object") => object(schema, root, depth),
        _ if schema["properties"].is_object() => object(schema, root, depth),
        _ => json!({}),
    }
}

fn object(schema: &Value, root: &Value, depth: u32) -> Value {
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    properties.iter().map(|(name, schema)| (name.clone(), value(schema, root, depth))).collect()
}

fn text(schema: &Value) -> Value {
    match schema["format"].as_str() {
        Some("date-time") => json!("2026-01-01T00:00:00Z"),
        Some("date") => json!("2026-01-01"),
        Some("email") => json!("someone@example.com"),
        Some("uri") => json!("https://example.com/"),
        Some("uuid") => json!("00000000-0000-4000-8000-000000000000"),
        _ => json!("example"),
    }
}
