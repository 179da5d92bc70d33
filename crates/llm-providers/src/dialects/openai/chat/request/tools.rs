//! Tools and the choice among them, from OpenAI's form (and its legacy `functions`).

use llm_types::{Result, Tool, ToolChoice, ToolKind};
use serde_json::Value;

use super::super::wire::DIALECT;
use super::messages::cache_mark;
use crate::fields::{Fields, Path};
use crate::json::Json;

/// Reads `tools` and `functions`.
pub(super) fn decode(fields: &mut Fields<'_, '_>) -> Result<Vec<Tool>> {
    let root = *fields.path();
    let mut tools = Vec::new();
    let path = root.member("tools");
    for (index, value) in fields.array("tools")?.unwrap_or_default().into_iter().enumerate() {
        tools.push(tool(value, path.element(index))?);
    }
    let path = root.member("functions");
    for (index, value) in fields.array("functions")?.unwrap_or_default().into_iter().enumerate() {
        tools.push(function(&mut Fields::of(value, path.element(index))?)?);
    }
    Ok(tools)
}

fn tool(value: Json<'_>, path: Path<'_>) -> Result<Tool> {
    if let Some(name) = untyped(&value) {
        let kind = ToolKind::Native { dialect: DIALECT.to_owned(), value: value.into_value() };
        return Ok(bare(name, kind));
    }
    let kind = value.get("type").and_then(Json::as_str).unwrap_or("function").to_owned();
    if !matches!(kind.as_str(), "function" | "custom") {
        let name = value.get("name").and_then(Json::as_str).unwrap_or(&kind).to_owned();
        let kind = ToolKind::Native { dialect: DIALECT.to_owned(), value: value.into_value() };
        return Ok(bare(name, kind));
    }
    let mut fields = Fields::of(value, path)?;
    fields.any("type");
    let cache = cache_mark(&mut fields)?;
    let mut tool = if kind == "function" {
        fields.required_object("function", function)?
    } else {
        fields.required_object("custom", |custom| {
            let mut tool =
                bare(custom.required_text("name")?, ToolKind::Custom { format: custom.any("format") });
            tool.description = custom.text("description")?;
            tool.extra = custom.rest();
            Ok(tool)
        })?
    };
    tool.cache = cache.or(tool.cache);
    tool.extra.0.extend(fields.rest().0);
    Ok(tool)
}

/// The name of a tool that some vendor runs and LiteLLM's callers write without a type:
/// `{"googleSearch": {}}`.
fn untyped(value: &Json<'_>) -> Option<String> {
    let map = value.as_object()?;
    let told = ["type", "function", "custom", "name"].iter().any(|name| map.contains_key(name));
    map.keys().next().filter(|_| !told).map(str::to_owned)
}

fn function(fields: &mut Fields<'_, '_>) -> Result<Tool> {
    let name = fields.required_text("name")?;
    let parameters = fields.map("parameters")?.map(Value::Object);
    let mut tool = bare(name, ToolKind::Function { parameters });
    tool.description = fields.text("description")?;
    tool.strict = fields.flag("strict")?;
    tool.cache = cache_mark(fields)?;
    tool.extra = fields.rest();
    Ok(tool)
}

fn bare(name: String, kind: ToolKind) -> Tool {
    Tool { name, description: None, kind, strict: None, cache: None, extra: llm_types::Extra::default() }
}

/// Reads `tool_choice` or the legacy `function_call`.
pub(super) fn decode_choice(fields: &mut Fields<'_, '_>) -> Result<Option<ToolChoice>> {
    const EXPECTED: &str = "`none`, `auto`, `required` or an object that names a tool";
    for name in ["tool_choice", "function_call"] {
        let path = *fields.path();
        let path = path.member(name);
        let choice = match fields.take(name) {
            None => continue,
            Some(Json::String(word)) => match &*word {
                "none" => ToolChoice::None,
                "auto" => ToolChoice::Auto,
                "required" | "any" => ToolChoice::Required,
                _ => return Err(path.wrong(word.into_owned(), EXPECTED)),
            },
            Some(value @ Json::Object(_)) => named(Fields::of(value, path)?)?,
            Some(other) => return Err(path.wrong(other, EXPECTED)),
        };
        return Ok(Some(choice));
    }
    Ok(None)
}

fn named(mut fields: Fields<'_, '_>) -> Result<ToolChoice> {
    let kind = match fields.text("type")? {
        // Hugging Face's client leaves the type out.
        None if fields.peek("function").is_some() => Some("function".to_owned()),
        kind => kind,
    };
    match kind.as_deref() {
        Some("function") => fields
            .required_object("function", |function| function.required_text("name"))
            .map(ToolChoice::Tool),
        Some("custom") => {
            fields.required_object("custom", |custom| custom.required_text("name")).map(ToolChoice::Tool)
        }
        Some("tool") | None => fields.required_text("name").map(ToolChoice::Tool),
        Some("auto") => Ok(ToolChoice::Auto),
        Some("none") => Ok(ToolChoice::None),
        Some("any" | "required") => Ok(ToolChoice::Required),
        Some("allowed_tools") => {
            if fields.peek("allowed_tools").is_some() {
                fields.required_object("allowed_tools", among)
            } else {
                among(&mut fields)
            }
        }
        Some(other) => {
            Err(fields.path().member("type").wrong(other, "`function`, `custom` or `allowed_tools`"))
        }
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
    let path = *fields.path();
    let path = path.member("tools");
    let mut tools = Vec::new();
    for (index, value) in fields.array("tools")?.unwrap_or_default().into_iter().enumerate() {
        let mut tool = Fields::of(value, path.element(index))?;
        let name = match tool.text("type")?.as_deref() {
            Some(kind @ ("function" | "custom")) if tool.peek(kind).is_some() => {
                tool.required_object(kind, |inner| inner.required_text("name"))?
            }
            _ => tool.required_text("name")?,
        };
        tools.push(name);
    }
    Ok(ToolChoice::Among { tools, required })
}
