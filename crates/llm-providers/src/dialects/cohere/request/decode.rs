//! A caller's request into canonical form.

use llm_types::{
    ChatRequest, Extra, Message, NativeFields, Options, Part, Reasoning, ResponseFormat, Result, Role, Tool,
    ToolChoice, ToolKind,
};
use serde_json::Value;

use super::super::content;
use super::super::glance::control;
use super::super::wire::NATIVE;
use super::messages;
use crate::dialects::conversation;
use crate::fields::{Fields, Path};
use crate::json::Json;

/// Whether a member that no other dialect has changes the answer. Documents: vendor's page
/// `v2/reference/chat`.
fn is_needed(name: &str, value: &Value) -> bool {
    match name {
        // The vendor's own usual mode, and those that ask for nothing.
        "safety_mode" => !matches!(value.as_str(), Some("CONTEXTUAL" | "NONE" | "OFF")),
        "citation_options" => {
            !matches!(value.get("mode").and_then(Value::as_str), None | Some("OFF" | "DISABLED" | "off"))
        }
        _ => true,
    }
}

/// Reads a whole request.
pub(in super::super) fn decode(body: &[u8]) -> Result<ChatRequest> {
    let mut fields = conversation::body(body)?;
    let mut request = ChatRequest { model: fields.required_text("model")?, ..ChatRequest::default() };
    let listed = conversation::listed(&mut fields)?;
    request.messages = messages::decode(listed, &Path::Root.member("messages"))?;
    documents(&mut fields, &mut request.messages)?;
    request.tools = tools(&mut fields)?;
    request.options = options(&mut fields)?;
    request.stream = fields.flag("stream")?.unwrap_or(false);
    let mut native = Extra::default();
    for (name, value) in fields.rest().0 {
        if !value.is_null() && control(&name).is_none() {
            native.keep(name, value);
        }
    }
    request.native = Some(NativeFields::of(NATIVE, native, is_needed));
    Ok(request)
}

/// Puts the documents before the words of the user who asks about them.
fn documents(fields: &mut Fields<'_, '_>, messages: &mut Vec<Message>) -> Result<()> {
    let root = *fields.path();
    let path = root.member("documents");
    let listed = fields.array("documents")?.unwrap_or_default();
    let read = |(index, value)| content::document(value, path.element(index));
    let documents: Vec<Part> = listed.into_iter().enumerate().map(read).collect::<Result<_>>()?;
    if documents.is_empty() {
        return Ok(());
    }
    match messages.iter_mut().rev().find(|message| message.role == Role::User) {
        Some(asked) => {
            asked.parts.splice(0..0, documents);
        }
        None => messages.push(Message::new(Role::User, documents)),
    }
    Ok(())
}

/// Reads `tools` and `strict_tools`, which is one switch for all of them.
fn tools(fields: &mut Fields<'_, '_>) -> Result<Vec<Tool>> {
    let strict = fields.flag("strict_tools")?;
    let root = *fields.path();
    let path = root.member("tools");
    let tools = fields.array("tools")?.unwrap_or_default();
    tools.into_iter().enumerate().map(|(index, value)| tool(value, path.element(index), strict)).collect()
}

fn tool(value: Json<'_>, path: Path<'_>, strict: Option<bool>) -> Result<Tool> {
    let mut fields = Fields::of(value, path)?;
    let kind = fields.text("type")?.unwrap_or_else(|| "function".to_owned());
    if kind != "function" {
        return Err(fields.path().member("type").wrong(kind, "`function`"));
    }
    let mut tool = fields.required_object("function", |function| {
        let name = function.required_text("name")?;
        let description = function.text("description")?;
        let parameters = function.map("parameters")?.map(Value::Object);
        let kind = ToolKind::Function { parameters };
        Ok(Tool { name, description, kind, strict, cache: None, extra: function.rest() })
    })?;
    tool.extra.0.extend(fields.rest().0);
    Ok(tool)
}

fn options(fields: &mut Fields<'_, '_>) -> Result<Options> {
    let stop = match fields.peek("stop_sequences") {
        Some(Json::String(_)) => fields.text("stop_sequences")?.map(|text| vec![text]),
        _ => fields.texts("stop_sequences")?,
    };
    Ok(Options {
        max_tokens: fields.whole("max_tokens")?,
        temperature: fields.number("temperature")?,
        top_p: fields.number("p")?,
        top_k: fields.whole("k")?,
        stop: stop.unwrap_or_default(),
        seed: fields.integer("seed")?,
        frequency_penalty: fields.number("frequency_penalty")?,
        presence_penalty: fields.number("presence_penalty")?,
        logprobs: fields.flag("logprobs")?,
        tool_choice: tool_choice(fields)?,
        response_format: fields.object("response_format", format)?,
        reasoning: fields.object("thinking", thinking)?,
        include_usage: Some(true),
        ..Options::default()
    })
}

/// Reads `tool_choice`; the vendor takes its words in small letters too.
fn tool_choice(fields: &mut Fields<'_, '_>) -> Result<Option<ToolChoice>> {
    let Some(word) = fields.text("tool_choice")? else { return Ok(None) };
    match word.to_ascii_uppercase().as_str() {
        "REQUIRED" => Ok(Some(ToolChoice::Required)),
        "NONE" => Ok(Some(ToolChoice::None)),
        _ => Err(fields.path().member("tool_choice").wrong(word, "`REQUIRED` or `NONE`")),
    }
}

/// The schema stands in `json_schema`; `schema` was its first name, and `json_schema` is taken as a type.
fn format(fields: &mut Fields<'_, '_>) -> Result<ResponseFormat> {
    let kind = fields.required_text("type")?;
    let schema = match fields.map("json_schema")? {
        Some(schema) => Some(schema),
        None => fields.map("schema")?,
    };
    match (kind.as_str(), schema) {
        ("text", _) => Ok(ResponseFormat::Text),
        ("json_object", None) => Ok(ResponseFormat::JsonObject),
        ("json_object" | "json_schema", Some(schema)) => {
            let schema = Value::Object(schema);
            Ok(ResponseFormat::JsonSchema { name: None, description: None, schema, strict: Some(true) })
        }
        ("json_schema", None) => Err(fields.path().member("json_schema").missing("a JSON schema")),
        (other, _) => Err(fields.path().member("type").wrong(other, "`text` or `json_object`")),
    }
}

fn thinking(fields: &mut Fields<'_, '_>) -> Result<Reasoning> {
    let enabled = match fields.required_text("type")?.as_str() {
        "enabled" => true,
        "disabled" => false,
        other => {
            return Err(fields.path().member("type").wrong(other, "`enabled` or `disabled`"));
        }
    };
    let budget_tokens = fields.whole("token_budget")?;
    Ok(Reasoning { enabled: Some(enabled), budget_tokens, ..Reasoning::default() })
}
