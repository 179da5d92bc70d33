//! A caller's request into canonical form.

use llm_types::{
    CacheMark, ChatRequest, Error, Extra, Message, NativeFields, Options, Part, Reasoning, ReasoningEffort,
    ResponseFormat, Result, Role, Tool, ToolChoice, ToolKind,
};
use serde_json::{Map, Value};

use super::super::content::{self, NATIVE};
use super::super::glance::control;
use crate::dialects::conversation;
use crate::fields::{Fields, Path};
use crate::json::Json;

/// Whether a member that no other dialect has must not be left out in silence: a guardrail that is not
/// applied is no guardrail.
fn is_needed(name: &str, _: &Value) -> bool {
    name == "guardrailConfig"
}

/// Reads a whole request. The model and whether a stream is wanted stand in the path.
pub(in super::super) fn decode(body: &[u8]) -> Result<ChatRequest> {
    let mut fields = conversation::body(body)?;
    let mut native = Extra::default();
    let mut request = ChatRequest { messages: system(&mut fields)?, ..ChatRequest::default() };
    conversation::turns(&mut fields, &mut request.messages, content_of)?;
    request.options = options(&mut fields, &mut native)?;
    request.tools = tools(&mut fields, &mut request.options)?;
    for (name, value) in fields.rest().0 {
        if !value.is_null() && control(&name).is_none() {
            native.keep(name, value);
        }
    }
    request.native = Some(NativeFields::of(NATIVE, native, is_needed));
    Ok(request)
}

fn system(fields: &mut Fields<'_, '_>) -> Result<Vec<Message>> {
    let Some(system) = fields.array("system")?.filter(|list| !list.is_empty()) else { return Ok(Vec::new()) };
    let parts = content::blocks(system, &fields.path().member("system"))?;
    Ok(vec![Message::new(Role::System, parts)])
}

/// Reads what a message holds.
fn content_of(fields: &mut Fields<'_, '_>) -> Result<Vec<Part>> {
    let content = fields.array("content")?;
    let path = fields.path().member("content");
    content::blocks(content.ok_or_else(|| path.missing("an array of content blocks"))?, &path)
}

/// Reads `toolConfig`. A cache point marks the tool before it.
fn tools(fields: &mut Fields<'_, '_>, options: &mut Options) -> Result<Vec<Tool>> {
    let mut tools: Vec<Tool> = Vec::new();
    fields.object("toolConfig", |config| {
        let root = *config.path();
        let path = root.member("tools");
        for (index, value) in config.array("tools")?.unwrap_or_default().into_iter().enumerate() {
            let path = path.element(index);
            if let Some(mark) = content::cache_mark(&value, &path)?
                && let Some(last) = tools.last_mut().filter(|last| last.cache.is_none())
            {
                last.cache = Some(mark);
                continue;
            }
            tools.push(tool(value, path)?);
        }
        options.tool_choice = config.object("toolChoice", tool_choice)?;
        Ok(())
    })?;
    Ok(tools)
}

fn tool(value: Json<'_>, path: Path<'_>) -> Result<Tool> {
    if value.get("toolSpec").is_none() {
        let name =
            value.at(&["systemTool", "name"]).and_then(Json::as_str).unwrap_or("cachePoint").to_owned();
        if value.as_object().is_none() {
            return Err(path.wrong(value, "a tool"));
        }
        let kind = ToolKind::Native { dialect: NATIVE.to_owned(), value: value.into_value() };
        return Ok(plain(name, kind, None));
    }
    Fields::of(value, path)?.required_object("toolSpec", |spec| {
        let name = spec.required_text("name")?;
        let description = spec.text("description")?;
        let parameters = spec.object("inputSchema", |schema| Ok(schema.any("json")))?.flatten();
        let strict = spec.flag("strict")?;
        Ok(Tool { description, strict, ..plain(name, ToolKind::Function { parameters }, None) })
    })
}

fn plain(name: String, kind: ToolKind, cache: Option<CacheMark>) -> Tool {
    Tool { name, description: None, kind, strict: None, cache, extra: Extra::default() }
}

fn tool_choice(choice: &mut Fields<'_, '_>) -> Result<ToolChoice> {
    if choice.any("auto").is_some() {
        return Ok(ToolChoice::Auto);
    }
    if choice.any("any").is_some() {
        return Ok(ToolChoice::Required);
    }
    choice.required_object("tool", |tool| Ok(ToolChoice::Tool(tool.required_text("name")?)))
}

fn options(fields: &mut Fields<'_, '_>, native: &mut Extra) -> Result<Options> {
    let mut options = Options { include_usage: Some(true), ..Options::default() };
    fields.object("inferenceConfig", |config| {
        options.max_tokens = config.whole("maxTokens")?;
        options.temperature = config.number("temperature")?;
        options.top_p = config.number("topP")?;
        options.stop = config.texts("stopSequences")?.unwrap_or_default();
        Ok(())
    })?;
    options.service_tier = fields.object("serviceTier", |tier| tier.text("type"))?.flatten();
    options.metadata = fields.map("requestMetadata")?.filter(|labels| !labels.is_empty());
    output(fields, &mut options, native)?;
    if let Some(mut added) = fields.map("additionalModelRequestFields")? {
        additional(&mut added, &mut options)?;
        if !added.is_empty() {
            native.keep("additionalModelRequestFields", Value::Object(added));
        }
    }
    Ok(options)
}

/// Reads `outputConfig`: the schema of the answer, and the effort.
fn output(fields: &mut Fields<'_, '_>, options: &mut Options, native: &mut Extra) -> Result<()> {
    let rest = fields.object("outputConfig", |config| {
        options.response_format = config.object("textFormat", text_format)?.flatten();
        if let Some(effort) =
            config.peek("effort").and_then(Json::as_str).and_then(ReasoningEffort::from_word)
        {
            options.reasoning.get_or_insert_default().effort = Some(effort);
        }
        Ok(config.rest())
    })?;
    if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
        native.keep("outputConfig", Value::Object(rest.0));
    }
    Ok(())
}

fn text_format(format: &mut Fields<'_, '_>) -> Result<Option<ResponseFormat>> {
    if format.required_text("type")? != "json_schema" {
        return Ok(None);
    }
    format.required_object("structure", |structure| {
        structure.required_object("jsonSchema", |json| {
            let text = json.required_text("schema")?;
            let schema = serde_json::from_str(&text).map_err(|fault| {
                let path = json.path().member("schema").to_string();
                let message = format!("`{path}`: expected the text of a JSON schema: {fault}");
                Error::bad_param(path, message)
            })?;
            let (name, description) = (json.text("name")?, json.text("description")?);
            Ok(Some(ResponseFormat::JsonSchema { name, description, schema, strict: Some(true) }))
        })
    })
}

/// Takes what has a canonical form out of the members that are for the model.
fn additional(added: &mut Map<String, Value>, options: &mut Options) -> Result<()> {
    let path = Path::Root.member("additionalModelRequestFields");
    for name in ["top_k", "topK"] {
        if let Some(value) = added.shift_remove(name) {
            let whole =
                value.as_u64().ok_or_else(|| path.member(name).wrong(value, "a whole number from 0"))?;
            options.top_k = Some(whole);
        }
    }
    if let Some(Value::Object(config)) = added.get_mut("inferenceConfig") {
        let top_k = config.shift_remove("topK").and_then(|value| value.as_u64());
        options.top_k = top_k.or(options.top_k);
        if config.is_empty() {
            added.shift_remove("inferenceConfig");
        }
    }
    if let Some(word) = added.get("reasoning_effort").and_then(Value::as_str)
        && let Some(effort) = ReasoningEffort::from_word(word)
    {
        options.reasoning.get_or_insert_default().effort = Some(effort);
        added.shift_remove("reasoning_effort");
    }
    thinking(added, options);
    parallel(added, options);
    Ok(())
}

/// Reads Claude's `thinking` (also by its first name, `reasoning_config`) and `output_config.effort`, and
/// Nova's `reasoningConfig`. Kinds without a canonical form stay where they are.
fn thinking(added: &mut Map<String, Value>, options: &mut Options) {
    for name in ["thinking", "reasoning_config", "reasoningConfig"] {
        let Some(asked) = added.get(name) else { continue };
        let word = |name: &str| asked.get(name).and_then(Value::as_str);
        let before = options.reasoning.take().unwrap_or_default();
        let reasoning = match word("type") {
            Some("enabled") => Reasoning {
                enabled: Some(true),
                budget_tokens: asked.get("budget_tokens").and_then(Value::as_u64),
                effort: word("maxReasoningEffort").and_then(ReasoningEffort::from_word).or(before.effort),
                ..before
            },
            Some("disabled") => Reasoning { enabled: Some(false), ..before },
            Some("adaptive") => Reasoning { adaptive: true, ..before },
            _ => {
                options.reasoning = Some(before).filter(|before| *before != Reasoning::default());
                continue;
            }
        };
        let include = match word("display") {
            Some("omitted") => Some(false),
            Some("summarized") => Some(true),
            _ => None,
        };
        options.reasoning = Some(Reasoning { include, ..reasoning });
        added.shift_remove(name);
    }
    let Some(Value::Object(config)) = added.get_mut("output_config") else { return };
    let effort = config.get("effort").and_then(Value::as_str).and_then(ReasoningEffort::from_word);
    // An effort beside thinking is its effort; alone it is a setting of its own and stays.
    if let (Some(effort), Some(reasoning)) = (effort, &mut options.reasoning) {
        reasoning.effort = Some(effort);
        config.shift_remove("effort");
        if config.is_empty() {
            added.shift_remove("output_config");
        }
    }
}

/// Reads Claude's way to forbid calling several tools at once.
fn parallel(added: &mut Map<String, Value>, options: &mut Options) {
    let disabled = added.get("tool_choice").and_then(|choice| choice.get("disable_parallel_tool_use"));
    if let Some(disabled) = disabled.and_then(Value::as_bool) {
        options.parallel_tool_calls = Some(!disabled);
        added.shift_remove("tool_choice");
    }
}
