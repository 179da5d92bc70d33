//! Forms with files, `multipart/form-data` (RFC 7578): read where they lie, written anew or with a few fields
//! changed.

mod scan;
mod write;

use std::borrow::Cow;
use std::ops::Range;

use http::HeaderValue;
use llm_types::{Error, Kept, Result};
use memchr::memmem;

pub use self::scan::FormScan;
pub use self::write::FormWriter;
use self::write::{Writing, content_type, write_text};
use super::Payload;

/// The most fields of a form.
const MOST_FIELDS: usize = 256;
/// The longest head of a field, in bytes.
const LONGEST_HEAD: usize = 8 * 1024;

/// A form and where its fields stand in the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    boundary: String,
    /// The fields, in order.
    pub fields: Vec<Field>,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// The file's name, where it is a file.
    pub file_name: Option<String>,
    /// The type it states.
    pub mime: Option<String>,
    /// Where it stands, its head included.
    pub whole: Range<usize>,
    /// Where what it holds stands.
    pub content: Range<usize>,
    /// Where what it holds stands, if that is outside the body: `content` is empty then.
    pub kept: Option<Kept>,
}

impl Form {
    /// Reads a form.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::BadRequest`] saying what is wrong with it.
    pub fn read(content_type: &str, body: &[u8]) -> Result<Self> {
        let boundary = boundary(content_type)?;
        let delimiter = format!("\r\n--{boundary}");
        let finder = memmem::Finder::new(delimiter.as_bytes());
        let opening = &delimiter.as_bytes()[2..];
        let mut at = if body.starts_with(opening) {
            opening.len()
        } else {
            finder.find(body).ok_or_else(|| bad("its boundary is nowhere in the body"))? + delimiter.len()
        };
        let mut fields = Vec::new();
        loop {
            let rest = &body[at..];
            if rest.starts_with(b"--") {
                return Ok(Self { boundary, fields });
            }
            let padding = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            if !rest[padding..].starts_with(b"\r\n") {
                return Err(bad("a boundary is not followed by a line break"));
            }
            let start = at + padding + 2;
            let length = finder.find(&body[start..]);
            // A field without a head begins with the blank line, whose break the boundary may share.
            let end = start + length.ok_or_else(|| bad("it ends before its last boundary"))?;
            if fields.len() == MOST_FIELDS {
                return Err(bad(&format!("it has more than {MOST_FIELDS} fields")));
            }
            fields.push(field(body, start..end)?);
            at = end + delimiter.len();
        }
    }

    /// The `content-type` of the form.
    #[must_use]
    pub fn content_type(&self) -> HeaderValue {
        content_type(&self.boundary)
    }

    /// The form with some fields left out, replaced or added: `change` says what becomes of each.
    #[must_use]
    pub fn changed(
        &self,
        body: &[u8],
        added: &[(String, String)],
        mut change: impl FnMut(&Field) -> Change,
    ) -> Payload {
        let mut out = Writing::with_capacity(body.len() + 256);
        for field in &self.fields {
            match change(field) {
                Change::Keep => {
                    out.bytes.extend_from_slice(format!("--{}\r\n", self.boundary).as_bytes());
                    out.bytes.extend_from_slice(&body[field.whole.clone()]);
                    if let Some(kept) = &field.kept {
                        out.put(kept);
                    }
                    out.bytes.extend_from_slice(b"\r\n");
                }
                Change::Drop => {}
                Change::Say(name, text) => write_text(&mut out.bytes, &self.boundary, &name, &text),
            }
        }
        for (name, text) in added {
            write_text(&mut out.bytes, &self.boundary, name, text);
        }
        out.bytes.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        out.finish()
    }
}

/// What becomes of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It stays as it came.
    Keep,
    /// It is left out.
    Drop,
    /// A text stands in its place: name and text.
    Say(String, String),
}

/// The boundary a `content-type` names.
fn boundary(content_type: &str) -> Result<String> {
    let (kind, params) = content_type.split_once(';').unwrap_or((content_type, ""));
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        let shown: String = content_type.chars().take(100).collect();
        let message = format!("the body is `{shown}`: expected a form, `multipart/form-data`");
        return Err(Error::bad_param("content-type", message));
    }
    let named = Params(params).find_map(|(name, value)| (name == "boundary").then_some(value));
    let named = named.ok_or_else(|| bad("its content-type names no boundary"))?;
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    if named.is_empty() || named.len() > 70 || named.ends_with(' ') || !named.bytes().all(legal) {
        return Err(bad("its boundary has 1 to 70 letters, digits or dashes in RFC 2046; this one has not"));
    }
    Ok(named.into_owned())
}

fn field(body: &[u8], whole: Range<usize>) -> Result<Field> {
    let text = &body[whole.clone()];
    let head_end = match text.starts_with(b"\r\n") {
        true => 0,
        false => memmem::find(text, b"\r\n\r\n").ok_or_else(|| bad("a field has no end of its head"))? + 2,
    };
    if head_end > LONGEST_HEAD {
        return Err(bad(&format!("the head of a field is longer than {LONGEST_HEAD} bytes")));
    }
    let (name, file_name, mime) = named(&text[..head_end])?;
    let content = whole.start + head_end + 2..whole.end;
    Ok(Field { name, file_name, mime, whole, content, kept: None })
}

/// What a field's head says: its name, its file's name, its type.
fn named(head: &[u8]) -> Result<(String, Option<String>, Option<String>)> {
    let head = std::str::from_utf8(head).map_err(|_| bad("the head of a field is not UTF-8"))?;
    let (mut name, mut file_name, mut mime) = (None, None, None);
    for line in head.split("\r\n").filter(|line| !line.is_empty()) {
        let (key, value) =
            line.split_once(':').ok_or_else(|| bad("a line of a field's head has no colon"))?;
        if line.bytes().any(|byte| byte != b'\t' && byte.is_ascii_control()) {
            return Err(bad("the head of a field holds a control character"));
        }
        if key.eq_ignore_ascii_case("content-disposition") {
            let params = value.split_once(';').map_or("", |(_, params)| params);
            for (param, value) in Params(params) {
                match param.as_str() {
                    "name" => name = Some(value.into_owned()),
                    "filename" => {
                        file_name.get_or_insert_with(|| value.into_owned());
                    }
                    // RFC 7578 has no such parameter, and some clients write it for names that are not ASCII.
                    "filename*" => file_name = Some(extended(&value)),
                    _ => {}
                }
            }
        } else if key.eq_ignore_ascii_case("content-type") {
            mime = Some(value.trim().to_owned());
        }
    }
    Ok((name.ok_or_else(|| bad("a field has no name"))?, file_name, mime))
}

/// The parameters of a header's value, names in lower case.
struct Params<'a>(&'a str);

impl<'a> Iterator for Params<'a> {
    type Item = (String, Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.trim_start_matches([' ', ';', '\t']);
        let (name, value) = rest.split_once('=')?;
        let name = name.trim().to_ascii_lowercase();
        let Some(quoted) = value.strip_prefix('"') else {
            let end = value.find(';').unwrap_or(value.len());
            self.0 = &value[end..];
            return Some((name, Cow::Borrowed(value[..end].trim())));
        };
        let mut text = String::new();
        let mut letters = quoted.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.0 = &quoted[at + 1..];
                    return Some((name, Cow::Owned(text)));
                }
                // Browsers write a backslash as it is; only what needs it is escaped.
                '\\' if quoted[at + 1..].starts_with(['"', '\\']) => {
                    text.extend(letters.next().map(|(_, letter)| letter));
                }
                letter => text.push(letter),
            }
        }
        self.0 = "";
        Some((name, Cow::Owned(text)))
    }
}

/// A value with its character set and language before it (RFC 8187): `UTF-8''na%C3%AFve.wav`.
fn extended(value: &str) -> String {
    let text = value.splitn(3, '\'').nth(2).unwrap_or(value);
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let coded = digits.filter(|_| byte == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(coded.unwrap_or(byte));
        rest = if coded.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn bad(what: &str) -> Error {
    Error::new(llm_types::ErrorKind::BadRequest, format!("the form cannot be read: {what}"))
}

#[cfg(test)]
mod tests;
