//! Whole replies: a provider's into canonical form, and canonical ones for a caller.

use bytes::Bytes;
use llm_types::{ChatResponse, Choice, Error, Extra, Finish, Message, Part, PartKind, Result, Role, Usage};

use super::content::{self, ANSWER_TOOL, bad_reply};
use super::error;
use super::usage::{self, WireUsage};
use crate::ReplyContext;
use crate::dialects::conversation::answered;
use crate::fields::{Fields, Path};
use crate::json::{self, Json};
use crate::write::Object;

/// Members of a reply beside the canonical ones; callers of this dialect get them back.
const KEPT: &[&str] = &["container", "context_management", "diagnostics", "stop_details"];

/// Reads a provider's reply.
pub(super) fn decode(body: &[u8]) -> Result<ChatResponse> {
    let value = json::reply(body)?;
    let is_message =
        value.get("content").is_some() && value.get("type").and_then(Json::as_str) != Some("error");
    if !is_message && let Some(error) = error::stated(&value.to_value()) {
        return Err(error);
    }
    message(value).map_err(|error| bad_reply(&error))
}

fn message(value: Json<'_>) -> Result<ChatResponse> {
    let mut fields = Fields::of(value, Path::Root)?;
    let content =
        fields.array("content")?.ok_or_else(|| Path::Root.member("content").missing("content blocks"))?;
    let path = Path::Root.member("content");
    let read = |(index, value)| content::block(value, path.element(index));
    let parts: Vec<Part> = content.into_iter().enumerate().map(read).collect::<Result<_>>()?;
    let stop_sequence = fields.text("stop_sequence")?;
    let finish = fields.text("stop_reason")?.map(|reason| finish(&reason, stop_sequence));
    let usage = match fields.take("usage") {
        Some(usage) => read_usage(usage)?,
        None => None,
    };
    let mut response = ChatResponse {
        id: fields.text("id")?.unwrap_or_default(),
        model: fields.text("model")?.unwrap_or_default(),
        service_tier: usage.as_ref().and_then(|usage| usage.service_tier.clone()),
        usage,
        ..ChatResponse::default()
    };
    let (parts, finish) = answered(parts, finish, ANSWER_TOOL);
    let message = Message::new(Role::Assistant, parts);
    response.choices.push(Choice { index: 0, message, finish, logprobs: None, extra: Extra::default() });
    response.extra = fields.rest();
    response.extra.0.retain(|name, value| !value.is_null() && !matches!(name.as_str(), "type" | "role"));
    Ok(response)
}

fn read_usage(value: Json<'_>) -> Result<Option<Usage>> {
    let wire: WireUsage =
        value.read().map_err(|fault| Error::bad_param("usage", format!("`usage`: {fault}")))?;
    Ok(wire.canonical())
}

/// The meaning of a `stop_reason`.
pub(super) fn finish(reason: &str, stop_sequence: Option<String>) -> Finish {
    match reason {
        "end_turn" => Finish::Stop,
        "stop_sequence" => Finish::StopSequence(stop_sequence),
        "max_tokens" => Finish::Length,
        "model_context_window_exceeded" => Finish::ContextWindow,
        "tool_use" => Finish::ToolCalls,
        "refusal" => Finish::Refusal,
        "pause_turn" => Finish::Pause,
        other => Finish::Other(other.to_owned()),
    }
}

/// The `stop_reason` and `stop_sequence` of a finish.
pub(super) fn stop_reason(finish: Option<&Finish>, has_calls: bool) -> (&'static str, Option<&str>) {
    match finish {
        Some(Finish::ToolCalls) => ("tool_use", None),
        None | Some(Finish::Stop | Finish::Other(_)) if has_calls => ("tool_use", None),
        Some(Finish::StopSequence(Some(text))) => ("stop_sequence", Some(text)),
        Some(Finish::Length) => ("max_tokens", None),
        Some(Finish::ContextWindow) => ("model_context_window_exceeded", None),
        Some(Finish::ContentFilter | Finish::Refusal) => ("refusal", None),
        Some(Finish::Pause) => ("pause_turn", None),
        Some(Finish::Other(word)) if word == "compaction" => ("compaction", None),
        // A stop text that is not known is, to this dialect, a natural end; so are other vendors' words.
        None | Some(Finish::Stop | Finish::StopSequence(None) | Finish::Other(_)) => ("end_turn", None),
    }
}

/// Writes a reply for a caller. Answers beyond the first have no place in this dialect.
pub(super) fn encode(response: &ChatResponse, cx: &ReplyContext) -> Bytes {
    let choice = response.choices.first();
    let parts = choice.map_or(&[][..], |choice| &choice.message.parts);
    let has_calls = parts.iter().any(|part| matches!(part.kind, PartKind::ToolCall(_)));
    let (reason, sequence) = stop_reason(choice.and_then(|choice| choice.finish.as_ref()), has_calls);

    let mut out = Vec::with_capacity(512);
    let mut body = Object::begin(&mut out);
    body.text("id", or(&response.id, &cx.id));
    body.text("type", "message");
    body.text("role", "assistant");
    body.text("model", or(&response.model, &cx.model));
    body.array("content", |list| {
        let said =
            parts.iter().filter(|part| !matches!(&part.kind, PartKind::Text { text, .. } if text.is_empty()));
        said.for_each(|part| content::part(list, part));
    });
    body.text("stop_reason", reason);
    body.value("stop_sequence", &sequence);
    body.object("usage", |out| usage::write(out, response.usage.as_ref().unwrap_or(&Usage::default())));
    for name in KEPT {
        body.some(name, response.extra.value(name));
    }
    body.end();
    out.into()
}

/// The first text unless it is empty.
pub(super) fn or<'a>(first: &'a str, second: &'a str) -> &'a str {
    if first.is_empty() { second } else { first }
}

#[cfg(test)]
mod tests;
