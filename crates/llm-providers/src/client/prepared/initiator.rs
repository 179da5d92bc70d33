//! Who goes on with a conversation, as vendors who count users' turns want to be told.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::uuid::uuid;

const INITIATOR: HeaderName = HeaderName::from_static("x-initiator");
const VISION: HeaderName = HeaderName::from_static("copilot-vision-request");
const REQUEST: HeaderName = HeaderName::from_static("x-request-id");

/// Says it in a request's headers. A turn of a model or a tool before makes it an agent's.
pub(super) fn tell(body: &[u8], headers: &mut HeaderMap) {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let turns = ["messages", "input"].iter().find_map(|name| body.get(*name)?.as_array());
    let turns = turns.map_or(&[][..], Vec::as_slice);
    let initiator = if turns.iter().any(is_agents) { "agent" } else { "user" };
    headers.entry(INITIATOR).or_insert(HeaderValue::from_static(initiator));
    if turns.iter().any(shows_pictures) {
        headers.entry(VISION).or_insert(HeaderValue::from_static("true"));
    }
    if let Ok(id) = HeaderValue::try_from(uuid()) {
        headers.entry(REQUEST).or_insert(id);
    }
}

fn is_agents(turn: &Value) -> bool {
    let word = |name: &str| turn.get(name).and_then(Value::as_str).unwrap_or_default();
    let results = turn.get("content").and_then(Value::as_array).into_iter().flatten();
    matches!(word("role"), "assistant" | "tool")
        || matches!(word("type"), "function_call" | "function_call_output" | "reasoning")
        || results.into_iter().any(|part| part.get("type").is_some_and(|kind| kind == "tool_result"))
}

fn shows_pictures(turn: &Value) -> bool {
    let parts = turn.get("content").and_then(Value::as_array).into_iter().flatten();
    let kind = |part: &Value| part.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    parts.into_iter().any(|part| matches!(&*kind(part), "image_url" | "input_image" | "image"))
}

#[cfg(test)]
mod tests;
