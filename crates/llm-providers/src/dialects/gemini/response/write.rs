//! The canonical reply for a caller.

use bytes::Bytes;
use llm_types::{ChatResponse, Choice, Citation, Finish, Part, PartKind};
use serde_json::{Value, json};

use super::super::wire::{NATIVE, finish_word};
use super::super::{content, usage};
use super::{from_openai, grounding_json};
use crate::dialect::ReplyContext;
use crate::write::{Array, Object};

/// Members of a candidate that callers of this dialect get back.
const KEPT: &[&str] = &[
    "avgLogprobs",
    "citationMetadata",
    "finishMessage",
    "groundingMetadata",
    "safetyRatings",
    "urlContextMetadata",
];

/// The first text unless it is empty.
pub(in super::super) fn or<'a>(first: &'a str, second: &'a str) -> &'a str {
    if first.is_empty() { second } else { first }
}

/// Writes a whole reply.
pub(in super::super) fn encode(response: &ChatResponse, cx: &ReplyContext) -> Bytes {
    let mut out = Vec::with_capacity(512);
    let mut body = Object::begin(&mut out);
    body.array("candidates", |list| {
        response.choices.iter().for_each(|choice| list.object(|out| candidate(out, choice)));
    });
    body.some("promptFeedback", response.extra.value("promptFeedback"));
    if let Some(used) = &response.usage {
        body.object("usageMetadata", |out| usage::write(out, used));
    }
    head(&mut body, or(&response.model, &cx.model), or(&response.id, &cx.id));
    body.end();
    out.into()
}

/// Writes which model answers and the reply's id.
pub(in super::super) fn head(body: &mut Object<'_>, model: &str, id: &str) {
    body.text("modelVersion", model);
    body.text("responseId", id);
}

fn candidate(out: &mut Object<'_>, choice: &Choice) {
    let parts = &choice.message.parts;
    out.object("content", |content| {
        content.array("parts", |list| {
            parts.iter().for_each(|part| said(list, part));
            spoken(list, choice);
        });
        content.text("role", "model");
    });
    let finish = choice.finish.as_ref().unwrap_or(&Finish::Stop);
    out.text("finishReason", finish_word(finish));
    out.value("index", &choice.index);
    let cited: Vec<&Citation> = parts.iter().flat_map(cited).collect();
    let grounding = grounding_json(&cited, &choice.message.text());
    // The vendor's own records say it already.
    let own = ["groundingMetadata", "citationMetadata"].iter().any(|name| choice.extra.value(name).is_some());
    let grounding = grounding.filter(|_| !own);
    let logprobs = choice.logprobs.as_ref().and_then(from_openai);
    candidate_extra(out, grounding.as_ref(), logprobs.as_ref());
    for name in KEPT {
        out.some(name, choice.extra.value(name));
    }
}

/// Writes what an answer rests on, and its log-probabilities.
pub(in super::super) fn candidate_extra(
    out: &mut Object<'_>,
    grounding: Option<&Value>,
    logprobs: Option<&Value>,
) {
    out.some("groundingMetadata", grounding);
    out.some("logprobsResult", logprobs);
}

fn cited(part: &Part) -> &[Citation] {
    match &part.kind {
        PartKind::Text { citations, .. } => citations,
        _ => &[],
    }
}

/// One part of an answer. A block only another dialect has is left out.
fn said(list: &mut Array<'_>, part: &Part) {
    match &part.kind {
        PartKind::Text { text, .. } if text.is_empty() && part.signature.is_none() => {}
        PartKind::Native { dialect, .. } if dialect != NATIVE => {}
        _ => content::write_part(list, part),
    }
}

/// Speech in OpenAI's form (`message.audio`): its sound, and its words where nothing else is said.
fn spoken(list: &mut Array<'_>, choice: &Choice) {
    let Some(audio) = choice.message.extra.value("audio") else { return };
    let word = |name: &str| audio.get(name).and_then(Value::as_str).filter(|word| !word.is_empty());
    if let Some(words) = word("transcript").filter(|_| choice.message.text().is_empty()) {
        content::write_part(list, &Part::text(words));
    }
    if let Some(data) = word("data") {
        let mime = format!("audio/{}", word("format").unwrap_or("wav"));
        list.value(&json!({ "inlineData": { "mimeType": mime, "data": data } }));
    }
}
