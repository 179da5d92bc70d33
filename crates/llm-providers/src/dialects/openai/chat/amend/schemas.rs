//! JSON schemas, for vendors that do not read all of them.

use llm_types::{Error, Result};
use serde_json::{Map, Value, json};

use super::super::wire::ANSWER_TOOL;
use crate::Target;
use crate::dialects::params::leave_out;
use crate::left_out::note;

/// Has a tool stand in for the schema of the answer.
///
/// # Errors
/// [`llm_types::ErrorKind::Unsupported`] beside tools of the caller's, unless the policy drops the schema.
pub(super) fn by_tool(body: &mut Map<String, Value>, target: &Target) -> Result<()> {
    if body.get("response_format").is_none_or(|format| format["type"] != "json_schema") {
        return Ok(());
    }
    if body.get("tools").and_then(Value::as_array).is_some_and(|tools| !tools.is_empty()) {
        leave_out(&target.policy, "response_format", "this model takes tools or a schema, not both")?;
        body.shift_remove("response_format");
        return Ok(());
    }
    let Some(format) = body.shift_remove("response_format") else { return Ok(()) };
    let schema = format.pointer("/json_schema/schema").or_else(|| format.get("schema")).cloned();
    let schema = schema.ok_or_else(|| {
        Error::bad_param(
            "response_format",
            "`response_format.json_schema.schema`: expected a schema, found none",
        )
    })?;
    let tool = json!({ "type": "function", "function": { "name": ANSWER_TOOL, "parameters": schema } });
    body.insert("tools".to_owned(), json!([tool]));
    body.insert("tool_choice".to_owned(), json!({ "type": "function", "function": { "name": ANSWER_TOOL } }));
    Ok(())
}

/// Leaves a form without a schema out. That an answer is text goes without saying; that it is JSON is noted.
pub(super) fn only(body: &mut Map<String, Value>) {
    let Some(kind) = body.get("response_format").map(|format| &format["type"]) else { return };
    if kind != "json_schema" {
        if kind != "text" {
            note("response_format");
        }
        body.shift_remove("response_format");
    }
}

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
