//! Parts into blocks.

use std::borrow::Cow;

use llm_types::{CacheMark, CacheTtl, Citation, Media, Part, PartKind, ToolCall, ToolResult};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::media::{self, Shape};
use super::{NATIVE, citation_json};
use crate::dialects::calls::input_json;
use crate::write::{Array, Object};

/// How parts are told: what the reader takes.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Voice {
    /// Cache points are written.
    pub(in super::super) cache: bool,
    /// Cache points have a lifetime.
    pub(in super::super) ttl: bool,
    /// Reasoning of the past is read.
    pub(in super::super) thoughts: bool,
    /// Sound can be heard.
    pub(in super::super) audio: bool,
    /// Titles of documents are shown; without it documents get a name that says nothing.
    pub(in super::super) titles: bool,
    /// Reasoning without a signature is written.
    pub(in super::super) unsigned: bool,
}

impl Voice {
    /// How a caller is answered: it takes all.
    pub(in super::super) const ANSWER: Self =
        Self { cache: true, ttl: true, thoughts: true, audio: true, titles: true, unsigned: true };
}

/// What becomes of a part on this wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Wanted {
    /// It is written.
    Yes,
    /// It says nothing here and is left out: blank text, reasoning without a signature.
    No,
    /// It cannot be said here; the words name it.
    Cannot(&'static str),
}

/// What becomes of a part.
pub(in super::super) fn wanted(part: &Part, voice: Voice) -> Wanted {
    match &part.kind {
        // The vendor refuses blank text.
        PartKind::Text { text, .. } | PartKind::Refusal { text } if text.trim().is_empty() => Wanted::No,
        PartKind::Reasoning { .. } | PartKind::RedactedReasoning { .. } if !voice.thoughts => Wanted::No,
        PartKind::Reasoning { .. } if part.signature.is_none() && !voice.unsigned => Wanted::No,
        PartKind::Image(media) => said(media, Shape::Image, voice),
        PartKind::Document(media) => said(media, Shape::Document, voice),
        PartKind::Video(media) => said(media, Shape::Video, voice),
        PartKind::Audio(media) => said(media, Shape::Audio, voice),
        PartKind::Native { dialect, value } if dialect != NATIVE && guarded_text(value).is_none() => {
            Wanted::Cannot("another vendor's content block")
        }
        _ => Wanted::Yes,
    }
}

fn said(media: &Media, called: Shape, voice: Voice) -> Wanted {
    let shape = Shape::of(media, called);
    match (shape, media::can_be_said(media, shape)) {
        (Shape::Audio, _) if !voice.audio => Wanted::Cannot("audio input"),
        (_, true) => Wanted::Yes,
        (Shape::Image, false) => Wanted::Cannot("a picture by URL or file id"),
        (Shape::Document, false) => Wanted::Cannot("a document by URL or file id"),
        (Shape::Video, false) => Wanted::Cannot("a video by URL or file id"),
        (Shape::Audio, false) => Wanted::Cannot("audio by URL or file id"),
    }
}

/// LiteLLM's `guarded_text` parts: text that the guardrail looks at.
fn guarded_text(value: &Value) -> Option<&str> {
    let is_guarded = value.get("type").and_then(Value::as_str) == Some("guarded_text");
    value.get("text").and_then(Value::as_str).filter(|_| is_guarded)
}

/// Whether a part is a tool's result, which must stand before all else in its turn.
pub(in super::super) fn tool_result_first(part: &Part) -> bool {
    matches!(part.kind, PartKind::ToolResult(_))
}

/// The text of a part that is nothing else.
pub(super) fn plain_text(part: &Part) -> Option<&str> {
    match &part.kind {
        PartKind::Text { text, .. } | PartKind::Refusal { text } => Some(text),
        _ => None,
    }
}

/// Writes one block, and a cache point behind it where the part is marked. Parts that are not
/// [`wanted`] write nothing.
pub(in super::super) fn part(out: &mut Array<'_>, part: &Part, voice: Voice) {
    if wanted(part, voice) != Wanted::Yes {
        return;
    }
    block(out, part, voice);
    if let Some(mark) = mark(part).filter(|_| voice.cache) {
        cache_point(out, CacheMark { ttl: mark.ttl.filter(|_| voice.ttl) });
    }
}

/// The mark of a part. A result has no marks inside: one there stands behind the result.
fn mark(part: &Part) -> Option<CacheMark> {
    match &part.kind {
        PartKind::ToolResult(result) => part.cache.or(result.parts.last().and_then(|last| last.cache)),
        _ => part.cache,
    }
}

/// Writes a cache point.
pub(in super::super) fn cache_point(out: &mut Array<'_>, mark: CacheMark) {
    out.object(|block| {
        block.object("cachePoint", |point| {
            point.text("type", "default");
            match mark.ttl {
                Some(CacheTtl::FiveMinutes) => point.text("ttl", "5m"),
                Some(CacheTtl::OneHour) => point.text("ttl", "1h"),
                None => {}
            }
        });
    });
}

fn block(out: &mut Array<'_>, part: &Part, voice: Voice) {
    match &part.kind {
        PartKind::Text { text, citations } if !citations.is_empty() => cited(out, text, citations),
        PartKind::Text { text, .. } | PartKind::Refusal { text } => {
            out.object(|block| block.text("text", text));
        }
        PartKind::Image(media) => self::media(out, part, media, Shape::Image, voice),
        PartKind::Document(media) => self::media(out, part, media, Shape::Document, voice),
        PartKind::Video(media) => self::media(out, part, media, Shape::Video, voice),
        PartKind::Audio(media) => self::media(out, part, media, Shape::Audio, voice),
        PartKind::Reasoning { text, .. } => out.object(|block| {
            block.object("reasoningContent", |content| {
                content.object("reasoningText", |said| {
                    said.text("text", text);
                    said.some("signature", part.signature.as_ref());
                });
            });
        }),
        PartKind::RedactedReasoning { data } => out.object(|block| {
            block.object("reasoningContent", |content| content.text("redactedContent", &blob(data)));
        }),
        PartKind::ToolCall(call) => out.object(|block| block.object("toolUse", |body| tool_use(body, call))),
        PartKind::ToolResult(result) => {
            out.object(|block| block.object("toolResult", |body| tool_result(body, result, voice)));
        }
        PartKind::Native { dialect, value } if dialect == NATIVE => out.value(value),
        PartKind::Native { value, .. } => {
            let text = guarded_text(value).unwrap_or_default();
            out.object(|block| {
                block.object("guardContent", |content| {
                    content.object("text", |said| said.text("text", text));
                });
            });
        }
    }
}

/// Opaque data as base64: other vendors' may be plain text.
fn blob(data: &str) -> Cow<'_, str> {
    let is_base64 = data.len().is_multiple_of(4)
        && data.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
    if is_base64 { Cow::Borrowed(data) } else { Cow::Owned(media::encoded(data)) }
}

fn cited(out: &mut Array<'_>, text: &str, citations: &[Citation]) {
    out.object(|block| {
        block.object("citationsContent", |content| {
            content.array("content", |list| list.object(|part| part.text("text", text)));
            content.array("citations", |list| {
                for citation in citations {
                    list.value(&*citation_json(citation));
                }
            });
        });
    });
}

fn media(out: &mut Array<'_>, part: &Part, media: &Media, called: Shape, voice: Voice) {
    let shape = Shape::of(media, called);
    out.object(|block| {
        block.object(shape.name(), |body| {
            if shape == Shape::Document {
                let title = media.title.as_deref().filter(|_| voice.titles).and_then(media::clean_name);
                body.text("name", &title.unwrap_or_else(|| media::neutral_name(media)));
            }
            media::write(body, media, shape, part.extra.value("bucketOwner"));
            if shape == Shape::Document {
                body.some("context", media.context.as_ref());
                if let Some(cite) = media.cite {
                    body.object("citations", |citations| citations.value("enabled", &cite));
                }
            }
        });
    });
}

/// The longest tool id the vendor takes.
const ID_LIMIT: usize = 64;

/// Tool ids the wire takes hold letters, digits, `_`, `.`, `:` and `-`, and at most 64 of them; the same
/// change for a call and its result keeps them together.
fn tool_id(id: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-');
    if !id.is_empty() && id.len() <= ID_LIMIT && id.chars().all(plain) {
        return Cow::Borrowed(id);
    }
    let mut clean: String = id.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    if clean.len() > ID_LIMIT {
        let hash = Sha256::digest(id);
        clean.truncate(ID_LIMIT - 17);
        clean.push('_');
        clean.extend(hash[..8].iter().map(|byte| format!("{byte:02x}")));
    }
    Cow::Owned(if clean.is_empty() { "_".to_owned() } else { clean })
}

fn tool_use(body: &mut Object<'_>, call: &ToolCall) {
    body.text("toolUseId", &tool_id(&call.id));
    body.text("name", &call.name);
    body.raw("input", input_json(call).as_bytes());
}

fn tool_result(body: &mut Object<'_>, result: &ToolResult, voice: Voice) {
    body.text("toolUseId", &tool_id(&result.call_id));
    body.array("content", |list| {
        let mut said = false;
        for inner in result.parts.iter().filter(|inner| wanted(inner, voice) == Wanted::Yes) {
            block(list, inner, voice);
            said = true;
        }
        if !said {
            list.object(|block| block.text("text", ""));
        }
    });
    if let Some(is_error) = result.is_error {
        body.text("status", if is_error { "error" } else { "success" });
    }
}
