//! What a gateway that keeps responses for providers without such a store must know of a request, and
//! how it gives a conversation back to one.

use bytes::Bytes;
use llm_types::{Error, Extra, Result};
use serde_json::{Map, Value, json};

use super::response::{self, Head};
use crate::dialect::ReplyContext;
use crate::framing::sse;
use crate::scan;

/// What a request says of being kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// Whether the reply may be asked for later (`store`; yes unless the caller says no).
    pub store: bool,
    /// Whether the caller waits for nothing (`background`).
    pub background: bool,
    /// The reply this request goes on from (`previous_response_id`).
    pub previous: Option<String>,
    /// Whether the conversation is kept by the provider (`conversation`), or the prompt (`prompt`).
    pub elsewhere: bool,
}

/// Reads what a request says of being kept; nothing where a member has a wrong type.
#[must_use]
pub fn outline(body: &[u8]) -> Outline {
    let mut outline = Outline { store: true, ..Outline::default() };
    let scanned = scan::object(body, |member| {
        let value = member.value;
        match &*member.name {
            "store" => outline.store = value.as_bool() != Some(false),
            "background" => outline.background = value.as_bool() == Some(true),
            "previous_response_id" => {
                outline.previous = value.as_str().filter(|id| !id.is_empty()).map(Into::into);
            }
            "conversation" | "prompt" => outline.elsewhere |= !value.is_null(),
            _ => {}
        }
    });
    if scanned.is_err() { Outline::default() } else { outline }
}

/// The items of a request's `input` as the API lists them: each with an id, a text of the user as a
/// message, words as parts. Ids are made of `seed`.
#[must_use]
pub fn input_items(body: &[u8], seed: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let scanned = scan::object(body, |member| {
        if member.name == "input" {
            items = match serde_json::from_str(member.value.text) {
                Ok(Value::String(text)) => vec![json!({"role": "user", "content": text})],
                Ok(Value::Array(items)) => items,
                _ => Vec::new(),
            };
        }
    });
    if scanned.is_err() {
        return Vec::new();
    }
    items.into_iter().enumerate().map(|(index, item)| listed(item, index, seed)).collect()
}

fn listed(item: Value, index: usize, seed: &str) -> Value {
    let Value::Object(mut members) = item else { return item };
    let kind = members.get("type").and_then(Value::as_str).unwrap_or("message").to_owned();
    let prefix = match kind.as_str() {
        "message" => "msg",
        "function_call" => "fc",
        "function_call_output" => "fco",
        "reasoning" => "rs",
        _ => "item",
    };
    let mut item = Map::new();
    let id = members.shift_remove("id").filter(Value::is_string);
    item.insert("id".to_owned(), id.unwrap_or_else(|| json!(format!("{prefix}_{seed}i{index:02x}"))));
    item.insert("type".to_owned(), json!(kind));
    if kind == "message" {
        let by_model = members.get("role").and_then(Value::as_str) == Some("assistant");
        let word = if by_model { "output_text" } else { "input_text" };
        if let Some(Value::String(text)) = members.get("content") {
            let part = json!({"type": word, "text": text});
            members.insert("content".to_owned(), json!([part]));
        }
        members.entry("status").or_insert_with(|| json!("completed"));
    }
    item.extend(members);
    Value::Object(item)
}

/// A body whose input begins with what was said before, and without the named members.
///
/// # Errors
/// [`llm_types::ErrorKind::BadRequest`] when the body is not one JSON object.
pub fn with_history(body: &Bytes, history: &[Value], without: &[&str]) -> Result<Bytes> {
    let mut patch = scan::Patch::new(body);
    let mut placed = history.is_empty();
    let before: Vec<String> = history.iter().map(|item| bare(item).to_string()).collect();
    let before = before.join(",");
    scan::object(body, |member| {
        if without.contains(&&*member.name) {
            return patch.remove(member.span());
        }
        if member.name != "input" || placed {
            return;
        }
        placed = true;
        let own = match member.value.kind {
            scan::Kind::String => {
                format!("{{\"role\":\"user\",\"content\":{}}}", member.value.text)
            }
            scan::Kind::Array => {
                let text = member.value.text;
                text[1..text.len() - 1].trim().to_owned()
            }
            _ => String::new(),
        };
        let joint = if before.is_empty() || own.is_empty() { "" } else { "," };
        patch.replace(member.value.span(), format!("[{before}{joint}{own}]").into_bytes());
    })?;
    if !placed {
        patch.add("input", format!("[{before}]").as_bytes());
    }
    Ok(patch.finish())
}

/// A reply without output: one that waits, was stopped, or failed before it began.
#[must_use]
pub fn placeholder(status: &str, error: Option<&Error>, cx: &ReplyContext) -> Value {
    let extra = Extra::default();
    let head = Head {
        id: &cx.id,
        model: &cx.model,
        created: cx.now,
        status,
        reason: None,
        error,
        usage: None,
        service_tier: None,
        extra: &extra,
    };
    Value::Object(response::reply(&head, Vec::new(), cx))
}

/// The reply that the last of these frames holds; `None` where the last frame holds none.
#[must_use]
pub fn last_reply(frames: &[u8]) -> Option<Value> {
    let at = memchr::memmem::rfind(frames.trim_ascii_end(), b"event: ")?;
    let data = sse::fields(&frames[at..]).data;
    let mut event: Value = serde_json::from_slice(&data).ok()?;
    event.get_mut("response").map(Value::take)
}

/// An item as it is sent again: without the state that only replies have. The ids of the gateway's own
/// items mean nothing to providers, but reasoning and provider-run tools are known by theirs.
fn bare(item: &Value) -> Value {
    let Value::Object(members) = item else { return item.clone() };
    let mut members = members.clone();
    let kind = members.get("type").and_then(Value::as_str).unwrap_or_default();
    if matches!(kind, "message" | "function_call" | "function_call_output" | "custom_tool_call") {
        let by_model = members.get("role").and_then(Value::as_str) == Some("assistant");
        if !by_model {
            members.shift_remove("id");
            members.shift_remove("status");
        }
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests;
