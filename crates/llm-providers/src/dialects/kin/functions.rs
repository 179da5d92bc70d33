//! Chat Completions with functions where others have tools (`functions`, `function_call`), arguments of calls
//! being objects: GigaChat's API.
//!
//! Vendor's documentation: <https://developers.sber.ru/docs/ru/gigachat/api/reference/rest/post-chat>.
//!
//! A message calls one function: several calls are as many messages, each before its result. System messages
//! other than the first are the user's. An answer of a schema is the call of a function that stands in for it.
//! Pictures, sounds and documents are left with the vendor beforehand. Lost: ids of calls.

use llm_types::{Error, Result};
use serde_json::{Map, Value, json};

use super::texts::{functions, only_text, role};
use super::{Chat, Form, Pieces};
use crate::left_out::note;
use crate::{Deposit, DialectId, Target};

mod files;

/// The function that stands in for an answer's schema.
const ANSWER: &str = "structured_answer";

/// The form.
#[derive(Debug)]
pub(super) struct Functions;

impl Form for Functions {
    fn id(&self) -> DialectId {
        DialectId::Functions
    }

    fn request(&self, mut chat: Chat, target: &Target) -> Result<(String, Value)> {
        let mut said = chat.get_mut("messages").map(Value::take);
        let mut messages = Vec::new();
        for message in said.as_mut().and_then(Value::as_array_mut).into_iter().flatten() {
            let attached = files::taken(message);
            write(message, target, &mut messages)?;
            if let Some(last) = messages.last_mut().filter(|_| !attached.is_empty()) {
                last["attachments"] = attached.into();
            }
        }
        chat.insert("messages".to_owned(), messages.into());
        let mut offered: Vec<Value> = functions(&chat, target)?.into_iter().map(function).collect();
        let tools = chat.shift_remove("tools");
        let choice = chat.shift_remove("tool_choice").map(|choice| match choice.pointer("/function/name") {
            Some(name) => json!({"name": name}),
            // There is no word for "any function".
            None if choice == "required" => "auto".into(),
            None => choice,
        });
        if let Some(choice) = choice {
            chat.insert("function_call".to_owned(), choice);
        }
        if chat.get("temperature").and_then(Value::as_f64) == Some(0.0) {
            // It must be above zero: the likeliest words alone are a `top_p` of zero.
            chat.shift_remove("temperature");
            chat.insert("top_p".to_owned(), 0.into());
        }
        if let Some(format) = chat.shift_remove("response_format") {
            structured(&format, target, &mut chat, &mut offered)?;
        }
        if tools.is_some() || !offered.is_empty() {
            chat.insert("functions".to_owned(), offered.into());
        }
        Ok(("/chat/completions".to_owned(), Value::Object(chat)))
    }

    fn leaves_files(&self) -> bool {
        true
    }

    fn beforehand(&self, body: &mut Value) -> Result<Vec<Deposit>> {
        files::deposits(body)
    }

    fn reply(&self, mut reply: Value) -> Result<Value> {
        for choice in reply.get_mut("choices").and_then(Value::as_array_mut).into_iter().flatten() {
            called(choice, "message");
        }
        Ok(reply)
    }

    fn pieces(&self) -> Box<dyn Pieces> {
        Box::new(Deltas)
    }
}

/// Writes a message, or several for several calls.
fn write(message: &Value, target: &Target, out: &mut Vec<Value>) -> Result<()> {
    let text = joined(message, target)?;
    match role(message) {
        "system" if !out.is_empty() => out.push(json!({"role": "user", "content": text})),
        "tool" => {
            // Results are JSON.
            let json = serde_json::from_str::<Value>(&text).is_ok();
            let content = if json { text } else { Value::from(text).to_string() };
            let result =
                json!({"role": "function", "tool_call_id": message.get("tool_call_id"), "content": content});
            place(result, out);
        }
        "assistant" => {
            let calls = message.get("tool_calls").and_then(Value::as_array).cloned().unwrap_or_default();
            if calls.is_empty() {
                out.push(json!({"role": "assistant", "content": text}));
            }
            for (index, call) in calls.iter().enumerate() {
                let content = if index == 0 { text.as_str() } else { "" };
                let mut said = json!({"role": "assistant", "content": content});
                said["function_call"] = function_call(call);
                // Where its result belongs; taken out when that is there.
                said["id"] = call.get("id").cloned().unwrap_or_default();
                out.push(said);
            }
        }
        role => out.push(json!({"role": role, "content": text})),
    }
    for message in out.iter_mut().filter_map(Value::as_object_mut) {
        let waits = message.get("id").is_some_and(|id| !id.is_null());
        if !waits {
            message.shift_remove("id");
        }
    }
    Ok(())
}

/// Puts a result behind its call.
fn place(result: Value, out: &mut Vec<Value>) {
    let id = result.get("tool_call_id").cloned().unwrap_or_default();
    let at = out.iter().rposition(|message| message.get("id").is_some_and(|own| *own == id));
    match at {
        Some(at) => {
            if let Some(call) = out[at].as_object_mut() {
                call.shift_remove("id");
            }
            out.insert(at + 1, result);
        }
        None => out.push(result),
    }
}

/// The texts of a message, a line each.
fn joined(message: &Value, target: &Target) -> Result<String> {
    let parts = message.get("content").and_then(Value::as_array);
    let whole = only_text(message, target)?;
    let Some(parts) = parts else { return Ok(whole) };
    let texts: Vec<&str> = parts.iter().filter_map(|part| part.get("text")?.as_str()).collect();
    Ok(texts.join("\n"))
}

fn function_call(call: &Value) -> Value {
    let arguments = call.pointer("/function/arguments").and_then(Value::as_str).unwrap_or_default();
    let arguments: Map<String, Value> = serde_json::from_str(arguments).unwrap_or_default();
    json!({"name": call.pointer("/function/name"), "arguments": arguments})
}

fn function(function: &Value) -> Value {
    json!({
        "name": function.get("name"),
        "description": function.get("description").cloned().unwrap_or_else(|| "".into()),
        "parameters": function.get("parameters").cloned().unwrap_or_else(|| json!({})),
    })
}

/// The form of the answer, as a function that must be called.
fn structured(format: &Value, target: &Target, chat: &mut Chat, offered: &mut Vec<Value>) -> Result<()> {
    match format.get("type").and_then(Value::as_str) {
        Some("json_schema") => {
            let name = format.pointer("/json_schema/name").and_then(Value::as_str).unwrap_or("response");
            let schema = format.pointer("/json_schema/schema").cloned().unwrap_or_else(|| json!({}));
            let words = format!("Output structured response: {name}");
            offered.push(json!({"name": ANSWER, "description": words, "parameters": schema}));
            chat.insert("function_call".to_owned(), json!({"name": ANSWER}));
            Ok(())
        }
        Some("json_object") if target.policy.drop => {
            note("response_format");
            Ok(())
        }
        Some("json_object") => {
            let message = "`response_format`: this model's provider has no `json_object`: give a `json_schema`, \
                           leave it out or set `drop_params`";
            Err(Error::unsupported("response_format", message))
        }
        _ => Ok(()),
    }
}

/// A choice whose call of a function is the call of a tool, or the answer it stands in for.
fn called(choice: &mut Value, member: &str) {
    let function = choice.get_mut(member).and_then(Value::as_object_mut).and_then(|message| {
        message.shift_remove("functions_state_id");
        message.shift_remove("function_call").filter(|call| !call.is_null())
    });
    let ended = choice.get("finish_reason").is_some_and(|word| word == "function_call");
    let Some(call) = function else {
        if ended {
            choice["finish_reason"] = "tool_calls".into();
        }
        return;
    };
    let arguments = match call.get("arguments") {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "{}".to_owned(),
    };
    let name = call.get("name").cloned().unwrap_or_default();
    if name == ANSWER {
        choice[member]["content"] = arguments.into();
        if ended {
            choice["finish_reason"] = "stop".into();
        }
        return;
    }
    // The vendor gives calls no ids: the reader makes one.
    choice[member]["tool_calls"] =
        json!([{"index": 0, "type": "function", "function": {"name": name, "arguments": arguments}}]);
    if ended {
        choice["finish_reason"] = "tool_calls".into();
    }
}

/// The chunks of a stream.
#[derive(Debug)]
struct Deltas;

impl Pieces for Deltas {
    fn push(&mut self, _event: &str, mut data: Value, out: &mut Vec<Value>) -> Result<bool> {
        for choice in data.get_mut("choices").and_then(Value::as_array_mut).into_iter().flatten() {
            called(choice, "delta");
        }
        out.push(data);
        Ok(false)
    }
}
