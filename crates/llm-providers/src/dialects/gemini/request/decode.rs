//! A caller's request into canonical form.

use llm_types::{
    ChatRequest, Extra, Message, NativeFields, PartKind, Result, Role, Tool, ToolChoice, ToolKind,
};
use serde_json::{Map, Value};

use super::super::glance::control;
use super::super::wire::{NATIVE, camel};
use super::super::{content, schema};
use super::options;
use crate::dialects::calls::Ids;
use crate::fields::{Fields, Path};
use crate::json::{self, Json};

/// How ids begin that were made here because the caller gives none; they are not written back.
const MADE: &str = "call_gemini_";

/// Whether an id was made by [`decode`].
pub(super) fn is_made(id: &str) -> bool {
    id.starts_with(MADE)
}

/// A body as a value, its members in `camelCase`.
pub(in super::super) fn body(body: &[u8]) -> Result<Json<'_>> {
    let mut value = json::parse(body)?;
    camel(&mut value);
    Ok(value)
}

/// Whether a member that no other dialect has must not be left out in silence: a part of the prompt that
/// lies with the provider.
fn is_needed(name: &str, _: &Value) -> bool {
    name == "cachedContent"
}

/// Reads a whole request. The path names the model and whether a stream is wanted.
pub(in super::super) fn decode(bytes: &[u8]) -> Result<ChatRequest> {
    let mut fields = Fields::of(body(bytes)?, Path::Root)?;
    let mut native = Extra::default();
    let model = fields.text("model")?.unwrap_or_default();
    let model = model.strip_prefix("models/").unwrap_or(&model).to_owned();
    let mut request = ChatRequest { model, ..ChatRequest::default() };
    request.messages = system(&mut fields)?;
    contents(&mut fields, &mut request.messages)?;
    request.options = options::decode(&mut fields, &mut native)?;
    request.tools = tools(&mut fields, &mut request.options.web_search)?;
    tool_config(&mut fields, &mut request.options.tool_choice, &mut native)?;
    for (name, value) in fields.rest().0 {
        if !value.is_null() && control(&name).is_none() {
            native.keep(name, value);
        }
    }
    request.native = Some(NativeFields::of(NATIVE, native, is_needed));
    Ok(request)
}

/// `systemInstruction`: content whose role means nothing, or, as some clients write it, a text.
fn system(fields: &mut Fields<'_, '_>) -> Result<Vec<Message>> {
    let root = *fields.path();
    let path = root.member("systemInstruction");
    let parts = match fields.take("systemInstruction") {
        None => return Ok(Vec::new()),
        Some(Json::String(text)) => vec![llm_types::Part::text(text)],
        Some(Json::Object(mut content)) => match content.take("parts") {
            Some(parts) => content::parts(parts, &path.member("parts"))?,
            None => content::parts(Json::Object(content), &path)?,
        },
        Some(other) => return Err(path.wrong(other, "content with parts")),
    };
    Ok(vec![Message::new(Role::System, parts)])
}

fn contents(fields: &mut Fields<'_, '_>, out: &mut Vec<Message>) -> Result<()> {
    let root = *fields.path();
    let path = root.member("contents");
    let contents = match fields.take("contents") {
        None => return Err(path.missing("an array of contents")),
        Some(Json::Array(contents)) => contents,
        // One content may stand without its list.
        Some(value @ Json::Object(_)) => vec![value],
        Some(other) => return Err(path.wrong(other, "an array of contents")),
    };
    if contents.is_empty() {
        let message = "`contents`: expected at least one content, found none";
        return Err(llm_types::Error::bad_param("contents", message));
    }
    let mut ids = Ids::new(MADE);
    for (index, value) in contents.into_iter().enumerate() {
        content_into(Fields::of(value, path.element(index))?, &mut ids, out)?;
    }
    Ok(())
}

/// Reads one content. A user's turn may mix tool results with other parts; results become messages of
/// their own, in order.
fn content_into(mut fields: Fields<'_, '_>, ids: &mut Ids, out: &mut Vec<Message>) -> Result<()> {
    let role = match fields.text("role")?.as_deref() {
        None | Some("user" | "USER" | "") => Role::User,
        Some("model" | "MODEL" | "assistant") => Role::Assistant,
        Some("function" | "tool") => Role::Tool,
        Some("system") => Role::System,
        Some(other) => {
            return Err(fields.path().member("role").wrong(other, "`user` or `model`"));
        }
    };
    let path = *fields.path();
    let path = path.member("parts");
    let parts = match fields.take("parts") {
        Some(parts) => content::parts(parts, &path)?,
        None => Vec::new(),
    };
    let parts = if role == Role::Assistant { content::joined(parts) } else { parts };
    let first = out.len();
    if parts.is_empty() {
        out.push(Message::new(role, Vec::new()));
    }
    for mut part in parts {
        let role = match &mut part.kind {
            PartKind::ToolCall(call) => {
                ids.called(&call.name, &mut call.id);
                role
            }
            PartKind::ToolResult(result) => {
                ids.answered(result.name.as_deref(), &mut result.call_id);
                Role::Tool
            }
            _ if role == Role::Tool => Role::User,
            _ => role,
        };
        match out.get_mut(first..).and_then(|new| new.last_mut()) {
            Some(last) if last.role == role => last.parts.push(part),
            _ => out.push(Message::new(role, vec![part])),
        }
    }
    Ok(())
}

/// `tools`: an entry may hold functions and tools of the vendor's side by side.
fn tools(fields: &mut Fields<'_, '_>, search: &mut Option<Value>) -> Result<Vec<Tool>> {
    let root = *fields.path();
    let path = root.member("tools");
    let listed = match fields.take("tools") {
        None => Vec::new(),
        Some(Json::Array(tools)) => tools,
        Some(value @ Json::Object(_)) => vec![value],
        Some(other) => return Err(path.wrong(other, "an array of tools")),
    };
    let mut tools = Vec::new();
    for (index, value) in listed.into_iter().enumerate() {
        let path = path.element(index);
        let mut entry = Fields::of(value, path)?;
        let functions = path.member("functionDeclarations");
        for (index, value) in entry.array("functionDeclarations")?.unwrap_or_default().into_iter().enumerate()
        {
            tools.push(function(Fields::of(value, functions.element(index))?)?);
        }
        for (name, value) in entry.rest().0 {
            match (name.as_str(), &value) {
                (_, Value::Null) => {}
                // Plain web search is what other dialects have, too.
                ("googleSearch", Value::Object(options)) if options.is_empty() => *search = Some(value),
                _ => tools.push(native(name, value)),
            }
        }
    }
    Ok(tools)
}

fn native(name: String, value: Value) -> Tool {
    let entry = Value::Object(Map::from_iter([(name.clone(), value)]));
    let kind = ToolKind::Native { dialect: NATIVE.to_owned(), value: entry };
    Tool { name, description: None, kind, strict: None, cache: None, extra: Extra::default() }
}

fn function(mut fields: Fields<'_, '_>) -> Result<Tool> {
    let name = fields.required_text("name")?;
    let description = fields.text("description")?;
    let json_schema = fields.any("parametersJsonSchema");
    let parameters = fields.any("parameters").map(schema::from_openapi).or(json_schema);
    let mut extra = fields.rest();
    extra.0.retain(|_, value| !value.is_null());
    let kind = ToolKind::Function { parameters };
    Ok(Tool { name, description, kind, strict: None, cache: None, extra })
}

fn tool_config(
    fields: &mut Fields<'_, '_>,
    choice: &mut Option<ToolChoice>,
    native: &mut Extra,
) -> Result<()> {
    let rest = fields.object("toolConfig", |config| {
        let calling = config.object("functionCallingConfig", |calling| {
            let mode = calling.text("mode")?;
            let names = calling.texts("allowedFunctionNames")?.unwrap_or_default();
            *choice = choice_of(mode.as_deref(), names, calling.path())?;
            let mut rest = calling.rest();
            if mode.as_deref() == Some("VALIDATED") {
                rest.keep("mode", Value::from("VALIDATED"));
            }
            Ok(rest)
        })?;
        let mut rest = config.rest();
        if let Some(calling) = calling.filter(|calling| !calling.is_empty()) {
            rest.keep("functionCallingConfig", Value::Object(calling.0));
        }
        Ok(rest)
    })?;
    if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
        native.keep("toolConfig", Value::Object(rest.0));
    }
    Ok(())
}

fn choice_of(mode: Option<&str>, names: Vec<String>, path: &Path<'_>) -> Result<Option<ToolChoice>> {
    Ok(match (mode.unwrap_or_default().to_ascii_uppercase().as_str(), names) {
        ("" | "MODE_UNSPECIFIED", names) if names.is_empty() => None,
        ("NONE", _) => Some(ToolChoice::None),
        ("ANY", names) => Some(match names.as_slice() {
            [] => ToolChoice::Required,
            [one] => ToolChoice::Tool(one.clone()),
            _ => ToolChoice::Among { tools: names, required: true },
        }),
        ("AUTO" | "VALIDATED" | "" | "MODE_UNSPECIFIED", names) => Some(if names.is_empty() {
            ToolChoice::Auto
        } else {
            ToolChoice::Among { tools: names, required: false }
        }),
        (other, _) => {
            let expected = "`AUTO`, `ANY`, `NONE` or `VALIDATED`";
            return Err(path.member("mode").wrong(other, expected));
        }
    })
}
