//! JSON schemas as the vendor takes them for exact answers: unsupported limits become words, objects
//! are closed, references are written out.
//!
//! Vendor's page: `build-with-claude/structured-outputs`, "JSON Schema limitations".

use serde_json::{Map, Value};

/// Limits the vendor refuses, and how they are told to the model instead.
const LIMITS: &[(&str, &str)] = &[
    ("exclusiveMaximum", "below"),
    ("exclusiveMinimum", "above"),
    ("maxItems", "maximum number of items"),
    ("maxLength", "maximum length"),
    ("maxProperties", "maximum number of properties"),
    ("maximum", "maximum value"),
    ("minItems", "minimum number of items"),
    ("minLength", "minimum length"),
    ("minProperties", "minimum number of properties"),
    ("minimum", "minimum value"),
    ("multipleOf", "multiple of"),
    ("pattern", "pattern"),
    ("uniqueItems", "unique items"),
];

/// Conditions the vendor refuses and that words would not tell better than nothing.
const REFUSED: &[&str] = &[
    "$id",
    "$schema",
    "contains",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "if",
    "maxContains",
    "minContains",
    "not",
    "patternProperties",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// A schema for an exact answer.
pub(in crate::dialects) fn exact(schema: &Value) -> Value {
    let names = if schema.get("$defs").is_some() { "$defs" } else { "definitions" };
    let defs = schema.get(names).and_then(Value::as_object);
    let mut walk = Walk { defs, open: Vec::new(), recursive: false };
    let mut whole = walk.schema(schema);
    if let Value::Object(map) = &mut whole {
        // Definitions stay only where one refers to itself and cannot be written out.
        let kept = map.shift_remove(names);
        if let (true, Some(kept)) = (walk.recursive, kept) {
            map.insert(names.to_owned(), kept);
        }
    }
    whole
}

struct Walk<'s> {
    defs: Option<&'s Map<String, Value>>,
    /// The definitions being written out, outermost first.
    open: Vec<&'s str>,
    recursive: bool,
}

impl<'s> Walk<'s> {
    fn schema(&mut self, schema: &'s Value) -> Value {
        let Value::Object(map) = schema else { return schema.clone() };
        if let Some(written_out) = self.reference(map) {
            return written_out;
        }
        let mut out = Map::with_capacity(map.len() + 1);
        let mut notes = Vec::new();
        for (name, value) in map {
            if let Some((_, words)) = LIMITS.iter().find(|(limit, _)| limit == name) {
                notes.push(format!("{words}: {}", plain(value)));
            } else if !REFUSED.contains(&name.as_str()) {
                self.member(&mut out, name, value);
            }
        }
        if !notes.is_empty() {
            let note = format!("Note: {}.", notes.join(", "));
            let said = out.get("description").and_then(Value::as_str).filter(|said| !said.is_empty());
            let said = said.map_or_else(|| note.clone(), |said| format!("{said} {note}"));
            out.insert("description".to_owned(), Value::from(said));
        }
        let is_object = match out.get("type") {
            Some(Value::String(kind)) => kind == "object",
            Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "object"),
            _ => out.contains_key("properties"),
        };
        if is_object {
            out.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
        Value::Object(out)
    }

    fn member(&mut self, out: &mut Map<String, Value>, name: &str, value: &'s Value) {
        let (name, value) = match (name, value) {
            ("properties" | "$defs" | "definitions", Value::Object(members)) => {
                let members = members.iter().map(|(name, schema)| (name.clone(), self.schema(schema)));
                (name, Value::Object(members.collect()))
            }
            ("oneOf" | "anyOf" | "allOf" | "prefixItems", Value::Array(schemas)) => {
                let schemas = schemas.iter().map(|schema| self.schema(schema)).collect();
                (if name == "oneOf" { "anyOf" } else { name }, Value::Array(schemas))
            }
            ("items" | "additionalProperties", schema) => (name, self.schema(schema)),
            (_, value) => (name, value.clone()),
        };
        out.insert(name.to_owned(), value);
    }

    /// What a reference stands for, its neighbours kept; `None` when the schema is no reference or one
    /// that would never end.
    fn reference(&mut self, map: &'s Map<String, Value>) -> Option<Value> {
        let target = map.get("$ref")?.as_str()?;
        let name = target.strip_prefix("#/$defs/").or_else(|| target.strip_prefix("#/definitions/"))?;
        let (name, definition) = self.defs?.get_key_value(name)?;
        if self.open.contains(&name.as_str()) {
            self.recursive = true;
            return None;
        }
        self.open.push(name);
        let mut written_out = self.schema(definition);
        self.open.pop();
        if let Value::Object(out) = &mut written_out {
            for (name, value) in map.iter().filter(|(name, _)| *name != "$ref") {
                self.member(out, name, value);
            }
        }
        Some(written_out)
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
