//! A canonical request for a provider: the last words stand apart from what was said before.

use llm_types::{
    ChatRequest, Error, Message, Options, Part, PartKind, ResponseFormat, Result, Role, ToolChoice,
};
use serde_json::{Map, Value, json};

use super::super::request::{own_defaults, unsupported};
use super::super::wire::own_name;
use super::super::{content, request};
use super::tools;
use crate::dialects::params::{self, leave_out};
use crate::dialects::unsaid::{PLAIN, note_unsaid};
use crate::left_out::note;
use crate::write::Object;
use crate::{Encoded, ParamPolicy, Target};

/// Where requests go, behind the target's base URL.
const PATH: &str = "/v1/chat";

/// Writes a request.
pub(super) fn encode(request: &ChatRequest, target: &Target) -> Result<Encoded> {
    let policy = &target.policy;
    let request = &*params::without_functions(request, policy)?;
    let (mut options, mut fields) = params::settle(request, target);
    own_defaults(&mut options, &mut fields);
    let passed = unsupported(&options, policy)?;
    lacks(&options, policy)?;
    if request.messages.is_empty() {
        return Err(request::nothing_said());
    }
    note_unsaid(request, PLAIN);
    let talk = Talk::of(&request.messages, policy)?;
    let mut out = Vec::with_capacity(1024);
    let mut body = Object::begin(&mut out);
    body.text("model", &target.model);
    talk.write(&mut body);
    if options.tool_choice != Some(ToolChoice::None) {
        tools::write(&request.tools, policy, &mut body)?;
    }
    write(&options, &mut body);
    for (name, value) in request.extra.0.iter().chain(&fields).filter(|(name, _)| !is_known(name)) {
        if !policy.always_drop.iter().any(|drop| drop == name || own_name(drop) == name.as_str()) {
            body.value(name, value);
        }
    }
    for (name, value) in &passed {
        body.value(name, value);
    }
    if request.stream {
        body.value("stream", &true);
    }
    body.end();
    Ok(Encoded { path: PATH.to_owned(), body: out.into(), ..Encoded::default() })
}

/// Members of other fields that do not belong into the body.
fn is_known(name: &str) -> bool {
    matches!(name, "extra_headers" | "extra_body" | "model" | "message" | "chat_history" | "tools" | "stream")
}

/// What this version cannot say beside what the next one cannot.
fn lacks(options: &Options, policy: &ParamPolicy) -> Result<()> {
    let reasoning = options.reasoning.as_ref();
    let choice = options.tool_choice.as_ref();
    let free = choice.is_none_or(|choice| matches!(choice, ToolChoice::Auto | ToolChoice::None));
    let asked = [
        ("logprobs", options.logprobs == Some(true)),
        ("reasoning_effort", reasoning.is_some_and(|asked| asked.effort.is_some())),
        ("thinking", reasoning.is_some_and(|asked| asked.effort.is_none() && asked.enabled != Some(false))),
        ("tool_choice", !free),
    ];
    for (name, _) in asked.into_iter().filter(|(_, asked)| *asked) {
        leave_out(policy, name, "Chat v1 has no such parameter")?;
    }
    Ok(())
}

fn write(options: &Options, body: &mut Object<'_>) {
    match &options.response_format {
        Some(ResponseFormat::JsonObject) => body.value("response_format", &json!({ "type": "json_object" })),
        Some(ResponseFormat::JsonSchema { schema, .. }) => {
            body.value("response_format", &json!({ "type": "json_object", "schema": schema }));
        }
        Some(ResponseFormat::Text) | None => {}
    }
    body.some("max_tokens", options.max_tokens.as_ref());
    body.some("temperature", options.temperature.as_ref());
    body.some("p", options.top_p.as_ref());
    body.some("k", options.top_k.as_ref());
    if !options.stop.is_empty() {
        body.value("stop_sequences", &options.stop);
    }
    body.some("seed", options.seed.as_ref());
    body.some("frequency_penalty", options.frequency_penalty.as_ref());
    body.some("presence_penalty", options.presence_penalty.as_ref());
}

/// A conversation as the wire has it.
#[derive(Debug, Default)]
struct Talk {
    preamble: Vec<String>,
    history: Vec<Value>,
    documents: Vec<Value>,
    /// Calls by their ids, for the results that answer them.
    calls: Map<String, Value>,
}

impl Talk {
    fn of(messages: &[Message], policy: &ParamPolicy) -> Result<Self> {
        let mut talk = Self::default();
        for (index, message) in messages.iter().enumerate() {
            talk.message(index, message, policy)?;
        }
        Ok(talk)
    }

    fn message(&mut self, index: usize, message: &Message, policy: &ParamPolicy) -> Result<()> {
        let (mut text, mut calls, mut results) = (String::new(), Vec::new(), Vec::new());
        for part in &message.parts {
            match &part.kind {
                PartKind::Text { text: said, .. } | PartKind::Refusal { text: said } => text.push_str(said),
                PartKind::ToolCall(call) if !call.custom => {
                    let parameters: Value =
                        serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({}));
                    let call_value = json!({ "name": call.name, "parameters": parameters });
                    self.calls.insert(call.id.clone(), call_value.clone());
                    calls.push(call_value);
                }
                PartKind::ToolResult(result) => {
                    let unknown = || json!({ "name": result.name, "parameters": {} });
                    let call = self.calls.get(&result.call_id).cloned().unwrap_or_else(unknown);
                    results.push(json!({ "call": call, "outputs": [output(&result.parts)] }));
                }
                // This version shows the model no thoughts of the past.
                PartKind::Reasoning { .. } | PartKind::RedactedReasoning { .. } => {}
                _ => match content::wire_document(part, self.documents.len()) {
                    Some(document) => self.documents.push(flat(&document)),
                    None if policy.drop => note("messages.content"),
                    None => {
                        let message = format!(
                            "`messages[{index}]`: Chat v1 takes texts and text documents only; leave the rest out or set `drop_params`"
                        );
                        return Err(Error::unsupported("messages", message));
                    }
                },
            }
        }
        self.said(message.role, text, calls, results);
        Ok(())
    }

    fn said(&mut self, role: Role, text: String, calls: Vec<Value>, results: Vec<Value>) {
        if !results.is_empty() {
            // Results of one turn belong together.
            match self.history.last_mut().filter(|last| last["role"] == "TOOL") {
                Some(last) => {
                    if let Some(list) = last["tool_results"].as_array_mut() {
                        list.extend(results);
                    }
                }
                None => self.history.push(json!({ "role": "TOOL", "tool_results": results })),
            }
        }
        match role {
            Role::System | Role::Developer if self.history.is_empty() => self.preamble.push(text),
            Role::System | Role::Developer => self.history.push(json!({ "role": "SYSTEM", "message": text })),
            Role::User if !text.is_empty() => self.history.push(json!({ "role": "USER", "message": text })),
            Role::Assistant => {
                let mut said = json!({ "role": "CHATBOT", "message": text });
                if !calls.is_empty() {
                    said["tool_calls"] = calls.into();
                }
                self.history.push(said);
            }
            Role::User | Role::Tool => {}
        }
    }

    fn write(mut self, body: &mut Object<'_>) {
        let last = self.history.pop_if(|last| last["role"] == "USER" || last["role"] == "TOOL");
        let message = last.as_ref().and_then(|last| last["message"].as_str()).unwrap_or_default();
        body.text("message", message);
        if let Some(results) = last.as_ref().and_then(|last| last.get("tool_results")) {
            body.value("tool_results", results);
        }
        if !self.preamble.is_empty() {
            body.text("preamble", &self.preamble.join("\n"));
        }
        if !self.history.is_empty() {
            body.value("chat_history", &self.history);
        }
        if !self.documents.is_empty() {
            body.value("documents", &self.documents);
        }
    }
}

/// What a tool said, as an object.
fn output(parts: &[Part]) -> Value {
    let texts = parts.iter().filter_map(|part| match &part.kind {
        PartKind::Text { text, .. } | PartKind::Refusal { text } => Some(text.as_str()),
        _ => None,
    });
    let text: String = texts.collect();
    match serde_json::from_str(&text) {
        Ok(object @ Value::Object(_)) => object,
        Ok(value @ (Value::Array(_) | Value::Number(_) | Value::Bool(_))) => json!({ "output": value }),
        _ => json!({ "output": text }),
    }
}

/// A document of version 2 as one of version 1, whose members are texts.
fn flat(document: &Value) -> Value {
    let mut out = Map::new();
    out.extend(document.get("id").map(|id| ("id".to_owned(), id.clone())));
    for (name, value) in document.get("data").and_then(Value::as_object).into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        out.insert(name.clone(), text.into());
    }
    Value::Object(out)
}
