//! Whole replies: a provider's into canonical form, and canonical ones for a caller.

use bytes::Bytes;
use llm_types::{
    ChatResponse, Choice, Error, ErrorKind, Extra, Message, Part, PartKind, Result, Role, Usage,
};

use super::request::assistant;
use super::usage::{self, WireUsage};
use super::wire::{TOOL_PLAN, failure, finish, finish_word};
use super::{citation, content, error, logprobs};
use crate::ReplyContext;
use crate::dialect::{InvokedTools, ReplyFacts};
use crate::fields::{Fields, Path};
use crate::json::{self, Json};
use crate::write::Object;

/// Reads a provider's reply.
pub(super) fn decode(body: &[u8]) -> Result<ChatResponse> {
    let value = json::reply(body)?;
    let is_answer = value.get("message").is_some_and(|message| message.as_object().is_some());
    if !is_answer && let Some(error) = error::stated(&value.to_value()) {
        return Err(error);
    }
    reply(value).map_err(|fault| {
        Error::new(ErrorKind::BadUpstream, format!("provider reply is not a chat answer: {fault}"))
    })?
}

/// The outer error is of a reply that is not this dialect, the inner one is stated by the provider.
fn reply(value: Json<'_>) -> Result<Result<ChatResponse>> {
    let mut fields = Fields::of(value, Path::Root)?;
    let (parts, extra) = fields.required_object("message", |message| {
        message.any("role");
        let parts = assistant(message)?;
        Ok((parts, message.rest()))
    })?;
    let reason = fields.text("finish_reason")?;
    let usage = match fields.take("usage") {
        Some(usage) => read_usage(usage)?,
        None => None,
    };
    if let Some(error) = reason.as_deref().and_then(|word| failure(word, None)) {
        return Ok(Err(match usage {
            Some(usage) => error.with_usage(usage),
            None => error,
        }));
    }
    let pieces: Vec<_> =
        fields.array("logprobs")?.unwrap_or_default().into_iter().map(Json::into_value).collect();
    let mut message = Message::new(Role::Assistant, parts);
    message.extra = without_nulls(extra);
    let choice = Choice {
        index: 0,
        message,
        finish: reason.map(|word| finish(&word)),
        logprobs: logprobs::canonical(&pieces),
        extra: Extra::default(),
    };
    let id = fields.text("id")?.unwrap_or_default();
    let extra = without_nulls(fields.rest());
    Ok(Ok(ChatResponse { id, usage, choices: vec![choice], extra, ..ChatResponse::default() }))
}

fn without_nulls(mut extra: Extra) -> Extra {
    extra.0.retain(|_, value| !value.is_null());
    extra
}

fn read_usage(value: Json<'_>) -> Result<Option<Usage>> {
    let wire: WireUsage =
        value.read().map_err(|fault| Error::bad_param("usage", format!("`usage`: {fault}")))?;
    Ok(wire.canonical())
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
        id: Some(reply.id).filter(|id| !id.is_empty()),
        model: None,
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
    let has_calls = parts.iter().any(|part| matches!(part.kind, PartKind::ToolCall(_)));

    let mut out = Vec::with_capacity(512);
    let mut body = Object::begin(&mut out);
    body.text("id", if response.id.is_empty() { &cx.id } else { &response.id });
    body.text("finish_reason", finish_word(choice.and_then(|choice| choice.finish.as_ref()), has_calls));
    body.object("message", |message| {
        message.text("role", "assistant");
        write_message(parts, has_calls, message);
        for (name, value) in choice.iter().flat_map(|choice| &choice.message.extra.0) {
            if name == "content" || name == "tool_calls" {
                continue;
            }
            message.value(name, value);
        }
    });
    body.object("usage", |out| usage::write(out, response.usage.as_ref().unwrap_or(&Usage::default())));
    let record = choice.and_then(|choice| choice.logprobs.as_ref());
    let pieces = record.map(logprobs::pieces).unwrap_or_default();
    if !pieces.is_empty() {
        body.value("logprobs", &pieces);
    }
    body.end();
    out.into()
}

fn write_message(parts: &[Part], has_calls: bool, message: &mut Object<'_>) {
    let said = |part: &&Part| match &part.kind {
        PartKind::Text { text, .. } | PartKind::Refusal { text } => !text.is_empty(),
        PartKind::Reasoning { .. } => part.extra.value(TOOL_PLAN).is_none(),
        PartKind::Image(media) => content::is_linked(media),
        _ => false,
    };
    if !has_calls || parts.iter().any(|part| said(&part)) {
        message.array("content", |list| {
            for part in parts.iter().filter(said) {
                match &part.kind {
                    PartKind::Text { text, .. } | PartKind::Refusal { text } => content::text(list, text),
                    PartKind::Reasoning { text, .. } => content::thinking(list, text),
                    PartKind::Image(media) => content::picture_block(list, media),
                    _ => {}
                }
            }
        });
    }
    let plans = parts.iter().filter_map(|part| match &part.kind {
        PartKind::Reasoning { text, .. } if part.extra.value(TOOL_PLAN).is_some() => Some(text.as_str()),
        _ => None,
    });
    let plan: String = plans.collect();
    if !plan.is_empty() {
        message.text("tool_plan", &plan);
    }
    if has_calls {
        message.array("tool_calls", |list| {
            for part in parts {
                if let PartKind::ToolCall(call) = &part.kind {
                    content::call(list, call);
                }
            }
        });
    }
    let cited = || {
        parts.iter().filter_map(|part| match &part.kind {
            PartKind::Text { text, citations } if !citations.is_empty() => Some((text, citations)),
            _ => None,
        })
    };
    if cited().next().is_some() {
        message.array("citations", |list| {
            for (text, citations) in cited() {
                citations.iter().for_each(|one| list.value(&*citation::wire(one, text)));
            }
        });
    }
}
