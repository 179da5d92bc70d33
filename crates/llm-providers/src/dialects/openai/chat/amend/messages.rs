//! Messages said otherwise.

use std::borrow::Cow;

use llm_types::{Error, Result};
use serde_json::{Value, json};

use super::Members;
use crate::Target;

/// The messages of a body.
pub(super) fn each(body: &mut Members) -> impl Iterator<Item = &mut Members> {
    let list = body.get_mut("messages").and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(Value::as_object_mut)
}

pub(super) fn role(message: &Members) -> &str {
    message.get("role").and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn without(body: &mut Members, names: &[Cow<'static, str>]) {
    for message in each(body).filter(|message| role(message) != "tool") {
        message.retain(|name, _| !names.iter().any(|gone| *gone == *name));
    }
}

pub(super) fn names_of_users(body: &mut Members) {
    for message in each(body).filter(|message| !["tool", "user"].contains(&role(message))) {
        message.shift_remove("name");
    }
}

pub(super) fn said_as(body: &mut Members, from: &str, to: &str) {
    for message in each(body).filter(|message| role(message) == from) {
        message.insert("role".to_owned(), to.into());
    }
}

pub(super) fn ask(body: &mut Members, words: &str) {
    if let Some(list) = body.get_mut("messages").and_then(Value::as_array_mut) {
        list.push(json!({"role": "user", "content": words}));
    }
}

pub(super) fn no_empty_answers(body: &mut Members) {
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    };
    let silent = |message: &Value| {
        message["role"] == "assistant" && ["content", "tool_calls"].iter().all(|name| empty(&message[*name]))
    };
    if let Some(list) = body.get_mut("messages").and_then(Value::as_array_mut) {
        list.retain(|message| !silent(message));
    }
}

pub(super) fn sounds_as_text(message: &mut Members) {
    for part in message.get_mut("content").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(sound) = part.get_mut("input_audio") else { continue };
        if let Some(data) = sound.get_mut("data").map(Value::take) {
            *sound = data;
        }
    }
}

pub(super) fn join_texts(message: &mut Members) {
    let Some(content) = message.get_mut("content") else { return };
    let Some(parts) = content.as_array() else { return };
    let text =
        |part: &Value| part.get("text")?.as_str().filter(|_| part["type"] == "text").map(str::to_owned);
    if let Some(texts) = parts.iter().map(text).collect::<Option<Vec<String>>>() {
        *content = texts.concat().into();
    }
}

pub(super) fn mark_in_part(message: &mut Members) {
    if message.get("content").is_some_and(Value::is_string)
        && let Some(mark) = message.shift_remove("cache_control")
    {
        let text = message.get("content").cloned();
        message.insert("content".to_owned(), json!([{"type": "text", "text": text, "cache_control": mark}]));
    }
}

pub(super) fn no_parts(body: &mut Members, kinds: &[Cow<'static, str>], target: &Target) -> Result<()> {
    for message in each(body) {
        for part in message.get("content").and_then(Value::as_array).into_iter().flatten() {
            let kind = part.get("type").and_then(Value::as_str).unwrap_or_default();
            if kinds.iter().any(|refused| *refused == *kind) {
                let message = format!("`{}` takes no parts of type `{kind}` in messages", target.spec.id);
                return Err(Error::unsupported("messages", message));
            }
        }
    }
    Ok(())
}

pub(super) fn merge_systems(body: &mut Members) {
    let Some(list) = body.get_mut("messages").and_then(Value::as_array_mut) else { return };
    let mut merged: Vec<Value> = Vec::with_capacity(list.len());
    for message in std::mem::take(list) {
        match (merged.last_mut().and_then(system_text), message["role"] == "system") {
            (Some(text), true) if message["content"].is_string() => {
                *text = format!("{text}\n\n{}", message["content"].as_str().unwrap_or_default());
            }
            _ => merged.push(message),
        }
    }
    *list = merged;
}

/// The text of a system message.
fn system_text(message: &mut Value) -> Option<&mut String> {
    let is_system = message["role"] == "system";
    match message.get_mut("content") {
        Some(Value::String(text)) if is_system => Some(text),
        _ => None,
    }
}

pub(super) fn one_call_each(body: &mut Members) {
    let Some(list) = body.get_mut("messages").and_then(Value::as_array_mut) else { return };
    let mut waiting: std::collections::VecDeque<Value> = std::mem::take(list).into();
    while let Some(mut message) = waiting.pop_front() {
        let calls = message.get_mut("tool_calls").and_then(Value::as_array_mut);
        let more = calls.filter(|calls| calls.len() > 1).map(|calls| calls.split_off(1)).unwrap_or_default();
        let first = message["tool_calls"][0]["id"].clone();
        list.push(message);
        if more.is_empty() {
            continue;
        }
        let mut results = Vec::new();
        while waiting.front().is_some_and(|next| next["role"] == "tool") {
            results.extend(waiting.pop_front());
        }
        let mut take = |id: &Value| {
            let at = results.iter().position(|result| result["tool_call_id"] == *id)?;
            Some(results.remove(at))
        };
        list.extend(take(&first));
        for call in more {
            let result = take(&call["id"]);
            list.push(json!({"role": "assistant", "tool_calls": [call]}));
            list.extend(result);
        }
        list.extend(results);
    }
}
