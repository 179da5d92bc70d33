//! Generic chat: OpenAI's words in capitals and humps.

use llm_types::Result;
use serde_json::{Map, Value, json};

use super::super::texts::{functions, messages, role, streams, text};
use super::super::{Chat, Form, Pieces, strange};
use super::{inner, parameters, stops, usage, whole};
use crate::{DialectId, Target};

/// Parameters and their names on the wire.
const NAMES: [(&str, &str); 11] = [
    ("max_tokens", "maxTokens"),
    ("max_completion_tokens", "maxTokens"),
    ("temperature", "temperature"),
    ("top_p", "topP"),
    ("top_k", "topK"),
    ("seed", "seed"),
    ("n", "numGenerations"),
    ("presence_penalty", "presencePenalty"),
    ("frequency_penalty", "frequencyPenalty"),
    ("logit_bias", "logitBias"),
    ("verbosity", "verbosity"),
];

/// The form.
#[derive(Debug)]
pub(in super::super) struct Generic;

impl Form for Generic {
    fn id(&self) -> DialectId {
        DialectId::OracleGeneric
    }

    fn request(&self, chat: Chat, target: &Target) -> Result<(String, Value)> {
        let mut request = Map::new();
        request.insert("apiFormat".to_owned(), "GENERIC".into());
        let listed: Vec<Value> = messages(&chat).iter().filter_map(message).collect();
        request.insert("messages".to_owned(), listed.into());
        let tools: Vec<Value> = functions(&chat, target)?.into_iter().map(tool).collect();
        if !tools.is_empty() {
            request.insert("tools".to_owned(), tools.into());
        }
        request.insert("isStream".to_owned(), streams(&chat).into());
        parameters(&chat, &NAMES, &mut request);
        let effort = chat.get("reasoning_effort").and_then(Value::as_str).map(str::to_uppercase);
        let said = [
            ("stop", stops(&chat)),
            ("reasoningEffort", effort.map(Value::from)),
            ("toolChoice", chat.get("tool_choice").map(choice)),
            ("responseFormat", chat.get("response_format").map(format)),
        ];
        request.extend(said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        Ok(whole(request, chat))
    }

    fn reply(&self, reply: Value) -> Result<Value> {
        let reply = inner(reply);
        let choices =
            reply.get("choices").and_then(Value::as_array).ok_or_else(|| strange("it has no `choices`"))?;
        let choices: Vec<Value> = (0..)
            .zip(choices)
            .map(|(index, choice): (u64, _)| {
                json!({
                    "index": choice.get("index").cloned().unwrap_or_else(|| index.into()),
                    "message": said(choice.get("message"), false),
                    "finish_reason": finish(choice.get("finishReason")),
                })
            })
            .collect();
        Ok(
            json!({"object": "chat.completion", "model": reply.get("modelId"), "choices": choices, "usage": usage(&reply)}),
        )
    }

    fn pieces(&self) -> Box<dyn Pieces> {
        Box::new(Messages)
    }
}

/// A message; none where nothing is said.
fn message(message: &Value) -> Option<Value> {
    let content = match message.get("content") {
        Some(Value::String(text)) => Some(json!([{"type": "TEXT", "text": text}])),
        Some(Value::Array(parts)) => Some(parts.iter().map(part).collect()),
        _ => None,
    };
    let calls = message.get("tool_calls").and_then(Value::as_array).filter(|calls| !calls.is_empty());
    if content.is_none() && calls.is_none() {
        return None;
    }
    let mut out = json!({"role": role(message).to_uppercase()});
    // Beside calls an empty text says nothing.
    if let Some(content) = content.filter(|_| calls.is_none() || !text(message.get("content")).is_empty()) {
        out["content"] = content;
    }
    if let Some(calls) = calls {
        out["toolCalls"] = calls.iter().map(call).collect();
    }
    if let Some(id) = message.get("tool_call_id") {
        out["toolCallId"] = id.clone();
    }
    if let Some(name) = message.get("name") {
        out["name"] = name.clone();
    }
    Some(out)
}

/// A part. Others than these are refused by the record.
fn part(part: &Value) -> Value {
    match part.get("image_url") {
        Some(image) => {
            let mut image = image.clone();
            if let Some(Value::String(detail)) = image.get_mut("detail") {
                detail.make_ascii_uppercase();
            }
            json!({"type": "IMAGE", "imageUrl": image})
        }
        None => json!({"type": "TEXT", "text": part.get("text")}),
    }
}

fn call(call: &Value) -> Value {
    json!({
        "id": call.get("id"),
        "type": "FUNCTION",
        "name": call.pointer("/function/name"),
        "arguments": call.pointer("/function/arguments"),
    })
}

fn tool(function: &Value) -> Value {
    json!({
        "type": "FUNCTION",
        "name": function.get("name"),
        "description": function.get("description").cloned().unwrap_or_else(|| "".into()),
        "parameters": function.get("parameters").cloned().unwrap_or_else(|| json!({})),
    })
}

fn choice(choice: &Value) -> Value {
    match choice.pointer("/function/name") {
        Some(name) => json!({"type": "FUNCTION", "name": name}),
        None => json!({"type": choice.as_str().unwrap_or("auto").to_uppercase()}),
    }
}

fn format(format: &Value) -> Value {
    let kind = format.get("type").and_then(Value::as_str).unwrap_or("text").to_uppercase();
    let mut out = json!({"type": kind});
    if let Some(schema) = format.get("json_schema") {
        let mut said = json!({"name": schema.get("name"), "schema": schema.get("schema")});
        for (name, wire) in [("strict", "isStrict"), ("description", "description")] {
            if let Some(value) = schema.get(name) {
                said[wire] = value.clone();
            }
        }
        out["jsonSchema"] = said;
    }
    out
}

/// A message of a reply, or a piece of one.
fn said(message: Option<&Value>, is_piece: bool) -> Value {
    let parts = message.and_then(|message| message.get("content")).and_then(Value::as_array);
    let text: String = parts.into_iter().flatten().filter_map(|part| part.get("text")?.as_str()).collect();
    let mut out = if is_piece { json!({}) } else { json!({"role": "assistant"}) };
    if !text.is_empty() || (!is_piece && parts.is_some()) {
        out["content"] = text.into();
    }
    let thought =
        message.and_then(|message| message.get("reasoningContent")).filter(|thought| thought.is_string());
    if let Some(thought) = thought {
        out["reasoning_content"] = thought.clone();
    }
    let calls = message.and_then(|message| message.get("toolCalls")).and_then(Value::as_array);
    let calls: Vec<Value> = (0..)
        .zip(calls.into_iter().flatten())
        .map(|(index, call): (u64, _)| {
            let function = json!({"name": call.get("name"), "arguments": call.get("arguments")});
            json!({"index": index, "id": call.get("id"), "type": "function", "function": function})
        })
        .collect();
    if !calls.is_empty() {
        out["tool_calls"] = calls.into();
    }
    out
}

/// Why an answer ended; models of several makers write it in their own case.
fn finish(word: Option<&Value>) -> Value {
    match word.and_then(Value::as_str) {
        None | Some("") => Value::Null,
        Some(word) => match word.to_ascii_lowercase().as_str() {
            "completed" | "complete" => "stop".into(),
            "max_tokens" => "length".into(),
            other => other.into(),
        },
    }
}

/// The messages of a stream. The last one says why the answer ended.
#[derive(Debug)]
struct Messages;

impl Pieces for Messages {
    fn push(&mut self, _event: &str, data: Value, out: &mut Vec<Value>) -> Result<bool> {
        if data.get("message").is_some_and(Value::is_string) {
            // An error inside a stream: a code and its words.
            return Err(super::super::stated(data["message"].as_str().unwrap_or_default()));
        }
        let finish = finish(data.get("finishReason"));
        let index = data.get("index").cloned().unwrap_or_else(|| 0.into());
        let choice =
            json!({"index": index, "delta": said(data.get("message"), true), "finish_reason": finish});
        let mut chunk = json!({"object": "chat.completion.chunk", "choices": [choice]});
        if let Some(usage) = usage(&data) {
            chunk["usage"] = usage;
        }
        out.push(chunk);
        // Usage may follow: the end of the body is the end of the stream.
        Ok(false)
    }
}
