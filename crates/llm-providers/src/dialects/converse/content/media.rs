//! Formats of media: this dialect's short names and MIME types, and where the bytes are.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use llm_types::{Media, MediaSource};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::write::Object;

/// Names of formats and the MIME types they stand for; the first of a name or type counts.
const FORMATS: &[(&str, &str)] = &[
    ("png", "image/png"),
    ("jpeg", "image/jpeg"),
    ("jpeg", "image/jpg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("pdf", "application/pdf"),
    ("csv", "text/csv"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("html", "text/html"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("mp4", "video/mp4"),
    ("mkv", "video/x-matroska"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
    ("flv", "video/x-flv"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpg"),
    ("wmv", "video/x-ms-wmv"),
    ("three_gp", "video/3gpp"),
    ("mp3", "audio/mpeg"),
    ("mp3", "audio/mp3"),
    ("wav", "audio/wav"),
    ("wav", "audio/x-wav"),
    ("opus", "audio/opus"),
    ("aac", "audio/aac"),
    ("x-aac", "audio/x-aac"),
    ("flac", "audio/flac"),
    ("ogg", "audio/ogg"),
    ("m4a", "audio/m4a"),
    ("mka", "audio/x-matroska"),
    ("pcm", "audio/pcm"),
    ("mp4", "audio/mp4"),
    ("webm", "audio/webm"),
    ("mkv", "audio/mkv"),
    ("mpeg", "audio/x-mpeg"),
    ("mpga", "audio/mpga"),
];

/// What media are: the blocks there are for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Image,
    Document,
    Video,
    Audio,
}

impl Shape {
    /// The block's name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Document => "document",
            Self::Video => "video",
            Self::Audio => "audio",
        }
    }

    const fn has(self, mime: &str) -> bool {
        matches!(
            (self, mime.as_bytes()),
            (Self::Image, [b'i', b'm', ..])
                | (Self::Video, [b'v', ..])
                | (Self::Audio, [b'a', b'u', ..])
                | (Self::Document, [b'a', b'p', ..] | [b't', ..])
        )
    }

    /// What media are by their type; `called` is what the caller called them.
    pub(super) fn of(media: &Media, called: Self) -> Self {
        let mime = match &media.source {
            MediaSource::Url(url) => data_url(url).map(|(mime, _)| mime).or(media.mime.as_deref()),
            _ => media.mime.as_deref(),
        };
        let Some(mime) = mime else { return called };
        [Self::Image, Self::Video, Self::Audio].into_iter().find(|shape| shape.has(mime)).unwrap_or_else(
            || {
                let is_document =
                    FORMATS.iter().any(|(_, known)| *known == mime && Self::Document.has(known));
                if is_document { Self::Document } else { called }
            },
        )
    }

    /// The name of a format of this shape; that of the bytes themselves where the type is not known.
    fn format(self, mime: Option<&str>, data: &str) -> String {
        let mime = mime.map(|mime| mime.split(';').next().unwrap_or(mime).trim());
        let known = FORMATS.iter().find(|(_, known)| self.has(known) && Some(*known) == mime);
        match (known, mime.and_then(|mime| mime.split_once('/'))) {
            (Some((format, _)), _) => (*format).to_owned(),
            (None, Some((_, format))) => format.to_owned(),
            (None, None) => self.sniffed(data).to_owned(),
        }
    }

    /// The format of media that came without a type, by how their base64 text begins.
    fn sniffed(self, data: &str) -> &'static str {
        const BEGINNINGS: &[(&str, &str)] = &[
            ("/9j/", "jpeg"),
            ("JVBERi0", "pdf"),
            ("R0lGOD", "gif"),
            ("UklGR", "webp"),
            ("iVBORw0KGgo", "png"),
        ];
        let known = BEGINNINGS.iter().find(|(beginning, _)| data.starts_with(beginning));
        let usual = match self {
            Self::Image => "png",
            Self::Document => "pdf",
            Self::Video => "mp4",
            Self::Audio => "wav",
        };
        known.map_or(usual, |(_, format)| format)
    }
}

/// The MIME type of a format's name; names that are not known are kept behind the kind of media.
pub(super) fn mime_of(shape: Shape, format: &str) -> String {
    let known = FORMATS.iter().find(|(name, mime)| *name == format && shape.has(mime));
    let kind = if shape == Shape::Document { "application" } else { shape.name() };
    known.map_or_else(|| format!("{kind}/{format}"), |(_, mime)| (*mime).to_owned())
}

/// The MIME type of a picture's format.
pub(in super::super) fn image_mime(format: &str) -> String {
    mime_of(Shape::Image, format)
}

/// The type and base64 text of a `data:` URL.
fn data_url(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    Some((head.strip_suffix(";base64")?.split(';').next()?, data))
}

/// Whether the dialect can say where these media are: bytes, text, or an object in S3.
pub(super) fn can_be_said(media: &Media, shape: Shape) -> bool {
    match &media.source {
        MediaSource::Base64(_) => true,
        MediaSource::Url(url) => url.starts_with("s3://") || data_url(url).is_some(),
        MediaSource::Text(_) | MediaSource::Parts(_) => shape == Shape::Document,
        MediaSource::FileId(_) => false,
    }
}

/// Writes `format` and `source` of a block; `owner` is the account an object in S3 belongs to.
pub(super) fn write(block: &mut Object<'_>, media: &Media, shape: Shape, owner: Option<&Value>) {
    let mime = media.mime.as_deref();
    match &media.source {
        MediaSource::Base64(data) => bytes(block, &shape.format(mime, data), data),
        MediaSource::Url(url) => match data_url(url) {
            Some((mime, data)) => bytes(block, &shape.format(Some(mime), data), data),
            None => {
                let format = mime.map_or_else(|| by_name(shape, url), |mime| shape.format(Some(mime), ""));
                block.text("format", &format);
                block.object("source", |source| {
                    source.object("s3Location", |place| {
                        place.text("uri", url);
                        place.some("bucketOwner", owner);
                    });
                });
            }
        },
        MediaSource::Text(text) => {
            block.text("format", "txt");
            block.object("source", |source| source.text("text", text));
        }
        MediaSource::Parts(parts) => {
            block.text("format", "txt");
            block.object("source", |source| {
                source.array("content", |list| {
                    for text in parts.iter().filter_map(super::write::plain_text) {
                        list.object(|part| part.text("text", text));
                    }
                });
            });
        }
        MediaSource::FileId(_) => {}
    }
}

fn bytes(block: &mut Object<'_>, format: &str, data: &str) {
    block.text("format", format);
    block.object("source", |source| source.text("bytes", data));
}

/// The format an object's name ends with.
fn by_name(shape: Shape, url: &str) -> String {
    let name = url.rsplit('/').next().unwrap_or_default();
    match name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).as_deref() {
        Some("jpg") => "jpeg".to_owned(),
        Some("3gp") => "three_gp".to_owned(),
        Some(end) if !end.is_empty() => end.to_owned(),
        _ => shape.sniffed("").to_owned(),
    }
}

/// How much of a document its name is made of, in bytes.
const NAMED_BY: usize = 64 << 10;

/// A name for a document that says nothing to the model and stays the same from call to call, so that
/// prompts stay cached: LiteLLM's, made of the content.
pub(super) fn neutral_name(media: &Media) -> String {
    let (format, data) = match &media.source {
        MediaSource::Base64(data) => (Shape::Document.format(media.mime.as_deref(), data), data.as_str()),
        MediaSource::Url(url) => {
            let (mime, data) =
                data_url(url).map_or((media.mime.as_deref(), &**url), |(mime, data)| (Some(mime), data));
            (Shape::Document.format(mime, data), data)
        }
        MediaSource::Text(text) => ("txt".to_owned(), text.as_str()),
        MediaSource::FileId(id) => ("pdf".to_owned(), id.as_str()),
        MediaSource::Parts(_) => ("txt".to_owned(), "parts"),
    };
    let mut hash = Sha256::new();
    hash.update(&data.as_bytes()[..data.len().min(NAMED_BY)]);
    hash.update(data.len().to_string());
    let hash: String = hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("DocumentPDFmessages_{hash}_{format}")
}

/// A title as the vendor takes names: letters, digits, single blanks, hyphens, brackets; at most 200.
pub(super) fn clean_name(title: &str) -> Option<String> {
    let mut name = String::with_capacity(title.len());
    for letter in title.chars().take(200) {
        match letter {
            c if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '(' | ')' | '[' | ']') => name.push(c),
            _ if name.ends_with(' ') => {}
            _ => name.push(' '),
        }
    }
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// Text as the base64 some blocks demand.
pub(super) fn encoded(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}
