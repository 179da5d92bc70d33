//! One look over a JSON body: validates all of it and tells where its members stand, without
//! building a tree or allocating.
//!
//! What `serde_json` reads as a value is accepted and all else refused, nesting limit included, so
//! that a body which is forwarded unread is one that could have been read.

use std::borrow::Cow;
use std::fmt;

use llm_types::{Error, ErrorKind};

use crate::dialect::Span;

mod cursor;
mod names;
mod patch;
mod reader;

use cursor::Cursor;
pub use names::Names;
pub use patch::{Patch, merge, quoted};
pub(crate) use reader::Reader;

/// The deepest nesting accepted; `serde_json` has the same limit.
pub const MAX_DEPTH: u32 = 127;

/// What a JSON value is, told by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// The kind with its article, for messages.
    #[must_use]
    pub const fn described(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

/// A value and where it stands in the scanned text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its text: strings with their quotes.
    pub text: &'a str,
    /// Where it starts, in bytes from the start of the scanned text.
    pub start: usize,
    /// Whether it is a string without escapes: what stands between its quotes is what it says.
    plain: bool,
}

impl<'a> Item<'a> {
    /// Where it stands, in bytes from the start of the scanned text.
    #[must_use]
    pub fn span(&self) -> Span {
        self.start..self.start + self.text.len()
    }

    /// The string, unescaped; `None` for another kind.
    #[must_use]
    pub fn as_str(&self) -> Option<Cow<'a, str>> {
        match self.kind {
            Kind::String if self.plain => self.text.get(1..self.text.len() - 1).map(Cow::Borrowed),
            Kind::String => unescape(self.text),
            _ => None,
        }
    }

    /// The whole number; `None` for another kind, a negative, a fraction or one beyond 64 bits.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match self.kind {
            Kind::Number => self.text.parse().ok(),
            _ => None,
        }
    }

    /// The boolean; `None` for another kind.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match (self.kind, self.text) {
            (Kind::Bool, text) => Some(text == "true"),
            _ => None,
        }
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.kind == Kind::Null
    }

    /// Walks the members of an object; nothing for another kind.
    pub fn members(&self, mut visit: impl FnMut(Member<'a>)) {
        if self.kind == Kind::Object {
            let walked = Cursor::within(self.text, self.start).members(&mut visit);
            debug_assert!(walked.is_ok(), "an item was validated before");
        }
    }

    /// Walks the elements of an array; nothing for another kind.
    pub fn elements(&self, mut visit: impl FnMut(Self)) {
        if self.kind == Kind::Array {
            let walked = Cursor::within(self.text, self.start).elements(&mut visit);
            debug_assert!(walked.is_ok(), "an item was validated before");
        }
    }

    /// The member of that name; the last one if it is given twice, as JSON readers do.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Self> {
        let mut found = None;
        self.members(|member| {
            if member.name == name {
                found = Some(member.value);
            }
        });
        found
    }

    /// The value at the end of a path of member names.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(*self, |item, name| item.member(name))
    }
}

/// A member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member<'a> {
    /// Its name, unescaped.
    pub name: Cow<'a, str>,
    /// Where the member starts (the quote that opens its name), in bytes from the start of the text.
    pub start: usize,
    /// Its value.
    pub value: Item<'a>,
}

impl Member<'_> {
    /// Where the member stands: from the quote that opens its name to the end of its value.
    #[must_use]
    pub fn span(&self) -> Span {
        self.start..self.value.span().end
    }
}

/// Validates a body that must be one JSON object and calls `visit` for each of its members, in order.
/// Members seen before a fault is met have been visited. Gives the names of members at every depth.
///
/// # Errors
/// A [`Fault`] at the first byte that is not JSON.
pub fn object<'a>(body: &'a [u8], mut visit: impl FnMut(Member<'a>)) -> Result<Names, Fault> {
    let text = utf8(body)?;
    let mut cursor = Cursor::within(text, 0);
    cursor.space();
    if cursor.peek() != Some(b'{') {
        return Err(cursor.fault("a JSON object"));
    }
    cursor.members(&mut visit)?;
    cursor.end()?;
    Ok(cursor.names)
}

/// Validates a body that may be any JSON value.
///
/// # Errors
/// A [`Fault`] at the first byte that is not JSON.
pub fn value(body: &[u8]) -> Result<Item<'_>, Fault> {
    let mut cursor = Cursor::within(utf8(body)?, 0);
    cursor.space();
    let item = cursor.item(0)?;
    cursor.end()?;
    Ok(item)
}

/// Where the string whose text starts at `at` is closed (the place of its quote), without validating;
/// the length of `bytes` if it is not closed.
#[must_use]
pub fn string_end(bytes: &[u8], at: usize) -> usize {
    cursor::string_end(bytes, at)
}

/// The text of a JSON string, its quotes given and its escapes undone; `None` when it is not one.
#[must_use]
pub fn unescape(quoted: &str) -> Option<Cow<'_, str>> {
    let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str(quoted).ok().map(Cow::Owned)
}

fn utf8(body: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(body).map_err(|bad| {
        let at = bad.valid_up_to();
        Fault::new(body, at, "UTF-8 text")
    })
}

/// Where and why a body is not JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Bytes before the fault.
    pub offset: usize,
    /// The line, from 1.
    pub line: usize,
    /// The byte of the line, from 1.
    pub column: usize,
    /// What stands there.
    pub found: String,
    /// What should.
    pub expected: &'static str,
}

impl Fault {
    fn new(bytes: &[u8], offset: usize, expected: &'static str) -> Self {
        let before = bytes.get(..offset).unwrap_or(bytes);
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        let column = offset - memchr::memrchr(b'\n', before).map_or(0, |at| at + 1) + 1;
        let found = match bytes.get(offset) {
            None => "the end of the text".to_owned(),
            Some(byte @ 0x21..=0x7e) => format!("`{}`", char::from(*byte)),
            Some(byte) => format!("byte 0x{byte:02x}"),
        };
        Self { offset, line, column, found, expected }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, line, column, found, expected } = self;
        write!(f, "expected {expected}, found {found} at line {line} column {column} (byte {offset})")
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::new(ErrorKind::BadRequest, format!("the body is not valid JSON: {fault}")).with_source(fault)
    }
}

#[cfg(test)]
mod tests;
