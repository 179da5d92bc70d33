//! Replies and frames of the wire in the form of Chat Completions, which reads all the rest of them.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::logprobs;

/// A whole reply; what is no JSON stays what it is, for the chat's reader to refuse.
pub(super) fn reply(body: &[u8]) -> Cow<'_, [u8]> {
    changed(body, |text| ("message", json!({ "role": "assistant", "content": text })))
}

/// A frame of a stream.
pub(super) fn frame(data: &[u8]) -> Cow<'_, [u8]> {
    changed(data, |text| ("delta", json!({ "content": text })))
}

fn changed(body: &[u8], place: impl Fn(Value) -> (&'static str, Value)) -> Cow<'_, [u8]> {
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else { return Cow::Borrowed(body) };
    let Some(choices) = value.get_mut("choices").and_then(Value::as_array_mut) else {
        return Cow::Borrowed(body);
    };
    for choice in choices.iter_mut().filter_map(Value::as_object_mut) {
        let Some(text) = choice.shift_remove("text") else { continue };
        let (name, holder) = place(text);
        choice.insert(name.to_owned(), holder);
        if let Some(lists) = choice.get_mut("logprobs") {
            *lists = logprobs::chat(lists).unwrap_or_default();
        }
    }
    Cow::Owned(value.to_string().into_bytes())
}
