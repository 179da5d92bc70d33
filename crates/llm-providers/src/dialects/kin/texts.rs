//! Messages in OpenAI's form as texts, for forms that have nothing else.

use llm_types::{Error, Result};
use serde_json::Value;

use crate::Target;
use crate::left_out::note;

/// The role of a message.
pub(super) fn role(message: &Value) -> &str {
    message.get("role").and_then(Value::as_str).unwrap_or_default()
}

/// The texts of a content, joined.
pub(super) fn text(content: Option<&Value>) -> String {
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect()
        }
        _ => String::new(),
    }
}

/// The text of a message that may hold nothing else.
///
/// # Errors
/// [`llm_types::ErrorKind::Unsupported`] for a part that is no text, unless the target drops what its
/// provider cannot express.
pub(super) fn only_text(message: &Value, target: &Target) -> Result<String> {
    let content = message.get("content");
    let kind = |part: &Value| part.get("type").and_then(Value::as_str).unwrap_or("?").to_owned();
    let other = content
        .and_then(Value::as_array)
        .and_then(|parts| parts.iter().find(|part| part.get("text").is_none()).map(kind));
    match other {
        Some(kind) if !target.policy.drop => {
            let message = format!(
                "`messages`: parts of type `{kind}` are not supported by this model's provider: it takes texts \
                 only; leave them out or set `drop_params`"
            );
            Err(Error::unsupported("messages", message))
        }
        Some(_) => {
            note("messages.content");
            Ok(text(content))
        }
        None => Ok(text(content)),
    }
}

/// The messages of a request.
pub(super) fn messages(chat: &serde_json::Map<String, Value>) -> &[Value] {
    chat.get("messages").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether a stream is asked for.
pub(super) fn streams(chat: &serde_json::Map<String, Value>) -> bool {
    chat.get("stream").and_then(Value::as_bool) == Some(true)
}

/// The functions that a request offers.
///
/// # Errors
/// [`llm_types::ErrorKind::Unsupported`] for a tool that is none, unless the target drops what its provider
/// cannot express.
pub(super) fn functions<'c>(
    chat: &'c serde_json::Map<String, Value>,
    target: &Target,
) -> Result<Vec<&'c Value>> {
    let tools = chat.get("tools").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let other = tools.iter().find(|tool| tool.get("function").is_none());
    if other.is_some() && target.policy.drop {
        note("tools");
    } else if let Some(other) = other {
        let kind = other.get("type").and_then(Value::as_str).unwrap_or("?");
        let message = format!(
            "`tools`: a tool of type `{kind}` is not supported by this model's provider: it has functions only; \
             leave it out or set `drop_params`"
        );
        return Err(Error::unsupported("tools", message));
    }
    Ok(tools.iter().filter_map(|tool| tool.get("function")).collect())
}
