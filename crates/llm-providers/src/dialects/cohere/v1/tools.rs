//! Tools: a list of parameters with types, where other dialects have a schema.

use llm_types::{Result, Tool, ToolKind};
use serde_json::{Map, Value, json};

use crate::ParamPolicy;
use crate::dialects::params::leave_out;
use crate::write::Object;

/// Writes the tools, if there are any.
pub(super) fn write(tools: &[Tool], policy: &ParamPolicy, body: &mut Object<'_>) -> Result<()> {
    let mut offered = Vec::with_capacity(tools.len());
    for tool in tools {
        match &tool.kind {
            ToolKind::Function { parameters } => offered.push(json!({
                "name": tool.name,
                "description": tool.description.as_deref().unwrap_or_default(),
                "parameter_definitions": definitions(parameters.as_ref()),
            })),
            _ => leave_out(policy, "tools", &format!("it does not have the tool `{}`", tool.name))?,
        }
    }
    if !offered.is_empty() {
        body.value("tools", &offered);
    }
    Ok(())
}

fn definitions(schema: Option<&Value>) -> Map<String, Value> {
    let required = schema.and_then(|schema| schema.get("required")).and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|one| one == name));
    let properties = schema.and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    let of = |(name, property): (&String, &Value)| {
        let kind = property.get("type").and_then(Value::as_str).unwrap_or("object");
        let definition =
            json!({ "description": described(property), "type": kind, "required": is_required(name) });
        (name.clone(), definition)
    };
    properties.into_iter().flatten().map(of).collect()
}

/// A property in words: its description, and its schema where that says more than a type.
fn described(property: &Value) -> String {
    let said = property.get("description").and_then(Value::as_str).unwrap_or_default();
    let more = property.as_object().is_some_and(|members| {
        members.keys().any(|name| !matches!(name.as_str(), "type" | "description" | "title"))
    });
    match (more, said) {
        (false, said) => said.to_owned(),
        (true, "") => format!("JSON schema: {property}"),
        (true, said) => format!("{said} JSON schema: {property}"),
    }
}
