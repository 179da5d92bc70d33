//! Whole prompts in tokens.

use llm_types::{ChatRequest, Media, Message, Part, PartKind};
use serde_json::Value;

use super::{Encoding, schema};

/// Tokens that each message takes beside its text.
const PER_MESSAGE: u64 = 3;
/// The token of a message's role.
const ROLE: u64 = 1;
/// The token beside a speaker's name.
const NAME: u64 = 1;
/// Tokens that begin the answer.
const PER_REQUEST: u64 = 3;
/// Tokens assumed for a picture, a sound or a document, whose true number only its vendor knows.
const PER_MEDIA: u64 = 800;
/// Tokens of a picture that is to be looked at in low detail (OpenAI, "Images and vision").
const LOW_DETAIL: u64 = 85;
/// Tokens around a call of a tool.
const PER_CALL: u64 = 3;

/// The tokens of a request's prompt.
#[must_use]
pub fn count(encoding: Encoding, request: &ChatRequest) -> u64 {
    let messages: u64 = request.messages.iter().map(|message| of_message(encoding, message)).sum();
    messages + schema::of_tools(encoding, &request.tools) + PER_REQUEST
}

/// The tokens of all texts in a value, whatever they mean: for prompts that are no messages.
#[must_use]
pub fn count_texts(encoding: Encoding, value: &Value) -> u64 {
    match value {
        Value::String(text) => encoding.text(text),
        Value::Array(list) => list.iter().map(|value| count_texts(encoding, value)).sum(),
        Value::Object(map) => {
            let is_text = |(name, _): &(&String, &Value)| {
                !matches!(name.as_str(), "type" | "role" | "data" | "cache_control" | "signature")
            };
            map.iter().filter(is_text).map(|(_, value)| count_texts(encoding, value)).sum()
        }
        Value::Null => 0,
        Value::Bool(_) | Value::Number(_) => 1,
    }
}

fn of_message(encoding: Encoding, message: &Message) -> u64 {
    let name = message.name.as_ref().map_or(0, |name| NAME + encoding.text(name));
    PER_MESSAGE + ROLE + name + message.parts.iter().map(|part| of_part(encoding, part)).sum::<u64>()
}

fn of_part(encoding: Encoding, part: &Part) -> u64 {
    match &part.kind {
        PartKind::Text { text, .. } | PartKind::Reasoning { text, .. } | PartKind::Refusal { text } => {
            encoding.text(text)
        }
        PartKind::Image(media) if is_coarse(media) => LOW_DETAIL,
        PartKind::Image(_) | PartKind::Audio(_) | PartKind::Video(_) | PartKind::Document(_) => PER_MEDIA,
        PartKind::RedactedReasoning { data } => encoding.estimate(data.len() as u64),
        PartKind::ToolCall(call) => PER_CALL + encoding.text(&call.name) + encoding.text(&call.arguments),
        PartKind::ToolResult(result) => result.parts.iter().map(|part| of_part(encoding, part)).sum(),
        PartKind::Native { value, .. } => encoding.text(&value.to_string()),
    }
}

fn is_coarse(media: &Media) -> bool {
    media.detail.as_deref() == Some("low")
}
