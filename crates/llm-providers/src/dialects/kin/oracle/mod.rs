//! Chat of Oracle's Generative AI (`POST /20231130/actions/chat`) in both its formats: generic chat, which says
//! what Chat Completions say in other words, and Cohere's.
//!
//! Vendor's documentation:
//! <https://docs.oracle.com/en-us/iaas/api/#/en/generative-ai-inference/20231130/ChatResult/Chat>.
//!
//! The compartment and the serving mode around a request stand in the record's envelope.

mod cohere;
mod generic;

pub(super) use cohere::Cohere;
pub(super) use generic::Generic;

use serde_json::{Map, Value, json};

use super::Chat;
use crate::PARAMS;

/// Where requests go, behind the target's base URL.
const PATH: &str = "/20231130/actions/chat";
/// LiteLLM's cap of an answer where the caller gives none.
const CAP: u64 = 4_096;

/// The whole request: the chat, and what else the caller wrote.
#[expect(clippy::needless_pass_by_value, reason = "what is passed is made on the spot")]
fn whole(request: Map<String, Value>, chat: Chat) -> (String, Value) {
    let known = ["model", "messages", "stream", "stream_options", "top_k"];
    let mut out = json!({"chatRequest": request});
    for (name, value) in chat {
        if !known.contains(&name.as_str()) && !PARAMS.contains(&name.as_str()) {
            out[name] = value;
        }
    }
    (PATH.to_owned(), out)
}

/// Parameters by their names on the wire.
fn parameters(chat: &Chat, names: &[(&str, &str)], request: &mut Map<String, Value>) {
    for (name, wire) in names {
        if let Some(value) = chat.get(*name) {
            request.insert((*wire).to_owned(), value.clone());
        }
    }
    request.entry("maxTokens").or_insert_with(|| CAP.into());
}

fn stops(chat: &Chat) -> Option<Value> {
    let stop = chat.get("stop")?;
    Some(if stop.is_string() { json!([stop]) } else { stop.clone() })
}

/// What a reply says it consumed, in OpenAI's words.
fn usage(reply: &Value) -> Option<Value> {
    let counted = reply.get("usage").filter(|counted| counted.is_object())?;
    let mut out = json!({
        "prompt_tokens": counted.get("promptTokens"),
        "completion_tokens": counted.get("completionTokens"),
        "total_tokens": counted.get("totalTokens"),
    });
    if let Some(cached) = counted.pointer("/promptTokensDetails/cachedTokens") {
        out["prompt_tokens_details"] = json!({"cached_tokens": cached});
    }
    if let Some(reasoned) = counted.pointer("/completionTokensDetails/reasoningTokens") {
        out["completion_tokens_details"] = json!({"reasoning_tokens": reasoned});
    }
    Some(out)
}

/// The chat inside a reply, if it is wrapped.
fn inner(mut reply: Value) -> Value {
    let model = reply.get_mut("modelId").map(Value::take);
    let wrapped = reply.get_mut("chatResponse").map(Value::take);
    let mut inner = wrapped.unwrap_or(reply);
    if let Some(model) = model {
        inner["modelId"] = model;
    }
    inner
}
