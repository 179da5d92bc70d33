//! The canonical reply as OpenAI (and LiteLLM's additions to it) shows one.

use bytes::Bytes;
use llm_types::{ChatResponse, Choice, Citation, Media, MediaSource, Part, PartKind};
use serde_json::Value;

use super::super::request::write_call;
use super::super::usage;
use super::super::wire::{DIALECT, finish_word, media_url};
use crate::dialect::ReplyContext;
use crate::write::{self, Array, Object};

/// Writes a whole reply.
pub(crate) fn encode(reply: &ChatResponse, cx: &ReplyContext) -> Bytes {
    let mut out = Vec::with_capacity(512);
    write::object(&mut out, |object| {
        object.text("id", if reply.id.is_empty() { &cx.id } else { &reply.id });
        object.text("object", "chat.completion");
        object.value("created", &reply.created.unwrap_or(cx.now));
        object.text("model", if reply.model.is_empty() { &cx.model } else { &reply.model });
        object.array("choices", |list| {
            for choice in &reply.choices {
                list.object(|object| write_choice(choice, object));
            }
        });
        if let Some(used) = &reply.usage {
            object.object("usage", |object| usage::write(used, object));
        }
        object.some("service_tier", reply.service_tier.as_ref());
        for (name, value) in &reply.extra.0 {
            object.value(name, value);
        }
    });
    out.into()
}

fn write_choice(choice: &Choice, object: &mut Object<'_>) {
    object.value("index", &choice.index);
    object.object("message", |message| {
        message.text("role", "assistant");
        write_message(choice, message);
    });
    object.value("finish_reason", &choice.finish.as_ref().map(finish_word));
    object.value("logprobs", &choice.logprobs);
    for (name, value) in &choice.extra.0 {
        object.value(name, value);
    }
}

fn write_message(choice: &Choice, object: &mut Object<'_>) {
    let parts = &choice.message.parts;
    write_content(choice, object);
    write_reasoning(parts, object);
    write_calls(parts, object);
    let images: Vec<&Media> = parts
        .iter()
        .filter_map(|part| match &part.kind {
            PartKind::Image(media) => Some(media),
            _ => None,
        })
        .collect();
    if !images.is_empty() {
        object.array("images", |list| {
            for (index, media) in images.iter().enumerate() {
                image(media, index, list);
            }
        });
    }
    write_audio(choice, object);
    write_citations(parts, object);
    write_native(parts, object);
    for (name, value) in &choice.message.extra.0 {
        object.value(name, value);
    }
}

/// Spoken output of other dialects, as OpenAI shows its own; it cannot be named in a later request, so
/// it has no id and no time until which it could be.
fn write_audio(choice: &Choice, object: &mut Object<'_>) {
    let spoken = choice.message.parts.iter().find_map(audio);
    if let Some(data) = spoken.filter(|_| choice.message.extra.value("audio").is_none()) {
        object.object("audio", |audio| spoken_members(data, audio));
    }
}

/// The data of a part that is sound.
pub(crate) fn audio(part: &Part) -> Option<&str> {
    match &part.kind {
        PartKind::Audio(Media { source: MediaSource::Base64(data), .. }) => Some(data),
        _ => None,
    }
}

/// Writes the members of `audio`.
pub(crate) fn spoken_members(data: &str, audio: &mut Object<'_>) {
    audio.text("id", "");
    audio.text("data", data);
    audio.value("expires_at", &0);
    audio.text("transcript", "");
}

/// All text as one string, null when there is none; refusals apart.
fn write_content(choice: &Choice, object: &mut Object<'_>) {
    let parts = &choice.message.parts;
    let has_text = parts.iter().any(|part| matches!(part.kind, PartKind::Text { .. }));
    object.value("content", &has_text.then(|| choice.message.text()));
    let refusal: String = parts
        .iter()
        .filter_map(|part| match &part.kind {
            PartKind::Refusal { text } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    object.value("refusal", &Some(refusal).filter(|text| !text.is_empty()));
}

/// `reasoning_content` for reading, `thinking_blocks` (with signatures) to be sent back.
fn write_reasoning(parts: &[Part], object: &mut Object<'_>) {
    let mut plain = String::new();
    let mut opaque = false;
    for part in parts {
        match &part.kind {
            PartKind::Reasoning { text, .. } => {
                plain.push_str(text);
                opaque |= part.signature.is_some();
            }
            PartKind::RedactedReasoning { .. } => opaque = true,
            _ => {}
        }
    }
    if !plain.is_empty() {
        object.text("reasoning_content", &plain);
    }
    if opaque {
        object.array("thinking_blocks", |list| {
            for part in parts {
                thinking_block(part, list);
            }
        });
    }
}

/// One of LiteLLM's `thinking_blocks`; nothing for other parts.
pub(crate) fn thinking_block(part: &Part, list: &mut Array<'_>) {
    match &part.kind {
        PartKind::Reasoning { text, .. } => list.object(|block| {
            block.text("type", "thinking");
            block.text("thinking", text);
            block.some("signature", part.signature.as_ref());
        }),
        PartKind::RedactedReasoning { data } => list.object(|block| {
            block.text("type", "redacted_thinking");
            block.text("data", data);
        }),
        _ => {}
    }
}

fn write_calls(parts: &[Part], object: &mut Object<'_>) {
    let calls = || {
        parts.iter().filter_map(|part| match &part.kind {
            PartKind::ToolCall(call) => Some((part, call)),
            _ => None,
        })
    };
    if calls().next().is_none() {
        return;
    }
    object.array("tool_calls", |list| {
        for (part, call) in calls() {
            list.object(|entry| {
                entry.text("id", &call.id);
                write_call(call, entry);
                if let Some(signature) = &part.signature {
                    entry.object("provider_specific_fields", |fields| {
                        fields.text("thought_signature", signature);
                    });
                }
            });
        }
    });
}

/// Web sources become `annotations`; other citations stay as their vendor wrote them.
fn write_citations(parts: &[Part], object: &mut Object<'_>) {
    let cited = || {
        parts.iter().flat_map(|part| match &part.kind {
            PartKind::Text { citations, .. } => citations.as_slice(),
            _ => &[],
        })
    };
    let annotations: Vec<Value> = cited().filter_map(annotation).collect();
    if !annotations.is_empty() {
        object.value("annotations", &annotations);
    }
    let others: Vec<&Value> = cited()
        .filter(|cited| annotation(cited).is_none())
        .filter_map(|cited| cited.native.as_ref())
        .collect();
    if !others.is_empty() {
        object.object("provider_specific_fields", |fields| fields.value("citations", &others));
    }
}

/// Blocks of other dialects, such as provider-run tools, where LiteLLM puts what OpenAI has no place for.
fn write_native(parts: &[Part], object: &mut Object<'_>) {
    let blocks: Vec<&Value> = parts
        .iter()
        .filter_map(|part| match &part.kind {
            PartKind::Native { value, .. } => Some(value),
            _ => None,
        })
        .collect();
    if !blocks.is_empty() {
        object.value("native_blocks", &blocks);
    }
}

/// The annotation of a citation: its own if OpenAI-like, else a `url_citation` if it has a URL.
pub(crate) fn annotation(cited: &Citation) -> Option<Value> {
    if cited.dialect.as_deref() == Some(DIALECT) {
        return cited.native.clone();
    }
    let url = cited.url.as_deref()?;
    let (start, end) = cited.span.unwrap_or((0, 0));
    let title = cited.title.as_deref().unwrap_or(url);
    let inner = serde_json::json!({"start_index": start, "end_index": end, "url": url, "title": title});
    Some(serde_json::json!({"type": "url_citation", "url_citation": inner}))
}

/// One of the `images` of a message, as OpenRouter and LiteLLM show generated pictures.
pub(crate) fn image(media: &Media, index: usize, list: &mut Array<'_>) {
    let Some(url) = media_url(media, "image/png") else { return };
    list.object(|entry| {
        entry.text("type", "image_url");
        entry.object("image_url", |link| link.text("url", &url));
        entry.value("index", &index);
    });
}
