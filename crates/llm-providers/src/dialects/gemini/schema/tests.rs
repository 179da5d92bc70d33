//! Schemas between JSON Schema and the vendor's subset of OpenAPI.

use serde_json::json;

use super::{from_openapi, to_openapi};

#[test]
fn references_are_written_out_and_null_is_a_mark() {
    let schema = json!({
        "$defs": { "Node": { "type": "object", "additionalProperties": false, "properties": {
            "v": { "type": "integer", "minimum": 0 },
            "label": { "anyOf": [{ "type": "string" }, { "type": "null" }] } } } },
        "type": "object",
        "properties": { "root": { "$ref": "#/$defs/Node" }, "tag": { "type": ["string", "null"] } },
        "required": ["root"],
    });
    let expected = json!({
        "type": "object",
        "properties": {
            "root": { "type": "object", "properties": {
                "v": { "type": "integer", "minimum": 0 },
                "label": { "anyOf": [{ "type": "string", "nullable": true }] } } },
            "tag": { "nullable": true, "type": "string" } },
        "required": ["root"],
    });
    assert_eq!(to_openapi(&schema), Some(expected));
}

#[test]
fn what_the_subset_cannot_say_is_told() {
    let recursive = json!({
        "$defs": { "N": { "type": "object", "properties": { "next": { "$ref": "#/$defs/N" } } } },
        "$ref": "#/$defs/N",
    });
    assert_eq!(to_openapi(&recursive), None);
    assert_eq!(to_openapi(&json!({ "type": "integer", "enum": [1, 2] })), None);
    assert_eq!(to_openapi(&json!({ "$ref": "https://example.com/schema" })), None);
}

#[test]
fn small_differences() {
    for (schema, expected) in [
        (json!({ "const": "a" }), json!({ "type": "string", "enum": ["a"] })),
        (json!({ "type": "string", "format": "email" }), json!({ "type": "string" })),
        (
            json!({ "type": "string", "format": "date-time" }),
            json!({ "type": "string", "format": "date-time" }),
        ),
        (
            json!({ "allOf": [{ "properties": { "a": { "type": "string" } } }, { "properties": { "b": {} } }] }),
            json!({ "properties": { "a": { "type": "string" }, "b": {} } }),
        ),
        (
            json!({ "type": ["string", "integer"] }),
            json!({ "anyOf": [{ "type": "string" }, { "type": "integer" }] }),
        ),
    ] {
        assert_eq!(to_openapi(&schema), Some(expected), "{schema}");
    }
}

#[test]
fn the_vendors_form_becomes_json_schema() {
    let schema = json!({
        "type": "OBJECT",
        "property_ordering": ["b", "a"],
        "properties": {
            "a": { "type": "STRING", "nullable": true, "enum": ["x"], "format": "enum" },
            "b": { "type": "ARRAY", "items": { "type": "INTEGER" }, "maxItems": "5" },
            "c": { "any_of": [{ "type": "STRING" }], "nullable": true } },
    });
    let read = from_openapi(schema);
    assert_eq!(
        read,
        json!({
            "type": "object",
            "properties": {
                "b": { "type": "array", "items": { "type": "integer" }, "maxItems": 5 },
                "a": { "type": ["string", "null"], "enum": ["x", null] },
                "c": { "anyOf": [{ "type": "string" }, { "type": "null" }] } },
        })
    );
    let names: Vec<&String> = read["properties"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["b", "a", "c"]);
}
