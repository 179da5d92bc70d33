//! Forms written anew.

use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

use http::HeaderValue;
use llm_types::{Kept, Pieces, Upload};
use memchr::memmem;

use crate::operations::Payload;

pub(super) fn content_type(boundary: &str) -> HeaderValue {
    HeaderValue::try_from(format!("multipart/form-data; boundary=\"{boundary}\""))
        .expect("a boundary was checked, or is ours")
}

pub(super) fn write_text(out: &mut Vec<u8>, boundary: &str, name: &str, text: &str) {
    let name = quoted(name);
    let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// A name between quotes as browsers write it (HTML, multipart form data): nothing in it ends the line.
fn quoted(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '"' => out.push_str("%22"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            letter if letter.is_control() => {}
            letter => out.push(letter),
        }
    }
    out
}

/// A body being written, whose files may stand elsewhere.
#[derive(Debug, Default)]
pub(super) struct Writing {
    /// What comes next.
    pub(super) bytes: Vec<u8>,
    before: Option<Pieces>,
}

impl Writing {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), before: None }
    }

    /// Adds a file that stands elsewhere.
    pub(super) fn put(&mut self, kept: &Kept) {
        let before = self.before.get_or_insert_default();
        before.push(std::mem::take(&mut self.bytes));
        before.push_kept(kept.clone());
    }

    pub(super) fn finish(self) -> Payload {
        match self.before {
            None => Payload::Whole(self.bytes.into()),
            Some(mut pieces) => {
                pieces.push(self.bytes);
                Payload::Pieces(pieces)
            }
        }
    }
}

/// A form being written.
#[derive(Debug, Default)]
pub struct FormWriter<'a> {
    texts: Vec<(&'a str, Cow<'a, str>)>,
    files: Vec<(&'a str, &'a str, &'a str, Content<'a>)>,
}

/// What a file holds, or where that stands.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// This.
    Bytes(&'a [u8]),
    /// It stands elsewhere.
    Kept(&'a Kept),
}

impl<'a, const N: usize> From<&'a [u8; N]> for Content<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a [u8]> for Content<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a Upload> for Content<'a> {
    fn from(file: &'a Upload) -> Self {
        file.kept.as_ref().map_or(Self::Bytes(&file.bytes), Self::Kept)
    }
}

impl<'a> FormWriter<'a> {
    /// Adds a text.
    pub fn text(&mut self, name: &'a str, text: impl Into<Cow<'a, str>>) {
        self.texts.push((name, text.into()));
    }

    /// Adds a file: field, file name, type, content.
    pub fn file(
        &mut self,
        name: &'a str,
        file_name: &'a str,
        mime: &'a str,
        content: impl Into<Content<'a>>,
    ) {
        self.files.push((name, file_name, mime, content.into()));
    }

    /// The `content-type` and the body.
    #[must_use]
    pub fn finish(self) -> (HeaderValue, Payload) {
        let boundary = self.boundary();
        let mut out = Writing::default();
        for (name, text) in &self.texts {
            write_text(&mut out.bytes, &boundary, name, text);
        }
        for (name, file_name, mime, content) in &self.files {
            let (name, file_name) = (quoted(name), quoted(file_name));
            let mime: String = mime.chars().filter(|letter| !letter.is_control()).collect();
            let head = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\n\
                 Content-Type: {mime}\r\n\r\n"
            );
            out.bytes.extend_from_slice(head.as_bytes());
            match content {
                Content::Bytes(bytes) => out.bytes.extend_from_slice(bytes),
                Content::Kept(kept) => out.put(kept),
            }
            out.bytes.extend_from_slice(b"\r\n");
        }
        out.bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        (content_type(&boundary), out.finish())
    }

    /// A boundary that stands nowhere in the form. Files that stand elsewhere are not looked through: nobody
    /// can guess the boundary of a form that has one.
    fn boundary(&self) -> String {
        if self.files.iter().any(|(_, _, _, content)| matches!(content, Content::Kept(_))) {
            let random = RandomState::new();
            return format!("gateway-form-{:016x}{:016x}", random.hash_one(0), random.hash_one(1));
        }
        let holds = |boundary: &str| {
            let within = |text: &[u8]| memmem::find(text, boundary.as_bytes()).is_some();
            self.texts.iter().any(|(_, text)| within(text.as_bytes()))
                || self.files.iter().any(|file| matches!(file.3, Content::Bytes(bytes) if within(bytes)))
        };
        (0_u64..)
            .map(|number| format!("gateway-form-{number:016x}"))
            .find(|boundary| !holds(boundary))
            .unwrap_or_default()
    }
}
