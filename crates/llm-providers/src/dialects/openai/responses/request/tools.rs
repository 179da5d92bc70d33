//! Tools and the choice among them, as a caller sends them.

use llm_types::{Extra, Options, Result, Tool, ToolChoice, ToolKind};
use serde_json::{Value, json};

use super::super::namespace;
use super::super::wire::DIALECT;
use crate::fields::{Fields, Path};
use crate::json::Json;

/// Reads `tools`. A plain web search becomes the option that every dialect with one knows.
pub(super) fn decode(fields: &mut Fields<'_, '_>, options: &mut Options) -> Result<Vec<Tool>> {
    let root = *fields.path();
    let path = root.member("tools");
    let mut tools = Vec::new();
    for (index, value) in fields.array("tools")?.unwrap_or_default().into_iter().enumerate() {
        match web_search(&value) {
            Some(search) if options.web_search.is_none() => options.web_search = Some(search),
            _ if value.get("type").is_some_and(|kind| kind.as_str() == Some("namespace")) => {
                tools.extend(namespace::decode(value, path.element(index), tool)?);
            }
            _ => tools.push(tool(value, path.element(index))?),
        }
    }
    Ok(tools)
}

/// The `web_search_options` of a web search tool; `None` for other tools, and for searches that say
/// more than those can.
fn web_search(tool: &Json<'_>) -> Option<Value> {
    let kind = tool.get("type")?.as_str()?;
    if !(kind == "web_search" || kind.starts_with("web_search_preview") || kind.starts_with("web_search_20"))
    {
        return None;
    }
    let mut options = json!({});
    for (name, value) in tool.as_object()?.iter() {
        match name {
            "type" => {}
            _ if value.is_null() => {}
            // To look at the live web is what a search does unless it is told not to.
            "external_web_access" if value.as_bool() == Some(true) => {}
            "search_context_size" => options[name] = value.to_value(),
            "user_location" => {
                let mut place = value.as_object()?.clone().into_map();
                place.shift_remove("type");
                options[name] = json!({"type": "approximate", "approximate": place});
            }
            _ => return None,
        }
    }
    Some(options)
}

fn tool(value: Json<'_>, path: Path<'_>) -> Result<Tool> {
    let kind = value.get("type").and_then(Json::as_str).unwrap_or("function").to_owned();
    if value.as_object().is_some() && !matches!(kind.as_str(), "function" | "custom") {
        let name = value.get("name").or_else(|| value.get("server_label")).and_then(Json::as_str);
        let name = name.unwrap_or(&kind).to_owned();
        return Ok(bare(name, ToolKind::Native { dialect: DIALECT.to_owned(), value: value.into_value() }));
    }
    // Some clients carry Chat Completions' form over.
    let nested = value.get(&kind).filter(|inner| inner.as_object().is_some()).cloned();
    let mut fields = Fields::of(nested.unwrap_or(value), path)?;
    fields.any("type");
    let name = fields.required_text("name")?;
    let description = fields.text("description")?;
    let strict = fields.flag("strict")?;
    let kind = if kind == "custom" {
        ToolKind::Custom { format: fields.any("format").map(chat_format) }
    } else {
        ToolKind::Function { parameters: fields.map("parameters")?.map(Value::Object) }
    };
    let mut extra = fields.rest();
    extra.0.retain(|_, value| !value.is_null());
    Ok(Tool { description, strict, extra, ..bare(name, kind) })
}

fn bare(name: String, kind: ToolKind) -> Tool {
    Tool { name, description: None, kind, strict: None, cache: None, extra: Extra::default() }
}

/// A grammar as Chat Completions writes it: its definition one level deeper.
fn chat_format(format: Value) -> Value {
    if format.get("type").and_then(Value::as_str) != Some("grammar") {
        return format;
    }
    let inner = |name: &str| format.get(name).cloned().unwrap_or_default();
    json!({"type": "grammar", "grammar": {"definition": inner("definition"), "syntax": inner("syntax")}})
}

/// Reads `tool_choice`.
pub(super) fn decode_choice(fields: &mut Fields<'_, '_>) -> Result<Option<ToolChoice>> {
    const EXPECTED: &str = "`none`, `auto`, `required` or an object that names a tool";
    let root = *fields.path();
    let path = root.member("tool_choice");
    match fields.take("tool_choice") {
        None => Ok(None),
        Some(Json::String(word)) => Ok(Some(match &*word {
            "none" => ToolChoice::None,
            "auto" => ToolChoice::Auto,
            "required" => ToolChoice::Required,
            _ => return Err(path.wrong(word.into_owned(), EXPECTED)),
        })),
        Some(value @ Json::Object(_)) => named(Fields::of(value, path)?).map(Some),
        Some(other) => Err(path.wrong(other, EXPECTED)),
    }
}

fn named(mut fields: Fields<'_, '_>) -> Result<ToolChoice> {
    let kind = fields.required_text("type")?;
    match kind.as_str() {
        "function" | "custom" if fields.peek(&kind).is_some() => {
            fields.required_object(&kind, |inner| inner.required_text("name")).map(ToolChoice::Tool)
        }
        "function" | "custom" | "tool" => {
            let namespace = fields.text("namespace")?;
            let name = fields.required_text("name")?;
            Ok(ToolChoice::Tool(namespace::joined(namespace.as_deref(), name)))
        }
        "allowed_tools" => among(&mut fields),
        // A provider-run tool is named by its type.
        _ => Ok(ToolChoice::Tool(fields.text("server_label")?.unwrap_or(kind))),
    }
}

fn among(fields: &mut Fields<'_, '_>) -> Result<ToolChoice> {
    let required = match fields.text("mode")?.as_deref() {
        Some("required") => true,
        Some("auto") | None => false,
        Some(other) => {
            return Err(fields.path().member("mode").wrong(other, "`auto` or `required`"));
        }
    };
    let root = *fields.path();
    let path = root.member("tools");
    let mut tools = Vec::new();
    for (index, value) in fields.array("tools")?.unwrap_or_default().into_iter().enumerate() {
        let mut tool = Fields::of(value, path.element(index))?;
        let kind = tool.text("type")?;
        let label = tool.text("server_label")?;
        match (tool.text("name")?.or(label), kind) {
            (Some(name), _) | (None, Some(name)) => tools.push(name),
            (None, None) => return Err(tool.path().member("name").missing("a string")),
        }
    }
    Ok(ToolChoice::Among { tools, required })
}
