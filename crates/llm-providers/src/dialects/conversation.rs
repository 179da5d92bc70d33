//! Conversations as dialects read them alike: a list of messages, turns that mix results of tools with other
//! content, an answer that came as the call of a tool that stands in for it.

use llm_types::{Error, Finish, Message, Part, PartKind, Result, Role};

use crate::fields::{Fields, Path};
use crate::json::{self, Json};

/// Reads a body as an object.
///
/// # Errors
/// [`ErrorKind::BadRequest`] when it is none.
pub(in crate::dialects) fn body(body: &[u8]) -> Result<Fields<'static, '_>> {
    Fields::of(json::parse(body)?, Path::Root)
}

/// Takes `messages`, of which there must be one.
///
/// # Errors
/// [`ErrorKind::BadRequest`] when there is none.
pub(in crate::dialects) fn listed<'b>(fields: &mut Fields<'_, 'b>) -> Result<Vec<Json<'b>>> {
    let root = *fields.path();
    let path = root.member("messages");
    let listed = fields.array("messages")?.ok_or_else(|| path.missing("an array of messages"))?;
    if listed.is_empty() {
        return Err(Error::bad_param("messages", "`messages`: expected at least one message, found none"));
    }
    Ok(listed)
}

/// Reads `messages` of dialects whose users give back results of tools amid their own words; `content` reads
/// what a message holds. Results become messages of their own, in order.
///
/// # Errors
/// [`ErrorKind::BadRequest`] naming the field at fault.
pub(in crate::dialects) fn turns(
    fields: &mut Fields<'_, '_>,
    out: &mut Vec<Message>,
    content: impl Fn(&mut Fields<'_, '_>) -> Result<Vec<Part>>,
) -> Result<()> {
    let listed = listed(fields)?;
    let root = *fields.path();
    let path = root.member("messages");
    for (index, message) in listed.into_iter().enumerate() {
        turn(Fields::of(message, path.element(index))?, out, &content)?;
    }
    Ok(())
}

fn turn(
    mut fields: Fields<'_, '_>,
    out: &mut Vec<Message>,
    content: impl Fn(&mut Fields<'_, '_>) -> Result<Vec<Part>>,
) -> Result<()> {
    let role = match fields.required_text("role")?.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        other => {
            let path = fields.path().member("role");
            return Err(path.wrong(other, "`user`, `assistant` or `system`"));
        }
    };
    let parts = content(&mut fields)?;
    let mut extra = fields.rest();
    extra.0.retain(|_, value| !value.is_null());
    if parts.is_empty() {
        out.push(Message { extra, ..Message::new(role, parts) });
        return Ok(());
    }
    let first = out.len();
    for part in parts {
        let is_result = role == Role::User && matches!(part.kind, PartKind::ToolResult(_));
        let role = if is_result { Role::Tool } else { role };
        match out.get_mut(first..).and_then(|new| new.last_mut()) {
            Some(last) if last.role == role => last.parts.push(part),
            _ => out.push(Message::new(role, vec![part])),
        }
    }
    if let Some(message) = out.get_mut(first) {
        message.extra = extra;
    }
    Ok(())
}

/// Turns the call of the tool that stands in for an answer's schema back into the answer.
pub(in crate::dialects) fn answered(
    mut parts: Vec<Part>,
    finish: Option<Finish>,
    answer_tool: &str,
) -> (Vec<Part>, Option<Finish>) {
    let mut answered = false;
    for part in &mut parts {
        if let PartKind::ToolCall(call) = &mut part.kind
            && call.name == answer_tool
        {
            *part = Part::text(std::mem::take(&mut call.arguments));
            answered = true;
        }
    }
    let calls = parts.iter().any(|part| matches!(part.kind, PartKind::ToolCall(_)));
    let finish =
        if answered && !calls && finish == Some(Finish::ToolCalls) { Some(Finish::Stop) } else { finish };
    (parts, finish)
}
