//! JSON schemas of functions, for vendors that do not read all of them.

use serde_json::{Map, Value};

/// Takes out `additionalProperties`, wherever it is a rule and no property of that name.
pub(super) fn open(schema: &mut Value) {
    walk(schema, &mut |members| {
        members.shift_remove("additionalProperties");
    });
}

/// Visits a schema and those inside it. Names of properties are no keywords.
fn walk(schema: &mut Value, visit: &mut dyn FnMut(&mut Map<String, Value>)) {
    match schema {
        Value::Object(members) => {
            visit(members);
            for (name, value) in members.iter_mut() {
                match (name.as_str(), value) {
                    ("properties" | "$defs" | "definitions", Value::Object(named)) => {
                        named.values_mut().for_each(|inner| walk(inner, visit));
                    }
                    ("enum" | "const" | "default" | "examples", _) => {}
                    (_, value) => walk(value, visit),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, visit)),
        _ => {}
    }
}
