//! A caller's request into canonical form.

use llm_types::{
    ChatRequest, Extra, Message, NativeFields, Options, Part, Reasoning, ReasoningEffort, ResponseFormat,
    Result, Role, Tool, ToolChoice, ToolKind,
};
use serde_json::Value;

use super::super::content::{self, NATIVE};
use super::super::glance::control;
use crate::dialects::conversation;
use crate::fields::{Fields, Path};
use crate::json::Json;

/// Whether a member that no other dialect has changes the answer: tools that the provider itself runs.
fn is_needed(name: &str, _: &Value) -> bool {
    matches!(name, "container" | "mcp_servers")
}

/// Reads a whole request.
pub(in super::super) fn decode(body: &[u8]) -> Result<ChatRequest> {
    let mut fields = conversation::body(body)?;
    let mut native = Extra::default();
    let mut request = ChatRequest { model: fields.required_text("model")?, ..ChatRequest::default() };
    request.messages = system(&mut fields)?;
    conversation::turns(&mut fields, &mut request.messages, content_of)?;
    request.tools = tools(&mut fields)?;
    request.options = options(&mut fields, &mut native)?;
    request.stream = fields.flag("stream")?.unwrap_or(false);
    for (name, value) in fields.rest().0 {
        if !value.is_null() && control(&name).is_none() {
            native.keep(name, value);
        }
    }
    request.native = Some(NativeFields::of(NATIVE, native, is_needed));
    Ok(request)
}

fn system(fields: &mut Fields<'_, '_>) -> Result<Vec<Message>> {
    let Some(system) = fields.take("system") else { return Ok(Vec::new()) };
    let parts = content::blocks(system, &fields.path().member("system"))?;
    Ok(vec![Message::new(Role::System, parts)])
}

/// Reads what a message holds.
fn content_of(fields: &mut Fields<'_, '_>) -> Result<Vec<Part>> {
    let content = fields.take("content");
    let path = fields.path().member("content");
    let content = content.ok_or_else(|| path.missing("a string or an array of content blocks"))?;
    content::blocks(content, &path)
}

fn tools(fields: &mut Fields<'_, '_>) -> Result<Vec<Tool>> {
    let root = *fields.path();
    let path = root.member("tools");
    let tools = fields.array("tools")?.unwrap_or_default();
    tools.into_iter().enumerate().map(|(index, value)| tool(value, path.element(index))).collect()
}

fn tool(value: Json<'_>, path: Path<'_>) -> Result<Tool> {
    let kind = value.get("type").and_then(Json::as_str).unwrap_or("custom");
    if kind != "custom" {
        let name = value.get("name").and_then(Json::as_str).unwrap_or(kind).to_owned();
        let kind = ToolKind::Native { dialect: NATIVE.to_owned(), value: value.into_value() };
        return Ok(Tool {
            name,
            description: None,
            kind,
            strict: None,
            cache: None,
            extra: Extra::default(),
        });
    }
    let mut fields = Fields::of(value, path)?;
    fields.any("type");
    let name = fields.required_text("name")?;
    let description = fields.text("description")?;
    let parameters = fields.map("input_schema")?.map(Value::Object);
    let strict = fields.flag("strict")?;
    let cache = content::cache_mark(&mut fields)?;
    let mut extra = fields.rest();
    extra.0.retain(|_, value| !value.is_null());
    Ok(Tool { name, description, kind: ToolKind::Function { parameters }, strict, cache, extra })
}

fn options(fields: &mut Fields<'_, '_>, native: &mut Extra) -> Result<Options> {
    let mut options = Options {
        max_tokens: fields.whole("max_tokens")?,
        temperature: fields.number("temperature")?,
        // As of `top_k`: its older clients say -1 for no limit.
        top_p: fields.number("top_p")?.filter(|top_p| *top_p >= 0.0),
        top_k: top_k(fields)?,
        stop: fields.texts("stop_sequences")?.unwrap_or_default(),
        service_tier: fields.text("service_tier")?,
        include_usage: Some(true),
        ..Options::default()
    };
    if let Some(tier) = &mut options.service_tier {
        native.keep("service_tier", Value::from(tier.as_str()));
        if tier == "standard_only" {
            "default".clone_into(tier);
        }
    }
    if let Some(mut metadata) = fields.map("metadata")? {
        options.user = match metadata.shift_remove("user_id") {
            None | Some(Value::Null) => None,
            Some(Value::String(user)) => Some(user),
            Some(other) => {
                return Err(Path::Root.member("metadata").member("user_id").wrong(other, "a string"));
            }
        };
        options.metadata = Some(metadata).filter(|rest| !rest.is_empty());
    }
    tool_choice(fields, &mut options)?;
    thinking(fields, &mut options, native)?;
    output(fields, &mut options, native)?;
    Ok(options)
}

/// Reads `top_k`: the vendor takes negative numbers for no limit, and so do we.
fn top_k(fields: &mut Fields<'_, '_>) -> Result<Option<u64>> {
    if fields.peek("top_k").and_then(Json::as_i64).is_some_and(|top_k| top_k < 0) {
        fields.any("top_k");
    }
    fields.whole("top_k")
}

fn tool_choice(fields: &mut Fields<'_, '_>, options: &mut Options) -> Result<()> {
    let choice = fields.object("tool_choice", |choice| {
        let parallel = choice.flag("disable_parallel_tool_use")?.map(|disabled| !disabled);
        let choice = match choice.required_text("type")?.as_str() {
            "auto" => ToolChoice::Auto,
            "any" => ToolChoice::Required,
            "none" => ToolChoice::None,
            "tool" => ToolChoice::Tool(choice.required_text("name")?),
            other => {
                let path = choice.path().member("type");
                return Err(path.wrong(other, "`auto`, `any`, `tool` or `none`"));
            }
        };
        Ok((choice, parallel))
    })?;
    if let Some((choice, parallel)) = choice {
        options.tool_choice = Some(choice);
        options.parallel_tool_calls = parallel;
    }
    Ok(())
}

/// Reads `thinking`; kinds without a canonical form go back as they came.
fn thinking(fields: &mut Fields<'_, '_>, options: &mut Options, native: &mut Extra) -> Result<()> {
    let whole = fields.peek("thinking").map(Json::to_value);
    let reasoning = fields.object("thinking", |thinking| {
        let mut reasoning = Reasoning::default();
        match thinking.required_text("type")?.as_str() {
            "enabled" => {
                reasoning.enabled = Some(true);
                reasoning.budget_tokens = thinking.whole("budget_tokens")?;
            }
            "disabled" => reasoning.enabled = Some(false),
            "adaptive" => reasoning.adaptive = true,
            _ => return Ok(None),
        }
        reasoning.include = match thinking.text("display")?.as_deref() {
            Some("omitted") => Some(false),
            Some("summarized") => Some(true),
            _ => None,
        };
        Ok(Some(reasoning))
    })?;
    match (reasoning, whole) {
        (Some(Some(reasoning)), _) => options.reasoning = Some(reasoning),
        (Some(None), Some(whole)) => native.keep("thinking", whole),
        _ => {}
    }
    Ok(())
}

/// Reads `output_config` and its forerunner `output_format`.
fn output(fields: &mut Fields<'_, '_>, options: &mut Options, native: &mut Extra) -> Result<()> {
    options.response_format = fields.object("output_format", format)?.flatten();
    let rest = fields.object("output_config", |config| {
        if let Some(found) = config.object("format", format)?.flatten() {
            options.response_format = Some(found);
        }
        if let Some(word) = config.text("effort")? {
            let effort = ReasoningEffort::from_word(&word).ok_or_else(|| {
                let expected = "`low`, `medium`, `high`, `xhigh` or `max`";
                config.path().member("effort").wrong(&*word, expected)
            })?;
            let reasoning = options.reasoning.get_or_insert_default();
            reasoning.effort = Some(effort);
            let without_thinking = reasoning.enabled.is_none() && !reasoning.adaptive;
            if without_thinking {
                // Effort without thinking exists in this dialect only: remembered as it was.
                let mut rest = config.rest();
                rest.keep("effort", Value::from(word));
                return Ok(rest);
            }
        }
        Ok(config.rest())
    })?;
    if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
        native.keep("output_config", Value::Object(rest.0));
    }
    Ok(())
}

fn format(fields: &mut Fields<'_, '_>) -> Result<Option<ResponseFormat>> {
    match fields.required_text("type")?.as_str() {
        "json_schema" => {
            let schema = fields
                .map("schema")?
                .ok_or_else(|| fields.path().member("schema").missing("a JSON schema"))?;
            let schema = Value::Object(schema);
            Ok(Some(ResponseFormat::JsonSchema { name: None, description: None, schema, strict: Some(true) }))
        }
        "text" => Ok(None),
        other => Err(fields.path().member("type").wrong(other, "`json_schema`")),
    }
}
