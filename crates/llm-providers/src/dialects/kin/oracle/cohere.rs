//! Cohere's chat: the last words of the user stand apart from what was said before and after them.
//!
//! All system messages are the preamble. A schema of arguments that is more than types and descriptions is told
//! in the descriptions.

use llm_types::{Error, Result};
use serde_json::{Map, Value, json};

use super::super::texts::{functions, messages, only_text, role, streams};
use super::super::{Chat, Form, Pieces, answer, piece, strange};
use super::{inner, parameters, stops, usage, whole};
use crate::{DialectId, Target};

/// Parameters and their names on the wire.
const NAMES: [(&str, &str); 8] = [
    ("max_tokens", "maxTokens"),
    ("max_completion_tokens", "maxTokens"),
    ("temperature", "temperature"),
    ("top_p", "topP"),
    ("top_k", "topK"),
    ("seed", "seed"),
    ("presence_penalty", "presencePenalty"),
    ("frequency_penalty", "frequencyPenalty"),
];

/// The form.
#[derive(Debug)]
pub(in super::super) struct Cohere;

impl Form for Cohere {
    fn id(&self) -> DialectId {
        DialectId::OracleCohere
    }

    fn request(&self, chat: Chat, target: &Target) -> Result<(String, Value)> {
        let talk = Talk::of(messages(&chat), target)?;
        let mut request = Map::new();
        request.insert("message".to_owned(), talk.message.into());
        request.insert("apiFormat".to_owned(), "COHERE".into());
        request.insert("chatHistory".to_owned(), talk.history.into());
        parameters(&chat, &NAMES, &mut request);
        let tools: Vec<Value> = functions(&chat, target)?.into_iter().map(tool).collect();
        let preamble = (!talk.preamble.is_empty()).then(|| talk.preamble.join("\n").into());
        let said = [
            ("tools", (!tools.is_empty()).then(|| tools.into())),
            ("preambleOverride", preamble),
            ("stopSequences", stops(&chat)),
            ("responseFormat", chat.get("response_format").map(format)),
            ("isStream", streams(&chat).then(|| true.into())),
        ];
        request.extend(said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        Ok(whole(request, chat))
    }

    fn reply(&self, reply: Value) -> Result<Value> {
        let reply = inner(reply);
        let text = reply.get("text").and_then(Value::as_str).ok_or_else(|| strange("it has no `text`"))?;
        let calls = calls(&reply);
        let finish = finish(reply.get("finishReason"), !calls.is_empty());
        let mut message = json!({"role": "assistant", "content": text});
        if !calls.is_empty() {
            message["tool_calls"] = calls.into();
        }
        let mut out = answer(message, finish.unwrap_or("stop"), usage(&reply));
        out["model"] = reply.get("modelId").cloned().unwrap_or_default();
        Ok(out)
    }

    fn pieces(&self) -> Box<dyn Pieces> {
        Box::new(Events::default())
    }
}

/// A conversation as the wire has it.
#[derive(Debug, Default)]
struct Talk {
    message: String,
    history: Vec<Value>,
    preamble: Vec<String>,
}

impl Talk {
    fn of(messages: &[Value], target: &Target) -> Result<Self> {
        let last = messages.iter().rposition(|message| role(message) == "user").ok_or_else(|| {
            Error::bad_param(
                "messages",
                "`messages`: this model's provider needs a message of the user, found none",
            )
        })?;
        let mut talk = Self::default();
        let mut calls = Map::new();
        for (index, message) in messages.iter().enumerate() {
            let text = only_text(message, target)?;
            match role(message) {
                "user" if index == last => talk.message = text,
                "user" => talk.history.push(json!({"role": "USER", "message": text})),
                "assistant" => talk.assistant(message, &text, &mut calls),
                "tool" => talk.result(message, &text, &calls),
                _ => talk.preamble.push(text),
            }
        }
        Ok(talk)
    }

    fn assistant(&mut self, message: &Value, text: &str, calls: &mut Map<String, Value>) {
        let mut said = Vec::new();
        for call in message.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
            let arguments = call.pointer("/function/arguments").and_then(Value::as_str).unwrap_or_default();
            let parameters: Map<String, Value> = serde_json::from_str(arguments).unwrap_or_default();
            let made = json!({"name": call.pointer("/function/name"), "parameters": parameters});
            let id = call.get("id").and_then(Value::as_str).unwrap_or_default();
            calls.insert(id.to_owned(), made.clone());
            said.push(made);
        }
        let mut entry = json!({"role": "CHATBOT", "message": text});
        if !said.is_empty() {
            entry["toolCalls"] = said.into();
        }
        self.history.push(entry);
    }

    fn result(&mut self, message: &Value, text: &str, calls: &Map<String, Value>) {
        let id = message.get("tool_call_id").and_then(Value::as_str).unwrap_or_default();
        let call = calls.get(id).cloned().unwrap_or_else(|| json!({"name": id, "parameters": {}}));
        let result = json!({"call": call, "outputs": [{"output": text}]});
        self.history.push(json!({"role": "TOOL", "toolResults": [result]}));
    }
}

/// A tool: a list of parameters with types, where others have a schema.
fn tool(function: &Value) -> Value {
    let required = function.pointer("/parameters/required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|one| one == name));
    let properties = function.pointer("/parameters/properties").and_then(Value::as_object);
    let of = |(name, property): (&String, &Value)| {
        let definition = json!({
            "description": described(property), "type": kind(property), "isRequired": is_required(name),
        });
        (name.clone(), definition)
    };
    let definitions: Map<String, Value> = properties.into_iter().flatten().map(of).collect();
    json!({
        "name": function.get("name"),
        "description": function.get("description").cloned().unwrap_or_else(|| "".into()),
        "parameterDefinitions": definitions,
    })
}

/// A property's type, by Python's names.
fn kind(property: &Value) -> &str {
    match property.get("type").and_then(Value::as_str) {
        Some("string") => "str",
        Some("integer") => "int",
        Some("number") => "float",
        Some("boolean") => "bool",
        Some("array") => "list",
        Some("object") | None => "dict",
        Some(other) => other,
    }
}

/// A property in words: its description, its words to choose from, and its schema where that says more.
fn described(property: &Value) -> String {
    let said = property.get("description").and_then(Value::as_str).unwrap_or_default();
    let words: Option<Vec<String>> = property.get("enum").and_then(Value::as_array).map(|words| {
        words
            .iter()
            .map(|word| word.as_str().map_or_else(|| word.to_string(), |text| format!("'{text}'")))
            .collect()
    });
    let known = ["type", "description", "title", "enum", "default"];
    let more = property
        .as_object()
        .is_some_and(|members| members.keys().any(|name| !known.contains(&name.as_str())));
    let mut parts: Vec<String> = Vec::new();
    parts.extend((!said.is_empty()).then(|| said.to_owned()));
    parts.extend(words.map(|words| format!("Allowed values: [{}]", words.join(", "))));
    parts.extend(more.then(|| format!("JSON schema: {property}")));
    parts.join(". ")
}

fn format(format: &Value) -> Value {
    match format.get("type").and_then(Value::as_str) {
        Some("json_schema") => {
            json!({"type": "JSON_OBJECT", "schema": format.pointer("/json_schema/schema")})
        }
        Some("json_object") => json!({"type": "JSON_OBJECT"}),
        _ => json!({"type": "TEXT"}),
    }
}

fn calls(reply: &Value) -> Vec<Value> {
    let calls = reply.get("toolCalls").and_then(Value::as_array).into_iter().flatten();
    (0..)
        .zip(calls)
        .map(|(index, call): (u64, _)| {
            let arguments = call.get("parameters").map_or_else(|| "{}".to_owned(), Value::to_string);
            let function = json!({"name": call.get("name"), "arguments": arguments});
            // The wire gives calls no ids: the reader makes them.
            json!({"index": index, "type": "function", "function": function})
        })
        .collect()
}

/// Why an answer ended. The wire says that it is complete where tools are to be called.
fn finish(word: Option<&Value>, calls: bool) -> Option<&str> {
    Some(match word?.as_str()? {
        "COMPLETE" if calls => "tool_calls",
        "COMPLETE" => "stop",
        "MAX_TOKENS" => "length",
        "ERROR_TOXIC" => "content_filter",
        other => other,
    })
}

/// The events of a stream: pieces of the text, and at the end the whole reply.
#[derive(Debug, Default)]
struct Events {
    wrote: bool,
    called: bool,
}

impl Pieces for Events {
    fn push(&mut self, _event: &str, data: Value, out: &mut Vec<Value>) -> Result<bool> {
        let word = data.get("finishReason").filter(|word| word.is_string());
        let text = data.get("text").and_then(Value::as_str).unwrap_or_default();
        // The last event repeats the text.
        if !text.is_empty() && (word.is_none() || !self.wrote) {
            self.wrote = true;
            out.push(piece(json!({"content": text}), None));
        }
        let calls = calls(&data);
        if !calls.is_empty() && !std::mem::replace(&mut self.called, true) {
            out.push(piece(json!({"tool_calls": calls}), None));
        }
        if let Some(finish) = finish(word, self.called) {
            let mut last = piece(json!({}), Some(finish));
            if let Some(usage) = usage(&data) {
                last["usage"] = usage;
            }
            out.push(last);
        }
        Ok(false)
    }
}
