//! Tools and the choice among them, for a provider.

use llm_types::{ChatRequest, Error, Result, Tool, ToolChoice, ToolKind};
use serde_json::{Value, json};

use super::super::namespace;
use super::super::wire::DIALECT;
use crate::Target;
use crate::dialects::openai::chat::NATIVE as CHAT;
use crate::left_out::note;

/// Members of a tool that have no canonical form and are sent on.
pub(super) const KEPT: &[&str] = &["allowed_callers", "defer_loading", "output_schema"];

/// The member by which callers of Chat Completions, and operators, ask for a search of the web.
pub(super) const SEARCH: &str = "web_search_options";

/// The `tools` array; empty when there are none.
pub(super) fn tools(request: &ChatRequest, target: &Target) -> Result<Vec<Value>> {
    let mut tools = Vec::new();
    for (index, tool) in request.tools.iter().enumerate() {
        match written(tool) {
            Some(value) => namespace::place(&mut tools, value, &tool.extra),
            None if target.policy.drop => note("tools"),
            None => {
                let name = &tool.name;
                let message = format!("`tools[{index}]`: OpenAI Responses has no tool like `{name}`");
                return Err(Error::unsupported("tools", message));
            }
        }
    }
    let always = target.defaults.get(SEARCH).filter(|asked| asked.is_object());
    let search = request.options.web_search.as_ref().or(always);
    tools.extend(search.map(|asked| web_search(asked, target)));
    Ok(tools)
}

/// Whether a tool of this type is this API's own. Source: OpenAI API reference, `Tool`.
fn is_own(kind: &str) -> bool {
    const KINDS: [&str; 13] = [
        "apply_patch",
        "code_interpreter",
        "computer",
        "computer_use_preview",
        "file_search",
        "image_generation",
        "local_shell",
        "mcp",
        "namespace",
        "programmatic_tool_calling",
        "shell",
        "tool_search",
        "web_search",
    ];
    KINDS.contains(&kind) || kind.starts_with("web_search_preview") || kind == "web_search_2025_08_26"
}

fn written(tool: &Tool) -> Option<Value> {
    let mut value = match &tool.kind {
        // Callers of Chat Completions may offer this API's tools, as LiteLLM lets them.
        ToolKind::Native { dialect, value } => {
            let known = value.get("type").and_then(Value::as_str).is_some_and(is_own);
            return (dialect == DIALECT || (dialect == CHAT && known)).then(|| value.clone());
        }
        ToolKind::Function { parameters } => {
            let empty = json!({"type": "object", "properties": {}});
            // Without the word this API checks arguments exactly, which most schemas are not made for.
            json!({
                "type": "function", "name": tool.name,
                "parameters": parameters.clone().unwrap_or(empty),
                "strict": tool.strict.unwrap_or(false),
            })
        }
        ToolKind::Custom { format } => {
            let mut value = json!({"type": "custom", "name": tool.name});
            if let Some(format) = format {
                value["format"] = own_format(format);
            }
            value
        }
    };
    if let Some(description) = &tool.description {
        value["description"] = json!(description);
    }
    for name in KEPT {
        if let Some(kept) = tool.extra.value(name) {
            value[name] = kept.clone();
        }
    }
    Some(value)
}

/// A grammar as this API writes it.
fn own_format(format: &Value) -> Value {
    match format.get("grammar") {
        Some(Value::Object(grammar)) => {
            let mut own = json!({"type": "grammar"});
            for (name, value) in grammar {
                own[name] = value.clone();
            }
            own
        }
        _ => format.clone(),
    }
}

/// `web_search_options` of Chat Completions as a tool.
fn web_search(options: &Value, target: &Target) -> Value {
    let mut tool = json!({"type": "web_search"});
    if target.spec.quirks.bare_search {
        if options.as_object().is_some_and(|options| options.values().any(|value| !value.is_null())) {
            note("web_search_options");
        }
        return tool;
    }
    if let Some(size) = options.get("search_context_size").filter(|size| !size.is_null()) {
        tool["search_context_size"] = size.clone();
    }
    let place = options.get("user_location").filter(|place| place.is_object());
    if let Some(place) = place {
        let mut flat = place.get("approximate").unwrap_or(place).clone();
        flat["type"] = json!("approximate");
        tool["user_location"] = flat;
    }
    tool
}

/// `tool_choice`.
pub(super) fn choice(request: &ChatRequest) -> Option<Value> {
    let named = |name: &str| {
        let of_type = |tool: &&Tool| match &tool.kind {
            ToolKind::Native { value, .. } => value["type"] == *name,
            _ => false,
        };
        let found = request.tools.iter().find(|tool| tool.name == name);
        let found = found.or_else(|| request.tools.iter().find(of_type));
        match found.map(|tool| &tool.kind) {
            Some(ToolKind::Custom { .. }) => json!({"type": "custom", "name": name}),
            Some(ToolKind::Native { value, .. }) => match value.get("type") {
                Some(kind) if *kind == json!("mcp") => json!({"type": "mcp", "server_label": name}),
                Some(kind) => json!({"type": kind}),
                None => json!({"type": name}),
            },
            _ => json!({"type": "function", "name": name}),
        }
    };
    Some(match request.options.tool_choice.as_ref()? {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::None => json!("none"),
        ToolChoice::Required => json!("required"),
        ToolChoice::Tool(name) => named(name),
        ToolChoice::Among { tools, required } => {
            let tools: Vec<Value> = tools.iter().map(|name| named(name)).collect();
            json!({"type": "allowed_tools", "mode": if *required { "required" } else { "auto" }, "tools": tools})
        }
    })
}
