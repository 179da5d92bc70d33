//! A caller's request body into the canonical request.

use llm_types::{ChatRequest, Extra, Message, NativeFields, Result, Role};
use serde_json::Value;

use super::super::glance::control;
use super::super::wire::DIALECT;
use super::{items, options, tools};
use crate::dialects::conversation;
use crate::fields::Fields;
use crate::json::Json;

/// Members that only this API has, with the question whether an answer without them is another answer.
fn is_needed(name: &str, value: &Value) -> bool {
    match name {
        // How much of what is shown, where it is kept, what the client counts: the answer stays the same.
        "client_metadata"
        | "include"
        | "stream_options"
        | "prompt_cache_options"
        | "prompt_cache_retention" => false,
        "background" => value.as_bool() == Some(true),
        "truncation" => value.as_str() == Some("auto"),
        _ => true,
    }
}

/// Reads a whole request.
pub(crate) fn decode(body: &[u8]) -> Result<ChatRequest> {
    // The scanner's faults say where and what; what it accepts serde_json reads.
    let mut fields = conversation::body(body)?;
    let model = fields.text("model")?.unwrap_or_default();
    let mut messages = Vec::new();
    if let Some(text) = fields.text("instructions")? {
        messages.push(Message::system(text));
    }
    input(&mut fields, &mut messages)?;
    let stream = fields.flag("stream")?.unwrap_or(false);
    let mut kept = Extra::default();
    let mut options = options::decode(&mut fields, &mut kept)?;
    let tools = tools::decode(&mut fields, &mut options)?;
    options.tool_choice = tools::decode_choice(&mut fields)?;
    for (name, value) in fields.rest().0 {
        if !value.is_null() && control(&name).is_none() {
            kept.keep(name, value);
        }
    }
    let native = NativeFields::of(DIALECT, kept, is_needed);
    let native = (!native.fields.is_empty()).then_some(native);
    Ok(ChatRequest {
        model,
        messages,
        tools,
        options,
        stream,
        extra: Extra::default(),
        native,
        is_prompt: false,
    })
}

/// `input`: one text of the user, or items.
fn input(fields: &mut Fields<'_, '_>, messages: &mut Vec<Message>) -> Result<()> {
    let root = *fields.path();
    let path = root.member("input");
    match fields.take("input") {
        None => Ok(()),
        Some(Json::String(text)) => {
            messages.push(Message { role: Role::User, ..Message::user(text) });
            Ok(())
        }
        Some(Json::Array(listed)) => items::decode(listed, &path, messages),
        Some(other) => Err(path.wrong(other, "a string or an array of items")),
    }
}
