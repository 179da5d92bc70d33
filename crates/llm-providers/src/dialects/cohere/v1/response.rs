//! A provider's whole reply.

use llm_types::{
    ChatResponse, Choice, Error, ErrorKind, Extra, Finish, Message, Part, PartKind, Result, Role, ToolCall,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::usage::WireUsage;
use super::super::wire::{failure, finish};
use super::super::{citation, error};
use crate::dialects::calls::made_id;

/// A reply, or the end of a streamed one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireReply {
    pub(super) text: Option<String>,
    pub(super) generation_id: Option<String>,
    pub(super) finish_reason: Option<String>,
    pub(super) tool_calls: Option<Vec<WireCall>>,
    citations: Option<Vec<Value>>,
    pub(super) meta: Option<WireUsage>,
}

/// A call, without an id.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireCall {
    name: String,
    parameters: Map<String, Value>,
}

impl WireCall {
    /// The call with an id made for it.
    pub(super) fn named(self, reply: &str, number: u32) -> ToolCall {
        let arguments = Value::Object(self.parameters).to_string();
        let id = made_id(&[reply, &self.name, &arguments], number);
        ToolCall { id, name: self.name, arguments, custom: false }
    }
}

/// Reads a provider's reply.
pub(super) fn decode(body: &[u8]) -> Result<ChatResponse> {
    let value: Value = serde_json::from_slice(body).map_err(|fault| {
        Error::new(ErrorKind::BadUpstream, "provider reply is not JSON").with_source(fault)
    })?;
    if value.get("text").is_none() {
        let none =
            || Error::new(ErrorKind::BadUpstream, "provider reply is not a chat answer: it has no `text`");
        return Err(error::stated(&value).unwrap_or_else(none));
    }
    let reply: WireReply = serde_json::from_value(value).map_err(|fault| {
        Error::new(ErrorKind::BadUpstream, format!("provider reply is not a chat answer: {fault}"))
    })?;
    let usage = reply.meta.as_ref().and_then(WireUsage::canonical);
    if let Some(error) = reply.finish_reason.as_deref().and_then(|word| failure(word, None)) {
        return Err(match usage {
            Some(usage) => error.with_usage(usage),
            None => error,
        });
    }
    let id = reply.generation_id.unwrap_or_default();
    let citations = reply.citations.unwrap_or_default().into_iter().map(citation::read).collect();
    let text = reply.text.unwrap_or_default();
    let mut parts = vec![Part::new(PartKind::Text { text, citations })];
    let calls = reply.tool_calls.unwrap_or_default();
    let has_calls = !calls.is_empty();
    parts.extend((0..).zip(calls).map(|(at, call)| Part::new(PartKind::ToolCall(call.named(&id, at)))));
    let choice = Choice {
        index: 0,
        message: Message::new(Role::Assistant, parts),
        finish: Some(finish_of(reply.finish_reason.as_deref(), has_calls)),
        logprobs: None,
        extra: Extra::default(),
    };
    Ok(ChatResponse { id, usage, choices: vec![choice], ..ChatResponse::default() })
}

/// Why the answer ended. The wire says that it is complete where tools are to be called.
pub(super) fn finish_of(word: Option<&str>, calls: bool) -> Finish {
    match word.map_or(Finish::Stop, finish) {
        Finish::Stop if calls => Finish::ToolCalls,
        reason => reason,
    }
}
