//! What was asked and answered, as it is kept: texts cut, secrets masked, never larger than a row may be. Pure.

use std::collections::BTreeMap;

use bytes::Bytes;
use gateway_db::JsonMap;
use llm_providers::Dialect;
use llm_providers::framing::Frames;
use llm_types::Event;
use serde_json::{Map, Value, json};

/// The most bytes kept of a request, and of an answer: both fit into one record of the ledger.
const MOST: usize = 96 * 1024;
/// Longer bodies are not looked at, bytes.
const LARGEST: usize = 1024 * 1024;
/// Elements of a list that are kept.
const LONGEST_LIST: usize = 512;
/// Members that hold prompts, in the words of all dialects.
const PROMPTS: [&str; 6] = ["messages", "input", "contents", "prompt", "query", "message"];
/// Parts of names whose values are secrets.
const SECRET_NAMES: [&str; 8] =
    ["apikey", "authorization", "secret", "password", "credential", "cookie", "headers", "accesstoken"];
/// How secrets begin.
const SECRET_LOOKS: [&str; 9] = ["sk-", "sk_", "pk-", "AKIA", "ASIA", "AIza", "ghp_", "xoxb-", "eyJ"];
/// The shortest word that is taken for a secret, bytes.
const SHORTEST_SECRET: usize = 16;
const MASK: &str = "****";

/// Puts a request into a row: the prompt as `messages`, the rest as `proxy_server_request`.
pub(super) fn asked(body: &[u8], longest: usize, row: &mut JsonMap) {
    if body.len() > LARGEST {
        row.insert("proxy_server_request".to_owned(), left_out(body.len()));
        return;
    }
    // Forms of files are not JSON, and nothing of them is kept.
    let Ok(Value::Object(mut rest)) = serde_json::from_slice(body) else { return };
    if let Some((name, prompt)) = PROMPTS.iter().find_map(|name| Some((*name, rest.shift_remove(*name)?))) {
        let prompt = match (name, rest.shift_remove("system")) {
            ("messages", Some(system)) => with_system(&system, prompt),
            (_, system) => {
                rest.extend(system.map(|system| ("system".to_owned(), system)));
                prompt
            }
        };
        row.insert("messages".to_owned(), fitted(&prompt, longest));
    }
    mask_names(&mut rest);
    row.insert("proxy_server_request".to_owned(), fitted(&Value::Object(rest), longest));
}

/// Messages with what some dialects say apart from them.
fn with_system(system: &Value, messages: Value) -> Value {
    let Value::Array(messages) = messages else { return messages };
    let first = json!({ "role": "system", "content": system });
    std::iter::once(first).chain(messages).collect()
}

/// A whole answer; nothing for one that is not JSON.
pub(super) fn whole(body: &[u8], longest: usize) -> Option<Value> {
    if body.len() > LARGEST {
        return Some(left_out(body.len()));
    }
    serde_json::from_slice(body).ok().map(|answer: Value| fitted(&answer, longest))
}

/// A stream that the caller got as one JSON list.
pub(super) fn listed(pieces: &[Bytes], longest: usize) -> Option<Value> {
    whole(&pieces.concat(), longest)
}

/// A stream in the form of a whole chat completion: texts and tool calls, as far as they came.
pub(super) fn streamed(dialect: &dyn Dialect, pieces: &[Bytes], longest: usize) -> Option<Value> {
    let (mut frames, mut decoder) = (Frames::new(dialect.framing()), dialect.stream_decoder());
    let mut events = Vec::new();
    pieces.iter().for_each(|piece| frames.push(piece.clone()));
    // What the caller got was written or looked over here; where a piece is missing the rest tells nothing.
    while let Ok(Some(frame)) = frames.next_frame() {
        if decoder.push(&frame, &mut events).is_err() {
            break;
        }
    }
    decoder.finish(&mut events);
    (!events.is_empty()).then(|| fitted(&completion(events), longest))
}

/// One answer of a stream.
#[derive(Default)]
struct Choice {
    text: String,
    reasoning: String,
    refusal: String,
    calls: Vec<(String, String, String)>,
}

fn completion(events: Vec<Event>) -> Value {
    let mut choices: BTreeMap<u32, Choice> = BTreeMap::new();
    let (mut id, mut model, mut error) = (String::new(), String::new(), None);
    for event in events {
        match event {
            Event::Start(start) => (id, model) = (start.id, start.model),
            Event::Text { choice, text } => choices.entry(choice).or_default().text.push_str(&text),
            Event::Reasoning { choice, text } => choices.entry(choice).or_default().reasoning.push_str(&text),
            Event::Refusal { choice, text } => choices.entry(choice).or_default().refusal.push_str(&text),
            Event::ToolStart { choice, id, name, .. } => {
                choices.entry(choice).or_default().calls.push((id, name, String::new()));
            }
            Event::ToolArguments { choice, index, arguments } => {
                let call = choices.entry(choice).or_default().calls.get_mut(index as usize);
                call.into_iter().for_each(|(_, _, told)| told.push_str(&arguments));
            }
            Event::Error(told) => error = Some(told.to_string()),
            _ => {}
        }
    }
    let choices: Value = choices.into_iter().map(|(index, choice)| choice.written(index)).collect();
    let mut told = json!({ "id": id, "model": model, "object": "chat.completion", "choices": choices });
    if let Some(error) = error {
        told["error"] = error.into();
    }
    told
}

impl Choice {
    fn written(self, index: u32) -> Value {
        let mut message = json!({ "role": "assistant", "content": self.text });
        for (name, text) in [("reasoning_content", self.reasoning), ("refusal", self.refusal)] {
            if !text.is_empty() {
                message[name] = text.into();
            }
        }
        if !self.calls.is_empty() {
            let call = |(id, name, arguments)| json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } });
            message["tool_calls"] = self.calls.into_iter().map(call).collect();
        }
        json!({ "index": index, "message": message })
    }
}

fn left_out(bytes: usize) -> Value {
    json!({ "left_out": format!("{bytes} bytes, more than are kept") })
}

/// A value that is no larger than what is kept, its texts cut as little as that takes.
fn fitted(value: &Value, longest: usize) -> Value {
    let size = value.to_string().len();
    let mut longest = longest;
    loop {
        let cut = cut(value, longest);
        if cut.to_string().len() <= MOST {
            return cut;
        }
        if longest < 32 {
            return left_out(size);
        }
        longest /= 4;
    }
}

fn cut(value: &Value, longest: usize) -> Value {
    match value {
        Value::String(text) => cut_text(&without_secrets(text), longest).into(),
        Value::Array(items) => {
            let more = items.len().saturating_sub(LONGEST_LIST);
            let kept = items.iter().take(LONGEST_LIST).map(|item| cut(item, longest));
            kept.chain((more > 0).then(|| format!("... {more} more").into())).collect()
        }
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), cut(value, longest))).collect()
        }
        other => other.clone(),
    }
}

/// The beginning and the end of a text that is too long.
fn cut_text(text: &str, longest: usize) -> String {
    let length = text.chars().count();
    if length <= longest {
        return text.to_owned();
    }
    let (head, tail) = (longest / 3, longest - longest / 3);
    let beginning: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(length - tail).collect();
    format!("{beginning} ... {} characters left out ... {end}", length - longest)
}

/// A text in which words that look like secrets are masked.
fn without_secrets(text: &str) -> String {
    if !SECRET_LOOKS.iter().any(|look| text.contains(look)) {
        return text.to_owned();
    }
    let of_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '+' | '=');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.find(|c| !of_word(c)).unwrap_or(rest.len());
        let (now, after) = rest.split_at(word);
        let secret = word >= SHORTEST_SECRET && SECRET_LOOKS.iter().any(|look| now.contains(look));
        out.push_str(if secret { MASK } else { now });
        let gap = after.find(of_word).unwrap_or(after.len());
        out.push_str(&after[..gap]);
        rest = &after[gap..];
    }
    out
}

/// Masks members whose names say that they are secrets.
fn mask_names(members: &mut Map<String, Value>) {
    for (name, value) in members.iter_mut() {
        let plain = name.to_ascii_lowercase().replace(['-', '_'], "");
        if !value.is_null() && SECRET_NAMES.iter().any(|secret| plain.contains(secret)) {
            *value = MASK.into();
        } else if let Value::Object(inner) = value {
            mask_names(inner);
        }
    }
}

#[cfg(test)]
mod tests;
