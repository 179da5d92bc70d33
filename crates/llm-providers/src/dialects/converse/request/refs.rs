//! Schemas of tools as the models take them: references written out.

use serde_json::{Map, Value};

/// A schema whose references to its own definitions are written out. `open` tells that the model takes
/// `additionalProperties` at the root; the others refuse it there.
pub(super) fn written_out(schema: &Value, open: bool) -> Value {
    let names = ["$defs", "definitions"].into_iter().find(|name| schema.get(name).is_some());
    let defs = names.and_then(|name| schema.get(name)).and_then(Value::as_object);
    let mut walk = Walk { defs, open: Vec::new(), recursive: false };
    let mut whole = walk.value(schema);
    if let Value::Object(map) = &mut whole {
        // Definitions stay only where one refers to itself and cannot be written out.
        if let Some(names) = names
            && !walk.recursive
        {
            map.shift_remove(names);
        }
        if !open {
            map.shift_remove("additionalProperties");
        }
        if !map.contains_key("type") {
            let mut typed = Map::from_iter([("type".to_owned(), Value::from("object"))]);
            typed.extend(std::mem::take(map));
            typed.entry("properties").or_insert_with(|| Value::Object(Map::new()));
            *map = typed;
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
    fn value(&mut self, value: &'s Value) -> Value {
        match value {
            Value::Object(map) => self.reference(map).unwrap_or_else(|| {
                Value::Object(map.iter().map(|(name, value)| (name.clone(), self.value(value))).collect())
            }),
            Value::Array(values) => Value::Array(values.iter().map(|value| self.value(value)).collect()),
            other => other.clone(),
        }
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
        let mut written_out = self.value(definition);
        self.open.pop();
        if let Value::Object(out) = &mut written_out {
            for (name, value) in map.iter().filter(|(name, _)| *name != "$ref") {
                out.insert(name.clone(), value.clone());
            }
        }
        Some(written_out)
    }
}
