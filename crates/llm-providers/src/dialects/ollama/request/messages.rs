//! Messages, from the wire into canonical form. The wire needs no ids: calls without one get one, and
//! results that of the call they answer.

use llm_types::{Media, MediaSource, Message, Part, PartKind, Result, Role, ToolCall, ToolResult};
use serde_json::Value;

use crate::dialects::calls::Ids;
use crate::fields::{Fields, Path};
use crate::json::Json;

/// How ids begin that were made here; they are not written back.
const MADE: &str = "call_ollama_";

/// Whether an id was made by [`decode`].
pub(super) fn is_made(id: &str) -> bool {
    id.starts_with(MADE)
}

/// Reads all messages.
pub(super) fn decode(listed: Vec<Json<'_>>, path: &Path<'_>) -> Result<Vec<Message>> {
    let mut ids = Ids::new(MADE);
    let read = |(index, value)| message(value, path.element(index), &mut ids);
    listed.into_iter().enumerate().map(read).collect()
}

fn message(value: Json<'_>, path: Path<'_>, ids: &mut Ids) -> Result<Message> {
    let mut fields = Fields::of(value, path)?;
    let role = role(&mut fields)?;
    let mut parts = Vec::new();
    let thoughts = fields.text("thinking")?.filter(|text| !text.is_empty());
    parts.extend(thoughts.map(|text| Part::reasoning(text, None)));
    let text = fields.text("content")?.unwrap_or_default();
    let pictures = fields.texts("images")?.unwrap_or_default();
    let calls = calls(&mut fields, ids)?;
    let silent = !pictures.is_empty() || !calls.is_empty() || !parts.is_empty();
    if !(text.is_empty() && silent) {
        parts.push(Part::text(text));
    }
    parts.extend(pictures.into_iter().map(picture));
    parts.extend(calls);
    if role == Role::Tool {
        parts = vec![tool_result(&mut fields, parts, ids)?];
    }
    let mut message = Message::new(role, parts);
    message.extra = fields.rest();
    message.extra.0.retain(|_, value| !value.is_null());
    Ok(message)
}

fn role(fields: &mut Fields<'_, '_>) -> Result<Role> {
    match fields.required_text("role")?.as_str() {
        "system" => Ok(Role::System),
        "user" => Ok(Role::User),
        "assistant" => Ok(Role::Assistant),
        "tool" => Ok(Role::Tool),
        other => Err(fields.path().member("role").wrong(other, "`system`, `user`, `assistant` or `tool`")),
    }
}

/// A picture; some clients write `data:` URLs where the wire wants base64 alone.
pub(in super::super) fn picture(data: String) -> Part {
    let inside = data.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    Part::new(PartKind::Image(match inside {
        Some((mime, data)) => Media::new(MediaSource::Base64(data.to_owned()), Some(mime.to_owned())),
        None => {
            let mime = kind_of(&data).to_owned();
            Media::new(MediaSource::Base64(data), Some(mime))
        }
    }))
}

/// What a picture in base64 is, by its first bytes: the wire does not say it, and other dialects must.
fn kind_of(data: &str) -> &'static str {
    match data.as_bytes() {
        [b'/', b'9', b'j', ..] => "image/jpeg",
        [b'R', b'0', b'l', b'G', ..] => "image/gif",
        [b'U', b'k', b'l', b'G', ..] => "image/webp",
        _ => "image/png",
    }
}

fn calls(fields: &mut Fields<'_, '_>, ids: &mut Ids) -> Result<Vec<Part>> {
    let root = *fields.path();
    let path = root.member("tool_calls");
    let listed = fields.array("tool_calls")?.unwrap_or_default();
    let read = |(index, value)| call(Fields::of(value, path.element(index))?, ids);
    listed.into_iter().enumerate().map(read).collect()
}

fn call(mut fields: Fields<'_, '_>, ids: &mut Ids) -> Result<Part> {
    let mut id = fields.text("id")?.unwrap_or_default();
    let (name, arguments) = fields.required_object("function", |function| {
        function.any("index");
        let name = function.required_text("name")?;
        Ok((name, function.map("arguments")?.unwrap_or_default()))
    })?;
    ids.called(&name, &mut id);
    let arguments = Value::Object(arguments).to_string();
    Ok(Part::new(PartKind::ToolCall(ToolCall { id, name, arguments, custom: false })))
}

fn tool_result(fields: &mut Fields<'_, '_>, parts: Vec<Part>, ids: &mut Ids) -> Result<Part> {
    let mut call_id = fields.text("tool_call_id")?.unwrap_or_default();
    let name = fields.text("tool_name")?;
    ids.answered(name.as_deref(), &mut call_id);
    let result = ToolResult { call_id, name, parts, is_error: None };
    Ok(Part::new(PartKind::ToolResult(result)))
}
