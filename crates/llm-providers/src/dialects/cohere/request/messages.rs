//! Messages, from the wire into canonical form.

use llm_types::{Message, Part, PartKind, Result, Role, ToolCall, ToolResult};
use serde_json::Value;

use super::super::wire::TOOL_PLAN;
use super::super::{citation, content};
use crate::fields::{Fields, Path};
use crate::json::Json;

/// Reads all messages.
pub(in super::super) fn decode(listed: Vec<Json<'_>>, path: &Path<'_>) -> Result<Vec<Message>> {
    listed.into_iter().enumerate().map(|(index, value)| message(value, path.element(index))).collect()
}

fn message(value: Json<'_>, path: Path<'_>) -> Result<Message> {
    let mut fields = Fields::of(value, path)?;
    let role = role(&mut fields)?;
    let parts = match role {
        Role::Assistant => assistant(&mut fields)?,
        Role::Tool => vec![tool_result(&mut fields)?],
        _ => said(&mut fields)?,
    };
    let mut message = Message::new(role, parts);
    message.extra = fields.rest();
    message.extra.0.retain(|_, value| !value.is_null());
    Ok(message)
}

fn role(fields: &mut Fields<'_, '_>) -> Result<Role> {
    match fields.required_text("role")?.as_str() {
        "system" | "developer" => Ok(Role::System),
        "user" => Ok(Role::User),
        "assistant" => Ok(Role::Assistant),
        "tool" => Ok(Role::Tool),
        other => {
            let expected = "one of `system`, `user`, `assistant`, `tool`";
            Err(fields.path().member("role").wrong(other, expected))
        }
    }
}

/// `content` that must be there.
fn said(fields: &mut Fields<'_, '_>) -> Result<Vec<Part>> {
    let path = *fields.path();
    let path = path.member("content");
    let value =
        fields.take("content").ok_or_else(|| path.missing("a string or an array of content blocks"))?;
    content::read(value, &path)
}

fn tool_result(fields: &mut Fields<'_, '_>) -> Result<Part> {
    let call_id = fields.required_text("tool_call_id")?;
    let parts = said(fields)?;
    Ok(Part::new(PartKind::ToolResult(ToolResult { call_id, name: None, parts, is_error: None })))
}

/// What the model said: its thoughts and words, its plan, then its calls. Also the `message` of a reply.
pub(in super::super) fn assistant(fields: &mut Fields<'_, '_>) -> Result<Vec<Part>> {
    let path = *fields.path();
    let mut parts = match fields.take("content") {
        Some(content) => content::read(content, &path.member("content"))?,
        None => Vec::new(),
    };
    cite(&mut parts, fields.array("citations")?.unwrap_or_default());
    if let Some(plan) = fields.text("tool_plan")?.filter(|plan| !plan.is_empty()) {
        parts.push(tool_plan(plan));
    }
    let listed = fields.array("tool_calls")?.unwrap_or_default();
    let path = path.member("tool_calls");
    for (index, value) in listed.into_iter().enumerate() {
        parts.push(tool_call(Fields::of(value, path.element(index))?)?);
    }
    Ok(parts)
}

/// A tool plan: the model's thoughts before it calls tools.
pub(in super::super) fn tool_plan(plan: String) -> Part {
    let mut part = Part::reasoning(plan, None);
    part.extra.keep(TOOL_PLAN, Value::Bool(true));
    part
}

fn tool_call(mut fields: Fields<'_, '_>) -> Result<Part> {
    let id = fields.required_text("id")?;
    let call = fields.required_object("function", |function| {
        let name = function.required_text("name")?;
        let arguments = function.text("arguments")?.unwrap_or_default();
        Ok(ToolCall { id, name, arguments, custom: false })
    })?;
    let mut part = Part::new(PartKind::ToolCall(call));
    fields.any("type");
    part.extra = fields.rest();
    Ok(part)
}

/// Puts citations on the texts they are of: by `content_index`, else on the last one.
fn cite(parts: &mut [Part], citations: Vec<Json<'_>>) {
    for native in citations {
        let index = native.get("content_index").and_then(Json::as_u64);
        let at = index.and_then(|index| usize::try_from(index).ok()).filter(|at| is_text(parts.get(*at)));
        let at = at.or_else(|| parts.iter().rposition(|part| is_text(Some(part))));
        if let Some(PartKind::Text { citations, .. }) = at.map(|at| &mut parts[at].kind) {
            citations.push(citation::read(native.into_value()));
        }
    }
}

fn is_text(part: Option<&Part>) -> bool {
    part.is_some_and(|part| matches!(part.kind, PartKind::Text { .. }))
}
