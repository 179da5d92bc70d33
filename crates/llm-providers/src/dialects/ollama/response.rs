//! Whole replies: a provider's into canonical form, and canonical ones for a caller.

use bytes::Bytes;
use llm_types::{
    ChatResponse, Choice, Error, ErrorKind, Extra, Media, MediaSource, Message, Part, PartKind, Result, Role,
    ToolCall,
};

use super::wire::{WireReply, entries, finish, finish_word};
use super::{error, time, usage};
use crate::ReplyContext;
use crate::dialect::{InvokedTools, ReplyFacts};
use crate::dialects::calls::{input_json, made_id};
use crate::write::{Array, Object};

/// Reads a provider's reply.
pub(super) fn decode(body: &[u8]) -> Result<ChatResponse> {
    let mut reply: WireReply = serde_json::from_slice(body).map_err(|fault| {
        Error::new(ErrorKind::BadUpstream, format!("provider reply is not a chat answer: {fault}"))
            .with_source(fault)
    })?;
    if let Some(said) = &reply.error {
        return Err(error::stated(said));
    }
    if reply.message.is_none() && reply.response.is_none() {
        let found = "provider reply is not a chat answer: expected an object `message`, found none";
        return Err(Error::new(ErrorKind::BadUpstream, found));
    }
    let parts = parts(&mut reply);
    let calls = parts.iter().any(|part| matches!(part.kind, PartKind::ToolCall(_)));
    let choice = Choice {
        index: 0,
        message: Message::new(Role::Assistant, parts),
        finish: Some(finish(reply.done_reason.as_deref(), calls)),
        logprobs: reply.probabilities(),
        extra: Extra::default(),
    };
    Ok(ChatResponse {
        created: reply.created_at.as_deref().and_then(time::read),
        usage: usage::canonical(&reply),
        model: reply.model.unwrap_or_default(),
        choices: vec![choice],
        ..ChatResponse::default()
    })
}

fn parts(reply: &mut WireReply) -> Vec<Part> {
    let message = reply.said();
    let mut parts = Vec::new();
    let thoughts = message.thinking.filter(|text| !text.is_empty());
    parts.extend(thoughts.map(|text| Part::reasoning(text, None)));
    let calls = message.tool_calls.unwrap_or_default();
    let text = message.content.unwrap_or_default();
    if !text.is_empty() || calls.is_empty() {
        parts.push(Part::text(text));
    }
    parts.extend(message.images.unwrap_or_default().into_iter().map(picture));
    let when = reply.created_at.as_deref().unwrap_or_default();
    for (number, mut call) in (0..).zip(calls) {
        let arguments = call.function.arguments_text();
        let name = call.function.name;
        let id = call.id.filter(|id| !id.is_empty());
        let id = id.unwrap_or_else(|| made_id(&[when, &name, &arguments], number));
        parts.push(Part::new(PartKind::ToolCall(ToolCall { id, name, arguments, custom: false })));
    }
    parts
}

/// A picture the model drew.
pub(super) fn picture(data: String) -> Part {
    Part::new(PartKind::Image(Media::new(MediaSource::Base64(data), Some("image/png".to_owned()))))
}

/// What settlement needs to know of a whole reply.
pub(super) fn facts(body: &[u8]) -> ReplyFacts {
    let reply = match decode(body) {
        Ok(reply) => reply,
        Err(error) => return ReplyFacts { error: Some(error), ..ReplyFacts::default() },
    };
    let choice = reply.choices.first();
    let parts = choice.map_or(&[][..], |choice| &choice.message.parts);
    ReplyFacts {
        id: None,
        model: Some(reply.model).filter(|model| !model.is_empty()),
        finish: choice.and_then(|choice| choice.finish.clone()),
        answer_bytes: parts.iter().map(answer_len).sum(),
        tools: InvokedTools::of(parts),
        usage: reply.usage,
        error: None,
        complete: true,
    }
}

fn answer_len(part: &Part) -> u64 {
    match &part.kind {
        PartKind::Text { text, .. } | PartKind::Reasoning { text, .. } => text.len() as u64,
        PartKind::ToolCall(call) => call.arguments.len() as u64,
        _ => 0,
    }
}

/// Writes a reply for a caller. Answers beyond the first have no place in this dialect.
pub(super) fn encode(response: &ChatResponse, cx: &ReplyContext) -> Bytes {
    let choice = response.choices.first();
    let parts = choice.map_or(&[][..], |choice| &choice.message.parts);
    let mut out = Vec::with_capacity(512);
    let mut body = Object::begin(&mut out);
    head(&mut body, &response.model, response.created, cx);
    body.object("message", |message| write_message(parts, message));
    body.text("done_reason", finish_word(choice.and_then(|choice| choice.finish.as_ref())));
    body.value("done", &true);
    usage::write(&mut body, response.usage.as_ref(), cx.elapsed_ms);
    let record = choice.and_then(|choice| choice.logprobs.as_ref());
    body.some("logprobs", record.and_then(entries));
    body.end();
    out.into()
}

/// Writes which model answers, and when.
pub(super) fn head(body: &mut Object<'_>, model: &str, created: Option<i64>, cx: &ReplyContext) {
    body.text("model", if model.is_empty() { &cx.model } else { model });
    body.text("created_at", &time::written(created.unwrap_or(cx.now)));
}

fn write_message(parts: &[Part], message: &mut Object<'_>) {
    let (mut text, mut thoughts) = (String::new(), String::new());
    let (mut pictures, mut calls) = (Vec::new(), Vec::new());
    for part in parts {
        match &part.kind {
            PartKind::Text { text: said, .. } | PartKind::Refusal { text: said } => text.push_str(said),
            PartKind::Reasoning { text, .. } => thoughts.push_str(text),
            PartKind::Image(Media { source: MediaSource::Base64(data), .. }) => pictures.push(data),
            PartKind::ToolCall(call) => calls.push(call),
            // The dialect has no place for others in an answer.
            _ => {}
        }
    }
    message.text("role", "assistant");
    message.text("content", &text);
    if !thoughts.is_empty() {
        message.text("thinking", &thoughts);
    }
    if !pictures.is_empty() {
        message.value("images", &pictures);
    }
    if !calls.is_empty() {
        message.array("tool_calls", |list| {
            (0..).zip(calls).for_each(|(index, call)| write_call(index, call, list));
        });
    }
}

/// Writes a call.
pub(super) fn write_call(index: u32, call: &ToolCall, list: &mut Array<'_>) {
    list.object(|entry| {
        if !call.id.is_empty() {
            entry.text("id", &call.id);
        }
        entry.object("function", |function| {
            function.value("index", &index);
            function.text("name", &call.name);
            function.raw("arguments", input_json(call).as_bytes());
        });
    });
}
