//! Whole replies: a provider's into canonical form, and canonical ones for a caller.

use bytes::Bytes;
use llm_types::{ChatResponse, Choice, Error, Extra, Finish, Message, PartKind, Result, Role, Usage};
use serde_json::Value;

use super::content::{self, ANSWER_TOOL, Voice, bad_reply};
use super::error;
use super::usage::{self, WireUsage};
use crate::ReplyContext;
use crate::dialects::conversation::answered;
use crate::fields::{Fields, Path};
use crate::json::{self, Json};
use crate::write::Object;

/// Members of a reply beside the canonical ones; callers of this dialect get them back.
const KEPT: &[&str] = &["additionalModelResponseFields", "performanceConfig", "trace"];

/// Reads a provider's reply.
pub(super) fn decode(body: &[u8]) -> Result<ChatResponse> {
    let value = json::reply(body)?;
    if value.get("output").is_none()
        && let Some(error) = error::stated(&value.to_value())
    {
        return Err(error);
    }
    reply(value).map_err(|error| bad_reply(&error))
}

fn reply(value: Json<'_>) -> Result<ChatResponse> {
    let mut fields = Fields::of(value, Path::Root)?;
    let parts = fields.required_object("output", |output| {
        output.required_object("message", |message| {
            let root = *message.path();
            let path = root.member("content");
            let list = message.array("content")?.ok_or_else(|| path.missing("content blocks"))?;
            content::blocks(list, &path)
        })
    })?;
    let details = fields.peek("additionalModelResponseFields").map(Json::to_value).unwrap_or_default();
    let finish = fields.text("stopReason")?.map(|reason| finish(&reason, stop_text(&details)));
    let mut usage = match fields.take("usage") {
        Some(usage) => read_usage(usage)?,
        None => None,
    };
    let service_tier = fields.object("serviceTier", |tier| tier.text("type"))?.flatten();
    if let Some(usage) = &mut usage {
        usage::add_details(usage, &details);
        usage.service_tier.clone_from(&service_tier);
    }
    let (parts, finish) = answered(parts, finish, ANSWER_TOOL);
    let message = Message::new(Role::Assistant, parts);
    let choice = Choice { index: 0, message, finish, logprobs: None, extra: Extra::default() };
    let mut response = ChatResponse { usage, service_tier, choices: vec![choice], ..ChatResponse::default() };
    for name in KEPT {
        if let Some(value) = fields.any(name) {
            response.extra.keep(*name, value);
        }
    }
    Ok(response)
}

fn read_usage(value: Json<'_>) -> Result<Option<Usage>> {
    let wire: WireUsage =
        value.read().map_err(|fault| Error::bad_param("usage", format!("`usage`: {fault}")))?;
    Ok(wire.canonical())
}

/// The stop text that was written, which Claude states when it is asked to.
pub(super) fn stop_text(details: &Value) -> Option<String> {
    details.get("stop_sequence").and_then(Value::as_str).map(str::to_owned)
}

/// The meaning of a `stopReason`.
pub(super) fn finish(reason: &str, stop_text: Option<String>) -> Finish {
    match reason {
        "end_turn" => Finish::Stop,
        "stop_sequence" => Finish::StopSequence(stop_text),
        "max_tokens" => Finish::Length,
        "model_context_window_exceeded" => Finish::ContextWindow,
        "tool_use" => Finish::ToolCalls,
        "content_filtered" | "guardrail_intervened" => Finish::ContentFilter,
        other => Finish::Other(other.to_owned()),
    }
}

/// The `stopReason` of a finish, and the stop text if it is known.
pub(super) fn stop_reason(finish: Option<&Finish>, has_calls: bool) -> (&str, Option<&str>) {
    match finish {
        Some(Finish::ToolCalls) => ("tool_use", None),
        None | Some(Finish::Stop | Finish::Pause) if has_calls => ("tool_use", None),
        Some(Finish::StopSequence(text)) => ("stop_sequence", text.as_deref()),
        Some(Finish::Length) => ("max_tokens", None),
        Some(Finish::ContextWindow) => ("model_context_window_exceeded", None),
        Some(Finish::ContentFilter | Finish::Refusal) => ("content_filtered", None),
        Some(Finish::Other(word))
            if matches!(word.as_str(), "malformed_model_output" | "malformed_tool_use") =>
        {
            (word, None)
        }
        // The vendor's words are a closed set: a natural end is the nearest to others' words.
        None | Some(Finish::Stop | Finish::Pause | Finish::Other(_)) => ("end_turn", None),
    }
}

/// Writes a reply for a caller. Answers beyond the first have no place in this dialect.
pub(super) fn encode(response: &ChatResponse, cx: &ReplyContext) -> Bytes {
    let choice = response.choices.first();
    let parts = choice.map_or(&[][..], |choice| &choice.message.parts);
    let has_calls = parts.iter().any(|part| matches!(part.kind, PartKind::ToolCall(_)));
    let (reason, stop_text) = stop_reason(choice.and_then(|choice| choice.finish.as_ref()), has_calls);

    let mut out = Vec::with_capacity(512);
    let mut body = Object::begin(&mut out);
    body.object("output", |output| {
        output.object("message", |message| {
            message.text("role", "assistant");
            message.array("content", |list| {
                for part in parts {
                    content::part(list, part, Voice::ANSWER);
                }
            });
        });
    });
    body.text("stopReason", reason);
    body.object("usage", |out| usage::write(out, response.usage.as_ref().unwrap_or(&Usage::default())));
    body.object("metrics", |metrics| metrics.value("latencyMs", &cx.elapsed_ms));
    write_tier(&mut body, response.service_tier.as_deref());
    for name in KEPT {
        match (response.extra.value(name), stop_text) {
            (Some(value), _) => body.value(name, value),
            (None, Some(text)) if *name == "additionalModelResponseFields" => {
                body.object(name, |fields| fields.text("stop_sequence", text));
            }
            (None, _) => {}
        }
    }
    body.end();
    out.into()
}

/// The tiers the wire has words for.
const TIERS: &[&str] = &["default", "flex", "priority", "reserved"];

/// Writes the tier that was served, where the wire has a word for it.
pub(super) fn write_tier(body: &mut Object<'_>, tier: Option<&str>) {
    let tier = tier.map(|tier| if tier == "standard" { "default" } else { tier });
    if let Some(tier) = tier.filter(|tier| TIERS.contains(tier)) {
        body.object("serviceTier", |out| out.text("type", tier));
    }
}

#[cfg(test)]
mod tests;
