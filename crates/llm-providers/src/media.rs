//! Media that a provider cannot fetch: which they are, of which type their bytes are, and how the bytes take
//! the URL's place in a request. Fetching itself is the caller's: nothing here does I/O.

use std::collections::HashMap;

use llm_types::{ChatRequest, Media, MediaSource, Part, PartKind};

use crate::{Dialect, Target};

/// What a caller says media are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// A picture.
    Image,
    /// Sound.
    Audio,
    /// A film.
    Video,
    /// A document.
    Document,
}

impl MediaKind {
    /// The kind in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Image => "picture",
            Self::Audio => "sound",
            Self::Video => "video",
            Self::Document => "document",
        }
    }

    /// How MIME types of this kind begin; nothing for documents, which are of many types.
    const fn family(self) -> Option<&'static str> {
        match self {
            Self::Image => Some("image/"),
            Self::Audio => Some("audio/"),
            Self::Video => Some("video/"),
            Self::Document => None,
        }
    }
}

/// Media that must be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Where they are: an `http` or `https` URL.
    pub url: String,
    /// What the caller says they are.
    pub kind: MediaKind,
}

/// Media that were fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Their type ([`type_of`]).
    pub mime: String,
    /// The bytes in base64.
    pub data: String,
}

/// The media of a request that its provider cannot fetch ([`Dialect::takes_url`]), each URL once.
#[must_use]
pub fn wanted(request: &ChatRequest, dialect: &dyn Dialect, target: &Target) -> Vec<Wanted> {
    let mut found: Vec<Wanted> = Vec::new();
    for message in &request.messages {
        for part in &message.parts {
            look(part, &mut |kind, url| {
                if !found.iter().any(|known| known.url == url) && !dialect.takes_url(kind, url, target) {
                    found.push(Wanted { url: url.to_owned(), kind });
                }
            });
        }
    }
    found
}

/// Puts bytes in the place of the URLs they were fetched from, where the provider cannot fetch them.
#[expect(clippy::implicit_hasher, reason = "callers have the usual map")]
pub fn put(
    request: &mut ChatRequest,
    dialect: &dyn Dialect,
    target: &Target,
    fetched: &HashMap<String, Fetched>,
) {
    if fetched.is_empty() {
        return;
    }
    for part in request.messages.iter_mut().flat_map(|message| &mut message.parts) {
        change(part, &mut |kind, media| {
            let Some(url) = url_of(media).filter(|url| !dialect.takes_url(kind, url, target)) else { return };
            let Some(known) = fetched.get(url) else { return };
            media.source = MediaSource::Base64(known.data.clone());
            media.mime = Some(known.mime.clone());
        });
    }
}

/// The URL of media that are somewhere in the web.
fn url_of(media: &Media) -> Option<&str> {
    let (MediaSource::Url(url) | MediaSource::FileId(url)) = &media.source else { return None };
    is_web(url).then_some(url)
}

fn is_web(url: &str) -> bool {
    let begins = |start: &str| url.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
    begins("https://") || begins("http://")
}

fn look<'p>(part: &'p Part, see: &mut impl FnMut(MediaKind, &'p str)) {
    let (kind, media) = match &part.kind {
        PartKind::Image(media) => (MediaKind::Image, media),
        PartKind::Audio(media) => (MediaKind::Audio, media),
        PartKind::Video(media) => (MediaKind::Video, media),
        PartKind::Document(media) => (MediaKind::Document, media),
        PartKind::ToolResult(result) => return result.parts.iter().for_each(|inner| look(inner, see)),
        _ => return,
    };
    if let MediaSource::Parts(parts) = &media.source {
        parts.iter().for_each(|inner| look(inner, see));
    } else if let Some(url) = url_of(media) {
        see(kind, url);
    }
}

fn change(part: &mut Part, with: &mut impl FnMut(MediaKind, &mut Media)) {
    let (kind, media) = match &mut part.kind {
        PartKind::Image(media) => (MediaKind::Image, media),
        PartKind::Audio(media) => (MediaKind::Audio, media),
        PartKind::Video(media) => (MediaKind::Video, media),
        PartKind::Document(media) => (MediaKind::Document, media),
        PartKind::ToolResult(result) => {
            return result.parts.iter_mut().for_each(|inner| change(inner, with));
        }
        _ => return,
    };
    if let MediaSource::Parts(parts) = &mut media.source {
        parts.iter_mut().for_each(|inner| change(inner, with));
    } else {
        with(kind, media);
    }
}

/// The type of fetched bytes: what their server says, unless it says nothing of use or the bytes begin as
/// another type of the same kind does, for vendors look at the bytes.
///
/// # Errors
/// What was found, where it is nothing of the kind: a page with an error in the place of a picture.
pub fn type_of(kind: MediaKind, stated: Option<&str>, url: &str, bytes: &[u8]) -> Result<String, String> {
    let stated = stated.map(|stated| stated.split(';').next().unwrap_or(stated).trim().to_ascii_lowercase());
    let stated = stated.filter(|stated| !stated.is_empty());
    let begun = beginning(bytes);
    let said_nothing = stated.as_deref().is_none_or(is_vague);
    let mime = match kind.family() {
        Some(family) => {
            let fits = |mime: &&str| mime.starts_with(family);
            begun.filter(fits).or(stated.as_deref().filter(fits))
        }
        None if said_nothing => begun.or_else(|| by_name(url)).or_else(|| text_type(bytes)),
        None => begun.filter(|begun| *begun == "application/pdf").or(stated.as_deref()),
    };
    match (mime, stated.as_deref()) {
        (Some("image/jpg"), _) => Ok("image/jpeg".to_owned()),
        (Some(mime), _) => Ok(mime.to_owned()),
        (None, Some(stated)) => Err(format!("`{stated}`")),
        (None, None) => Err("bytes of an unknown type".to_owned()),
    }
}

/// Types that servers state for files they do not know.
fn is_vague(mime: &str) -> bool {
    matches!(
        mime,
        "application/octet-stream"
            | "binary/octet-stream"
            | "application/binary"
            | "application/x-download"
            | "application/force-download"
            | "unknown/unknown"
    )
}

/// The type whose files begin so.
fn beginning(bytes: &[u8]) -> Option<&'static str> {
    const BEGINNINGS: &[(&[u8], &str)] = &[
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"BM", "image/bmp"),
        (b"II*\0", "image/tiff"),
        (b"MM\0*", "image/tiff"),
        (b"%PDF-", "application/pdf"),
        (b"\x1a\x45\xdf\xa3", "video/webm"),
        (b"FLV\x01", "video/x-flv"),
        (b"OggS", "audio/ogg"),
        (b"fLaC", "audio/flac"),
        (b"ID3", "audio/mpeg"),
        (b"\xff\xfb", "audio/mpeg"),
        (b"\xff\xf3", "audio/mpeg"),
    ];
    let boxed = |name: &[u8], at: usize| bytes.get(at..at + name.len()) == Some(name);
    if boxed(b"RIFF", 0) {
        return match bytes.get(8..12) {
            Some(b"WEBP") => Some("image/webp"),
            Some(b"WAVE") => Some("audio/wav"),
            _ => None,
        };
    }
    if boxed(b"ftyp", 4) {
        return Some(match bytes.get(8..12) {
            Some(b"avif") => "image/avif",
            Some(b"heic" | b"heix" | b"mif1") => "image/heic",
            Some(b"M4A ") => "audio/m4a",
            Some(b"qt  ") => "video/quicktime",
            _ => "video/mp4",
        });
    }
    BEGINNINGS.iter().find(|(begin, _)| bytes.starts_with(begin)).map(|(_, mime)| *mime)
}

/// The type of a document by the end of its URL's path.
fn by_name(url: &str) -> Option<&'static str> {
    const ENDS: &[(&str, &str)] = &[
        ("pdf", "application/pdf"),
        ("csv", "text/csv"),
        ("doc", "application/msword"),
        ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("xls", "application/vnd.ms-excel"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("html", "text/html"),
        ("htm", "text/html"),
        ("txt", "text/plain"),
        ("md", "text/markdown"),
    ];
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let end = path.rsplit('/').next()?.rsplit_once('.')?.1.to_ascii_lowercase();
    ENDS.iter().find(|(name, _)| *name == end).map(|(_, mime)| *mime)
}

fn text_type(bytes: &[u8]) -> Option<&'static str> {
    let is_text = !bytes.is_empty() && !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok();
    is_text.then_some("text/plain")
}

#[cfg(test)]
mod tests;
