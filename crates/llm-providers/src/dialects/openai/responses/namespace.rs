//! Tools in namespaces, which other APIs do not have: there the tool `find` of the namespace `crm` is
//! called `crm__find`.
//!
//! Source: OpenAI API reference, `NamespaceToolParam` and the `namespace` of a `function_call`.

use llm_types::{Extra, Result, Tool};
use serde_json::{Map, Value, json};

use crate::fields::{Fields, Path};
use crate::json::Json;

const SEPARATOR: &str = "__";

/// The member of a tool's `extra` that holds its namespace: name and description.
const MEMBER: &str = "namespace";

/// The plain name of a tool in a namespace; without one its own name.
pub(super) fn joined(namespace: Option<&str>, name: String) -> String {
    match namespace.filter(|namespace| !namespace.is_empty()) {
        Some(namespace) => format!("{namespace}{SEPARATOR}{name}"),
        None => name,
    }
}

/// Reads a namespace: its tools under their plain names. `read` reads one tool.
pub(super) fn decode(
    value: Json<'_>,
    path: Path<'_>,
    read: impl Fn(Json<'_>, Path<'_>) -> Result<Tool>,
) -> Result<Vec<Tool>> {
    let mut fields = Fields::of(value, path)?;
    let name = fields.required_text("name")?;
    let description = fields.text("description")?;
    let path = path.member("tools");
    let mut tools = Vec::new();
    for (index, value) in fields.array("tools")?.unwrap_or_default().into_iter().enumerate() {
        let mut tool = read(value, path.element(index))?;
        tool.name = joined(Some(&name), tool.name);
        tool.extra.keep(MEMBER, json!({"name": name, "description": description}));
        tools.push(tool);
    }
    Ok(tools)
}

/// Puts a written tool where it belongs: into its namespace, which stands where its first tool does.
pub(super) fn place(tools: &mut Vec<Value>, mut tool: Value, extra: &Extra) {
    let Some((namespace, name)) = extra.value(MEMBER).and_then(|namespace| {
        let own = namespace.get("name")?.as_str()?;
        let name = tool.get("name")?.as_str()?.strip_prefix(own)?.strip_prefix(SEPARATOR)?.to_owned();
        Some((namespace, name))
    }) else {
        return tools.push(tool);
    };
    tool["name"] = json!(name);
    let open = tools.iter_mut().find(|one| one["type"] == "namespace" && one["name"] == namespace["name"]);
    match open.and_then(|open| open.get_mut("tools")?.as_array_mut()) {
        Some(open) => open.push(tool),
        None => {
            let mut written = json!({"type": "namespace", "name": namespace["name"]});
            if let Some(description) = namespace.get("description").filter(|text| !text.is_null()) {
                written["description"] = description.clone();
            }
            written["tools"] = json!([tool]);
            tools.push(written);
        }
    }
}

/// The namespace of a plain name and the tool's name in it, by the tools as this API writes them.
fn parted<'a>(name: &'a str, tools: &[Value]) -> Option<(&'a str, &'a str)> {
    tools.iter().filter(|tool| tool["type"] == "namespace").find_map(|space| {
        let own = space.get("name")?.as_str()?;
        let rest = name.strip_prefix(own)?.strip_prefix(SEPARATOR)?;
        let inner = space.get("tools")?.as_array()?;
        inner.iter().any(|tool| tool["name"] == rest).then(|| (&name[..own.len()], rest))
    })
}

/// Gives the call in an item its namespace back; `said` is what the caller's request held.
pub(super) fn name_call(item: &mut Value, said: Option<&Map<String, Value>>) {
    let tools = said.and_then(|said| said.get("tools")).and_then(Value::as_array);
    if let Some(tools) = tools {
        name_call_among(item, tools);
    }
}

/// The same for a call in a request, by the tools written for it.
pub(super) fn name_call_among(item: &mut Value, tools: &[Value]) {
    let is_call = ["function_call", "custom_tool_call"].iter().any(|kind| item["type"] == *kind);
    let name = item.get("name").and_then(Value::as_str).filter(|_| is_call).map(str::to_owned);
    let Some(name) = name else { return };
    if let Some((namespace, name)) = parted(&name, tools) {
        item["namespace"] = json!(namespace);
        item["name"] = json!(name);
    }
}

#[cfg(test)]
mod tests;
