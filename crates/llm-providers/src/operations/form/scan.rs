//! A form that is read while it arrives: texts are kept in memory, files are only noted where they stand.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use llm_types::{Error, ErrorKind, Kept, Result, Stored};
use memchr::memmem;

use super::{Field, Form, LONGEST_HEAD, MOST_FIELDS, bad, boundary, named};
use crate::operations::audio::Heard;

/// The most bytes of all heads and texts of a form whose files stand elsewhere.
const MOST_TEXT: usize = 4 * 1024 * 1024;
/// Bytes before the first boundary, and of padding behind one, that are put up with.
const MOST_PADDING: usize = 4 * 1024;
/// Bytes of a file's beginning that are kept: enough to tell its kind.
const START: usize = 64;

/// A form that is arriving.
#[derive(Debug)]
pub struct FormScan {
    boundary: String,
    /// The boundary as it stands between fields.
    finder: memmem::Finder<'static>,
    /// What has come and is not yet understood.
    window: Vec<u8>,
    /// Where the window begins in the body. The body is taken to begin with a line break.
    at: u64,
    state: State,
    /// The form without what its files hold.
    texts: Vec<u8>,
    fields: Vec<Field>,
    files: Vec<File>,
}

/// Which file stands where.
#[derive(Debug)]
struct File {
    field: usize,
    range: Range<u64>,
    start: Vec<u8>,
    heard: Heard,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first boundary.
    Before,
    /// Behind a boundary.
    Boundary,
    /// In a field's head.
    Head,
    /// Behind a head, before the two bytes that end it.
    Open,
    /// In what a field holds.
    Content,
    /// Behind the last boundary.
    Done,
}

/// The line break that a body is taken to begin with.
const BREAK: u64 = 2;

impl FormScan {
    /// A form of a `content-type`.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`] when it names no form, or no boundary.
    pub fn new(content_type: &str) -> Result<Self> {
        let boundary = boundary(content_type)?;
        let finder = memmem::Finder::new(&format!("\r\n--{boundary}")).into_owned();
        Ok(Self {
            boundary,
            finder,
            window: b"\r\n".to_vec(),
            at: 0,
            state: State::Before,
            texts: Vec::new(),
            fields: Vec::new(),
            files: Vec::new(),
        })
    }

    /// Takes the next bytes of the body.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`] saying what is wrong with the form; [`ErrorKind::TooLarge`] when its texts are.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        if self.state == State::Done {
            return Ok(());
        }
        self.window.extend_from_slice(bytes);
        while self.step()? {}
        Ok(())
    }

    /// The form as far as it has come, where its first file has begun: taken to end with that file, in a body of
    /// `total` bytes. Whether it does shows when all of it is there.
    #[must_use]
    pub fn begun(&self, store: &Arc<dyn Stored>, total: u64) -> Option<(Bytes, Form)> {
        let [file] = &*self.files else { return None };
        let last = self.fields.len().checked_sub(1)?;
        // Behind the file stand its boundary between two breaks, and four dashes.
        let end = total.checked_sub(self.boundary.len() as u64 + 8)?;
        let range = file.range.start..end;
        if self.state != State::Content || file.field != last || range.is_empty() {
            return None;
        }
        let mut fields = self.fields.clone();
        fields[last].kept = Some(Kept::new(Arc::clone(store), range, file.start.clone().into(), None));
        let form = Form { boundary: self.boundary.clone(), fields };
        Some((Bytes::copy_from_slice(&self.texts), form))
    }

    /// The form without what its files hold, which stands in `store`: the whole body from its first byte.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`] when it has not come to its end.
    pub fn finish(self, store: &Arc<dyn Stored>) -> Result<(Bytes, Form)> {
        match self.state {
            State::Done => {}
            State::Before => return Err(bad("its boundary is nowhere in the body")),
            _ => return Err(bad("it ends before its last boundary")),
        }
        let mut fields = self.fields;
        for File { field, range, start, heard } in self.files {
            let kept = Kept::new(Arc::clone(store), range, start.into(), heard.finish());
            fields[field].kept = Some(kept);
        }
        Ok((self.texts.into(), Form { boundary: self.boundary, fields }))
    }

    /// Understands a little more; whether there may be still more to understand.
    fn step(&mut self) -> Result<bool> {
        match self.state {
            State::Before => self.before(),
            State::Boundary => self.behind_boundary(),
            State::Head => self.head(),
            State::Open => self.open(),
            State::Content => self.content(),
            State::Done => Ok(false),
        }
    }

    fn take(&mut self, length: usize) {
        self.window.drain(..length);
        self.at += length as u64;
    }

    fn before(&mut self) -> Result<bool> {
        match self.finder.find(&self.window) {
            Some(found) => {
                self.take(found + self.finder.needle().len());
                self.state = State::Boundary;
                Ok(true)
            }
            None if self.window.len() > MOST_PADDING => Err(bad("its boundary is nowhere in the body")),
            None => Ok(false),
        }
    }

    fn behind_boundary(&mut self) -> Result<bool> {
        if self.window.starts_with(b"--") {
            self.state = State::Done;
            self.window = Vec::new();
            return Ok(false);
        }
        let padding = self.window.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        match &self.window[padding..] {
            [b'\r', b'\n', ..] => {}
            [] | [b'\r'] if padding <= MOST_PADDING => return Ok(false),
            [b'-'] if padding == 0 => return Ok(false),
            _ => return Err(bad("a boundary is not followed by a line break")),
        }
        if self.fields.len() == MOST_FIELDS {
            return Err(bad(&format!("it has more than {MOST_FIELDS} fields")));
        }
        self.take(padding + 2);
        self.state = State::Head;
        Ok(true)
    }

    fn head(&mut self) -> Result<bool> {
        if self.window.starts_with(b"\r\n") {
            return Err(bad("a field has no name"));
        }
        let found = memmem::find(&self.window, b"\r\n\r\n");
        // A boundary before the end of the head is the end of a field that has none.
        let next = self.finder.find(&self.window);
        match found {
            Some(end) if next.is_none_or(|next| end < next) => {
                self.begin_field(end + 2)?;
                self.state = State::Open;
                Ok(true)
            }
            _ if next.is_some() => Err(bad("a field has no end of its head")),
            _ if self.window.len() > LONGEST_HEAD => {
                Err(bad(&format!("the head of a field is longer than {LONGEST_HEAD} bytes")))
            }
            _ => Ok(false),
        }
    }

    /// Reads a head with its last line break.
    fn begin_field(&mut self, length: usize) -> Result<()> {
        if length > LONGEST_HEAD {
            return Err(bad(&format!("the head of a field is longer than {LONGEST_HEAD} bytes")));
        }
        let (name, file_name, mime) = named(&self.window[..length])?;
        let start = self.texts.len();
        self.texts.extend_from_slice(&self.window[..length]);
        self.texts.extend_from_slice(b"\r\n");
        self.take(length);
        let end = self.texts.len();
        if file_name.is_some() {
            // What it holds begins behind the blank line, in the body as it came.
            let at = self.at + 2 - BREAK;
            let (start, heard) = (Vec::new(), Heard::default());
            self.files.push(File { field: self.fields.len(), range: at..at, start, heard });
        }
        let (whole, content) = (start..end, end..end);
        self.fields.push(Field { name, file_name, mime, whole, content, kept: None });
        Ok(())
    }

    /// The blank line behind a head; its break is not that of a boundary.
    fn open(&mut self) -> Result<bool> {
        let needle = self.finder.needle();
        let short = self.window.len() < needle.len();
        if self.window.starts_with(needle) {
            return Err(bad("a field has no end of its head"));
        }
        if short && needle.starts_with(&self.window) {
            return Ok(false);
        }
        self.take(2);
        self.state = State::Content;
        Ok(true)
    }

    fn content(&mut self) -> Result<bool> {
        let needle = self.finder.needle().len();
        let found = self.finder.find(&self.window);
        let length = found.unwrap_or_else(|| self.window.len().saturating_sub(needle - 1));
        self.hold(length)?;
        self.take(length);
        let Some(_) = found else { return Ok(false) };
        self.take(needle);
        self.state = State::Boundary;
        Ok(true)
    }

    /// Takes some of what the last field holds.
    fn hold(&mut self, length: usize) -> Result<()> {
        let bytes = &self.window[..length];
        let last = self.fields.last_mut().expect("a field's content comes behind its head");
        if last.file_name.is_some() {
            let file = self.files.last_mut().expect("a field with a file's name is a file");
            file.range.end += length as u64;
            let more = START.saturating_sub(file.start.len()).min(length);
            file.start.extend_from_slice(&bytes[..more]);
            file.heard.push(bytes);
        } else {
            self.texts.extend_from_slice(bytes);
            (last.whole.end, last.content.end) = (self.texts.len(), self.texts.len());
        }
        if self.texts.len() > MOST_TEXT {
            let message = format!("the form's texts are larger than {MOST_TEXT} bytes: `{}` is", last.name);
            return Err(Error::new(ErrorKind::TooLarge, message).with_param(last.name.clone()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
