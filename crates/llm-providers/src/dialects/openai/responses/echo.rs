//! What of a request its reply repeats.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::scan;

/// Members a reply repeats, with what stands there when the request says nothing.
/// Source: OpenAI API reference, the `Response` object.
const REPEATED: [(&str, &str); 19] = [
    ("background", "false"),
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("max_tool_calls", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("previous_response_id", "null"),
    ("prompt_cache_key", "null"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("safety_identifier", "null"),
    ("store", "true"),
    ("temperature", "null"),
    ("text", r#"{"format":{"type":"text"}}"#),
    ("tool_choice", "\"auto\""),
    ("tools", "[]"),
    ("top_logprobs", "0"),
    ("top_p", "null"),
    ("truncation", "\"disabled\""),
    ("user", "null"),
];

/// The members of a body that its reply repeats.
pub(super) fn echo(body: &[u8]) -> Option<Arc<Map<String, Value>>> {
    let mut said = Map::new();
    let scanned = scan::object(body, |member| {
        let repeated = REPEATED.iter().any(|(name, _)| *name == member.name);
        if repeated && !member.value.is_null() {
            let value = serde_json::from_str(member.value.text).unwrap_or_default();
            said.insert(member.name.into_owned(), value);
        }
    });
    scanned.ok().map(|_| Arc::new(said))
}

/// Adds the repeated members to a reply, those not said with what they stand for.
pub(super) fn add(reply: &mut Map<String, Value>, said: Option<&Map<String, Value>>) {
    for (name, default) in REPEATED {
        let value = said.and_then(|said| said.get(name)).cloned();
        let value = value.unwrap_or_else(|| serde_json::from_str(default).unwrap_or(json!(null)));
        reply.insert(name.to_owned(), value);
    }
}
