//! Parts into blocks.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use llm_types::{CacheMark, CacheTtl, Citation, Media, MediaSource, Part, PartKind, ToolCall, ToolResult};
use serde_json::Value;

use super::NATIVE;
use crate::dialects::calls::input_json;
use crate::dialects::openai::responses::is_sealed;
use crate::write::{Array, Object};

/// Members of blocks that have no canonical form and are sent on. Others are left out: the vendor
/// refuses members it does not know, and other dialects' parts carry many.
pub(in super::super) const KEPT: &[&str] = &["caller", "toolset_name", "transformations"];

/// What becomes of a part on this wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Wanted {
    /// It is written.
    Yes,
    /// It says nothing here and is left out: empty text, reasoning without a signature.
    No,
    /// It cannot be said here; the words name it.
    Cannot(&'static str),
}

/// What becomes of a part in a request.
pub(in super::super) fn wanted(part: &Part) -> Wanted {
    match &part.kind {
        PartKind::Text { text, .. } | PartKind::Refusal { text } if text.is_empty() => Wanted::No,
        PartKind::Reasoning { .. } if part.signature.as_deref().is_none_or(is_sealed) => Wanted::No,
        PartKind::RedactedReasoning { data } if is_sealed(data) => Wanted::No,
        PartKind::Audio(_) => Wanted::Cannot("audio input"),
        PartKind::Video(_) => Wanted::Cannot("video input"),
        PartKind::Native { dialect, .. } if dialect != NATIVE => {
            Wanted::Cannot("another vendor's content block")
        }
        _ => Wanted::Yes,
    }
}

/// Whether a part is a tool's result, which must stand before all else in its turn.
pub(in super::super) fn tool_result_first(part: &Part) -> bool {
    matches!(part.kind, PartKind::ToolResult(_))
}

/// Whether a part is a document with a title. In other dialects that is a file's name, which LiteLLM
/// does not show to the model.
pub(in super::super) fn is_named_file(part: &Part) -> bool {
    matches!(&part.kind, PartKind::Document(media) if media.title.is_some())
}

/// The document without its title.
pub(in super::super) fn without_name(part: &Part) -> Part {
    let mut part = part.clone();
    if let PartKind::Document(media) = &mut part.kind {
        media.title = None;
    }
    part
}

/// Writes one block; parts that are not [`wanted`] write nothing.
pub(in super::super) fn part(out: &mut Array<'_>, part: &Part) {
    match &part.kind {
        PartKind::Text { text, citations } => out.object(|block| self::text(block, part, text, citations)),
        PartKind::Refusal { text } => out.object(|block| self::text(block, part, text, &[])),
        PartKind::Image(media) | PartKind::Document(media) => {
            let is_document = is_document(media, matches!(part.kind, PartKind::Document(_)));
            out.object(|block| self::media(block, part, media, is_document));
        }
        PartKind::Reasoning { text, .. } => out.object(|block| {
            block.text("type", "thinking");
            block.text("thinking", text);
            block.text("signature", part.signature.as_deref().unwrap_or_default());
        }),
        PartKind::RedactedReasoning { data } => out.object(|block| {
            block.text("type", "redacted_thinking");
            block.text("data", data);
        }),
        PartKind::ToolCall(call) => out.object(|block| tool_use(block, part, call)),
        PartKind::ToolResult(result) => out.object(|block| tool_result(block, part, result)),
        PartKind::Native { dialect, value } if dialect == NATIVE => out.value(value),
        PartKind::Native { .. } | PartKind::Audio(_) | PartKind::Video(_) => {}
    }
}

fn marks(block: &mut Object<'_>, part: &Part) {
    for name in KEPT {
        block.some(name, part.extra.value(name));
    }
    cache(block, part.cache);
}

/// Writes `cache_control`.
pub(in super::super) fn cache(out: &mut Object<'_>, mark: Option<CacheMark>) {
    let Some(mark) = mark else { return };
    out.object("cache_control", |control| {
        control.text("type", "ephemeral");
        match mark.ttl {
            Some(CacheTtl::FiveMinutes) => control.text("ttl", "5m"),
            Some(CacheTtl::OneHour) => control.text("ttl", "1h"),
            None => {}
        }
    });
}

fn text(block: &mut Object<'_>, part: &Part, text: &str, citations: &[Citation]) {
    block.text("type", "text");
    block.text("text", text);
    if !citations.is_empty() {
        block.array("citations", |list| {
            for citation in citations {
                list.value(&*citation_json(citation));
            }
        });
    }
    marks(block, part);
}

/// A citation in the wire's form: its own, or the nearest form that says what is known.
pub(in super::super) fn citation_json(citation: &Citation) -> Cow<'_, Value> {
    if let (Some(NATIVE), Some(native)) = (citation.dialect.as_deref(), &citation.native) {
        return Cow::Borrowed(native);
    }
    let cited = citation.cited_text.as_deref().unwrap_or_default();
    let (start, end) = citation.span.unwrap_or_default();
    Cow::Owned(match (&citation.url, citation.document) {
        (None, Some(document)) => serde_json::json!({
            "type": "char_location", "cited_text": cited, "document_index": document,
            "document_title": citation.title, "start_char_index": start, "end_char_index": end,
        }),
        (url, _) => serde_json::json!({
            "type": "web_search_result_location", "cited_text": cited, "url": url.as_deref().unwrap_or_default(),
            "title": citation.title, "encrypted_index": "",
        }),
    })
}

/// Whether media go as a document: what they are counts more than what the caller called them.
fn is_document(media: &Media, called_document: bool) -> bool {
    match media.mime.as_deref() {
        Some(mime) if mime.starts_with("image/") => false,
        Some(mime) if mime == "application/pdf" || mime.starts_with("text/") => true,
        _ => called_document,
    }
}

fn media(block: &mut Object<'_>, part: &Part, media: &Media, is_document: bool) {
    block.text("type", if is_document { "document" } else { "image" });
    block.object("source", |source| self::source(source, media, is_document));
    if is_document {
        block.some("title", media.title.as_ref());
        block.some("context", media.context.as_ref());
        if let Some(cite) = media.cite {
            block.object("citations", |citations| citations.value("enabled", &cite));
        }
    }
    marks(block, part);
}

fn source(out: &mut Object<'_>, media: &Media, is_document: bool) {
    match &media.source {
        MediaSource::Base64(data) => base64(out, data, media.mime.as_deref(), is_document),
        MediaSource::Url(url) => match data_url(url) {
            Some((mime, data)) => base64(out, data, Some(mime), is_document),
            None => {
                out.text("type", "url");
                out.text("url", url);
            }
        },
        MediaSource::FileId(id) if id.starts_with("https://") || id.starts_with("http://") => {
            out.text("type", "url");
            out.text("url", id);
        }
        MediaSource::FileId(id) => {
            out.text("type", "file");
            out.text("file_id", id);
        }
        MediaSource::Text(text) => plain_text(out, text),
        MediaSource::Parts(parts) => {
            out.text("type", "content");
            out.array("content", |list| parts.iter().for_each(|inner| part(list, inner)));
        }
    }
}

fn plain_text(out: &mut Object<'_>, text: &str) {
    out.text("type", "text");
    out.text("media_type", "text/plain");
    out.text("data", text);
}

fn base64(out: &mut Object<'_>, data: &str, mime: Option<&str>, is_document: bool) {
    if mime.is_some_and(|mime| mime.starts_with("text/")) {
        let decoded = BASE64_STANDARD.decode(data).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some(text) = decoded {
            return plain_text(out, &text);
        }
    }
    out.text("type", "base64");
    out.text("media_type", mime.unwrap_or_else(|| sniff(data, is_document)));
    out.text("data", data);
}

/// The type of media that came without one, by how their base64 text begins.
fn sniff(data: &str, is_document: bool) -> &'static str {
    const BEGINNINGS: &[(&str, &str)] = &[
        ("/9j/", "image/jpeg"),
        ("JVBERi0", "application/pdf"),
        ("R0lGOD", "image/gif"),
        ("UklGR", "image/webp"),
        ("iVBORw0KGgo", "image/png"),
    ];
    let known = BEGINNINGS.iter().find(|(beginning, _)| data.starts_with(beginning));
    known.map_or(if is_document { "application/pdf" } else { "image/png" }, |(_, mime)| mime)
}

/// The type and base64 text of a `data:` URL.
fn data_url(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    Some((head.strip_suffix(";base64")?.split(';').next()?, data))
}

/// Tool ids the wire takes hold letters, digits, `_` and `-` only; the same change for a call and its
/// result keeps them together.
fn tool_id(id: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !id.is_empty() && id.chars().all(plain) {
        return Cow::Borrowed(id);
    }
    let id: String = id.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    Cow::Owned(if id.is_empty() { "_".to_owned() } else { id })
}

fn tool_use(block: &mut Object<'_>, part: &Part, call: &ToolCall) {
    block.text("type", "tool_use");
    block.text("id", &tool_id(&call.id));
    block.text("name", &call.name);
    block.raw("input", input_json(call).as_bytes());
    marks(block, part);
}

fn tool_result(block: &mut Object<'_>, part: &Part, result: &ToolResult) {
    block.text("type", "tool_result");
    block.text("tool_use_id", &tool_id(&result.call_id));
    match result.parts.as_slice() {
        [] => block.text("content", ""),
        [Part { kind: PartKind::Text { text, citations }, cache: None, .. }] if citations.is_empty() => {
            block.text("content", text);
        }
        parts => block.array("content", |list| {
            let said = parts.iter().filter(|inner| wanted(inner) == Wanted::Yes);
            said.for_each(|inner| self::part(list, inner));
        }),
    }
    block.some("is_error", result.is_error.as_ref());
    marks(block, part);
}
