//! JSON schemas and the subset of OpenAPI that the wire calls `Schema`.
//!
//! Vendor's page: <https://ai.google.dev/api/caching#Schema>.

use serde_json::{Map, Value};

/// Members of `Schema` that are taken over as they are.
const KEPT: &[&str] = &[
    "default",
    "description",
    "example",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "nullable",
    "pattern",
    "propertyOrdering",
    "required",
    "title",
];

/// Formats the vendor takes; others are refused and are hints only.
const FORMATS: &[&str] = &["date-time", "double", "enum", "float", "int32", "int64"];

/// Counts that protocol buffers write as strings.
const COUNTS: &[&str] = &["maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties"];

/// A JSON schema as a `Schema`: references written out, `null` as `nullable`, objects open. `None` when
/// it cannot be said so (a schema that refers to itself, values that are not text in `enum`).
pub(super) fn to_openapi(schema: &Value) -> Option<Value> {
    let names = if schema.get("$defs").is_some() { "$defs" } else { "definitions" };
    Walk { defs: schema.get(names).and_then(Value::as_object), open: Vec::new() }.schema(schema)
}

struct Walk<'s> {
    defs: Option<&'s Map<String, Value>>,
    /// The definitions being written out, outermost first.
    open: Vec<&'s str>,
}

impl<'s> Walk<'s> {
    fn schema(&mut self, schema: &'s Value) -> Option<Value> {
        let Value::Object(map) = schema else {
            // `true`: anything goes.
            return Some(Value::Object(Map::new()));
        };
        if let Some(target) = map.get("$ref") {
            return self.reference(target.as_str()?, map);
        }
        let mut out = Map::with_capacity(map.len());
        for (name, value) in map {
            self.member(&mut out, name, value)?;
        }
        Some(Value::Object(out))
    }

    fn member(&mut self, out: &mut Map<String, Value>, name: &str, value: &'s Value) -> Option<()> {
        match (name, value) {
            ("type", Value::Array(types)) => several(out, types),
            ("type", _) => {
                out.insert(name.to_owned(), value.clone());
            }
            ("properties", Value::Object(members)) => {
                let mut written = Map::with_capacity(members.len());
                for (name, schema) in members {
                    written.insert(name.clone(), self.schema(schema)?);
                }
                out.insert(name.to_owned(), Value::Object(written));
            }
            ("items", Value::Object(_)) => {
                out.insert(name.to_owned(), self.schema(value)?);
            }
            ("anyOf" | "oneOf", Value::Array(choices)) => self.any_of(out, choices)?,
            ("allOf", Value::Array(parts)) => {
                for part in parts {
                    let Value::Object(part) = self.schema(part)? else { continue };
                    join(out, part);
                }
            }
            ("enum", Value::Array(values)) => words(out, values)?,
            ("const", value) => words(out, std::slice::from_ref(value))?,
            ("format", Value::String(format)) if FORMATS.contains(&format.as_str()) => {
                out.insert(name.to_owned(), value.clone());
            }
            _ if KEPT.contains(&name) => {
                out.insert(name.to_owned(), value.clone());
            }
            _ => {}
        }
        Some(())
    }

    /// Choices without `null`, which makes the others nullable.
    fn any_of(&mut self, out: &mut Map<String, Value>, choices: &'s [Value]) -> Option<()> {
        let is_null = |choice: &&Value| choice.get("type").and_then(Value::as_str) == Some("null");
        let nullable = choices.iter().any(|choice| is_null(&choice));
        let mut written = Vec::with_capacity(choices.len());
        for choice in choices.iter().filter(|choice| !is_null(choice)) {
            let mut choice = self.schema(choice)?;
            if let (true, Value::Object(map)) = (nullable, &mut choice) {
                map.insert("nullable".to_owned(), Value::Bool(true));
            }
            written.push(choice);
        }
        out.insert("anyOf".to_owned(), Value::Array(written));
        Some(())
    }

    /// What a reference stands for, its neighbours kept.
    fn reference(&mut self, target: &'s str, map: &'s Map<String, Value>) -> Option<Value> {
        let name = target.strip_prefix("#/$defs/").or_else(|| target.strip_prefix("#/definitions/"))?;
        let definition = self.defs?.get(name)?;
        if self.open.contains(&name) {
            return None;
        }
        self.open.push(name);
        let written = self.schema(definition);
        self.open.pop();
        let Value::Object(mut out) = written? else { return None };
        for (name, value) in map.iter().filter(|(name, _)| *name != "$ref") {
            self.member(&mut out, name, value)?;
        }
        Some(Value::Object(out))
    }
}

/// Several types: one and `null` is a nullable type, more are choices.
fn several(out: &mut Map<String, Value>, types: &[Value]) {
    let named: Vec<&Value> = types.iter().filter(|kind| kind.as_str() != Some("null")).collect();
    if named.len() < types.len() {
        out.insert("nullable".to_owned(), Value::Bool(true));
    }
    match named[..] {
        [] => {}
        [one] => {
            out.insert("type".to_owned(), one.clone());
        }
        _ => {
            let choices = named.into_iter().map(|kind| serde_json::json!({ "type": kind })).collect();
            out.insert("anyOf".to_owned(), Value::Array(choices));
        }
    }
}

/// Values of an `enum`: texts only, and `null` as `nullable`.
fn words(out: &mut Map<String, Value>, values: &[Value]) -> Option<()> {
    let mut listed = Vec::with_capacity(values.len());
    for value in values {
        match value {
            Value::String(_) => listed.push(value.clone()),
            Value::Null => {
                out.insert("nullable".to_owned(), Value::Bool(true));
            }
            _ => return None,
        }
    }
    if !out.contains_key("type") {
        out.insert("type".to_owned(), Value::from("string"));
    }
    out.insert("enum".to_owned(), Value::Array(listed));
    Some(())
}

/// Joins a part of `allOf`: its properties and demands beside those that are there.
fn join(out: &mut Map<String, Value>, part: Map<String, Value>) {
    for (name, value) in part {
        match (out.get_mut(&name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => old.extend(new),
            (Some(Value::Array(old)), Value::Array(new)) if name == "required" => old.extend(new),
            (_, value) => {
                out.insert(name, value);
            }
        }
    }
}

/// A `Schema` as a JSON schema: types in small letters, `nullable` as a type, properties in the order
/// asked for. What is a JSON schema already stays as it is.
pub(super) fn from_openapi(schema: Value) -> Value {
    let Value::Object(map) = schema else { return schema };
    let mut out = Map::with_capacity(map.len());
    let mut nullable = false;
    let mut order = None;
    for (name, value) in map {
        let name = if name.starts_with(['$', '_']) { name } else { super::wire::camel_name(&name) };
        match (name.as_str(), value) {
            ("type", Value::String(kind)) => {
                out.insert(name, Value::from(kind.to_ascii_lowercase()));
            }
            ("nullable", value) => nullable = value == Value::Bool(true),
            ("propertyOrdering", value) => order = Some(value),
            ("format", Value::String(format)) if format == "enum" => {}
            ("properties" | "$defs" | "defs", Value::Object(members)) => {
                let members = members.into_iter().map(|(name, schema)| (name, from_openapi(schema)));
                out.insert(name, Value::Object(members.collect()));
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(choices)) => {
                out.insert(name, Value::Array(choices.into_iter().map(from_openapi).collect()));
            }
            ("items" | "additionalProperties", value) => {
                out.insert(name, from_openapi(value));
            }
            (_, Value::String(count)) if COUNTS.contains(&name.as_str()) => {
                let number = count.parse::<u64>().map_or(Value::String(count), Value::from);
                out.insert(name, number);
            }
            (_, value) => {
                out.insert(name, value);
            }
        }
    }
    if nullable {
        make_nullable(&mut out);
    }
    sort(&mut out, order);
    Value::Object(out)
}

fn make_nullable(out: &mut Map<String, Value>) {
    if let Some(kind) = out.get_mut("type").filter(|kind| kind.is_string()) {
        *kind = serde_json::json!([kind.take(), "null"]);
        if let Some(Value::Array(values)) = out.get_mut("enum") {
            values.push(Value::Null);
        }
    } else if let Some(Value::Array(choices)) = out.get_mut("anyOf") {
        choices.push(serde_json::json!({ "type": "null" }));
    }
}

/// Puts properties into the order asked for.
fn sort(out: &mut Map<String, Value>, order: Option<Value>) {
    let (Some(Value::Array(order)), Some(Value::Object(members))) = (order, out.get_mut("properties")) else {
        return;
    };
    let mut sorted = Map::with_capacity(members.len());
    for name in order.iter().filter_map(Value::as_str) {
        if let Some(schema) = members.shift_remove(name) {
            sorted.insert(name.to_owned(), schema);
        }
    }
    sorted.append(members);
    *members = sorted;
}

#[cfg(test)]
mod tests;
