//! Canonical parts into wire parts.

use llm_types::{Media, MediaSource, Part, PartKind, ToolCall};
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::wire::{NATIVE, base64_of, mime_of_address, redacted_out, signature_out};
use crate::Target;
use crate::media::MediaKind;
use crate::write::{Array, Object};

/// Members of parts that have no canonical form and are sent on.
pub(in super::super) const KEPT: &[&str] =
    &["mediaProcessing", "mediaResolution", "partMetadata", "videoMetadata"];

/// Where files of the vendor's own store are.
const FILES: &str = "https://generativelanguage.googleapis.com/v1beta/";

/// What becomes of a part on this wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Wanted {
    /// It is written.
    Yes,
    /// It says nothing here and is left out: reasoning only another vendor can read.
    No,
    /// It cannot be said here; the words name it.
    Cannot(&'static str),
}

/// What becomes of a part in a request.
pub(in super::super) fn wanted(part: &Part) -> Wanted {
    match &part.kind {
        PartKind::RedactedReasoning { .. } => Wanted::No,
        PartKind::Reasoning { text, .. } if text.is_empty() => Wanted::No,
        PartKind::Native { dialect, .. } if dialect != NATIVE => {
            Wanted::Cannot("another vendor's content block")
        }
        PartKind::Image(media)
        | PartKind::Audio(media)
        | PartKind::Video(media)
        | PartKind::Document(media) => match &media.source {
            MediaSource::FileId(id) if !id.starts_with("files/") => {
                Wanted::Cannot("a file stored at another vendor")
            }
            MediaSource::Parts(parts) => parts.iter().map(wanted).find(cannot).unwrap_or(Wanted::Yes),
            _ => Wanted::Yes,
        },
        PartKind::ToolResult(result) => result.parts.iter().map(wanted).find(cannot).unwrap_or(Wanted::Yes),
        _ => Wanted::Yes,
    }
}

fn cannot(wanted: &Wanted) -> bool {
    matches!(wanted, Wanted::Cannot(_))
}

/// Writes one part. Results of tools are written where their calls are known.
pub(in super::super) fn part(list: &mut Array<'_>, part: &Part) {
    match &part.kind {
        PartKind::Text { text, .. } | PartKind::Refusal { text } => list.object(|out| {
            out.text("text", text);
            marks(out, part);
        }),
        PartKind::Reasoning { text, .. } => list.object(|out| {
            out.value("thought", &true);
            out.text("text", text);
            marks(out, part);
        }),
        PartKind::RedactedReasoning { data } => list.object(|out| {
            out.value("thought", &true);
            out.text("text", "");
            out.text("thoughtSignature", &redacted_out(data));
        }),
        PartKind::Image(media)
        | PartKind::Audio(media)
        | PartKind::Video(media)
        | PartKind::Document(media) => self::media(list, part, media, |_| {}),
        PartKind::ToolCall(call) => list.object(|out| {
            out.object("functionCall", |inner| self::call(inner, call, Some(&call.id)));
            marks(out, part);
        }),
        PartKind::Native { dialect, value } if dialect == NATIVE => list.value(value),
        PartKind::Native { .. } | PartKind::ToolResult(_) => {}
    }
}

/// Writes the signature and what else a part carries.
fn marks(out: &mut Object<'_>, part: &Part) {
    if let Some(signature) = &part.signature {
        out.text("thoughtSignature", &signature_out(signature));
    }
    for name in KEPT {
        out.some(name, part.extra.value(name));
    }
}

/// Writes media, with what `more` adds beside them; documents made of parts become these parts.
pub(in super::super) fn media(
    list: &mut Array<'_>,
    part: &Part,
    media: &Media,
    more: impl Fn(&mut Object<'_>),
) {
    if let MediaSource::Parts(parts) = &media.source {
        parts.iter().for_each(|inner| self::part(list, inner));
        return;
    }
    list.object(|out| {
        match inline_data(media, default_mime(&part.kind)) {
            Some((mime, data)) => out.object("inlineData", |inline| {
                inline.text("mimeType", &mime);
                inline.text("data", &data);
            }),
            None => out.object("fileData", |file| file_data(file, media)),
        }
        more(out);
        marks(out, part);
    });
}

/// The type of media that do not state theirs.
fn default_mime(kind: &PartKind) -> &'static str {
    match kind {
        PartKind::Image(_) => "image/png",
        PartKind::Audio(_) => "audio/wav",
        PartKind::Video(_) => "video/mp4",
        _ => "application/pdf",
    }
}

/// The type and data of media that are sent along; `None` for those the provider fetches.
pub(in super::super) fn inline_data(media: &Media, default_mime: &str) -> Option<(String, String)> {
    match &media.source {
        MediaSource::Base64(data) => {
            Some((media.mime.clone().unwrap_or_else(|| default_mime.to_owned()), data.clone()))
        }
        MediaSource::Text(text) => Some(("text/plain".to_owned(), base64_of(text))),
        MediaSource::Url(_) | MediaSource::FileId(_) | MediaSource::Parts(_) => None,
    }
}

/// Whether the provider fetches what stands at a URL: AI Studio its own store's files and what its video
/// service has, Vertex AI all. Neither fetches what has no type.
pub(in super::super) fn takes_url(kind: MediaKind, url: &str, target: &Target) -> bool {
    const ITS_OWN: [&str; 4] = [
        "https://generativelanguage.googleapis.com/",
        "https://www.youtube.com/",
        "https://youtube.com/",
        "https://youtu.be/",
    ];
    let is_its_own = ITS_OWN.iter().any(|start| url.starts_with(start));
    let has_type = kind == MediaKind::Video || mime_of_address(url).is_some();
    is_its_own || (has_type && !target.spec.quirks.no_media_urls)
}

/// Writes the members of `fileData`.
pub(in super::super) fn file_data(file: &mut Object<'_>, media: &Media) {
    let address = match &media.source {
        MediaSource::FileId(id) => format!("{FILES}{id}"),
        MediaSource::Url(address) => address.clone(),
        MediaSource::Base64(_) | MediaSource::Text(_) | MediaSource::Parts(_) => return,
    };
    let mime = media.mime.as_deref().or_else(|| mime_of_address(&address));
    file.some("mimeType", mime.as_ref());
    file.text("fileUri", &address);
}

/// Writes the members of `functionCall`. Arguments that are no object are put into one: the wire has
/// no place for others.
pub(in super::super) fn call(out: &mut Object<'_>, call: &ToolCall, id: Option<&str>) {
    out.some("id", id.as_ref());
    out.text("name", &call.name);
    let arguments = call.arguments.trim();
    if call.custom {
        out.object("args", |args| args.text("input", &call.arguments));
    } else if matches!(arguments, "" | "null") {
        out.object("args", |_| {});
    } else {
        match serde_json::from_str::<&RawValue>(arguments) {
            Ok(raw) if raw.get().starts_with('{') => out.value("args", raw),
            Ok(raw) => out.object("args", |args| args.value("value", raw)),
            Err(_) => {
                let text = Value::from(call.arguments.as_str());
                out.object("args", |args| args.value("arguments", &text));
            }
        }
    }
}
