//! Server-sent events: cut a body into frames whatever the chunks, and write frames.
//!
//! Lines may end in LF, CRLF or CR, a frame ends with a blank line (WHATWG HTML, section 9.2). Two
//! differences from the browser's rules serve model APIs: a last frame without its blank line is
//! handed out by [`Splitter::finish`], and a frame with a name but no data is a frame.

use std::borrow::Cow;

use bytes::{BufMut, Bytes, BytesMut};
use llm_types::{Error, ErrorKind, Result};
use memchr::memchr2;
use serde::Serialize;

use crate::dialect::Frame;

/// The largest frame taken unless told otherwise, in bytes: room for pictures in base64.
pub const FRAME_LIMIT: usize = 32 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Cuts a body into frames. Feed it with [`Splitter::push`] and drain [`Splitter::next_frame`] (to
/// decode) or [`Splitter::next_raw`]; or forward with [`Splitter::forward`]. A frame that lies in one
/// chunk is a slice of that chunk.
#[derive(Debug)]
pub struct Splitter {
    /// What was pushed and not yet handed out.
    chunk: Bytes,
    /// How much of `chunk` has been looked at.
    scanned: usize,
    /// The beginning of a frame whose end is not in an earlier chunk.
    pending: BytesMut,
    line: Line,
    /// What [`Splitter::scan`] found last is the LF of a CRLF that closed the frame before it.
    late_feed: bool,
    /// The last frame shown by [`Splitter::forward`] went on as it came.
    kept: bool,
    limit: usize,
}

/// Where in a line the last look ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// At its start: the next line end closes the frame.
    Start,
    /// Inside it.
    Middle,
    /// At its start, after a CR that a LF may complete; `closed` tells that the CR closed a frame.
    AfterCr { closed: bool },
}

/// What becomes of a frame on its way through [`Splitter::forward`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pass {
    /// It goes on as it came.
    Keep,
    /// It goes no further.
    Drop,
    /// Something else goes in its place.
    Replace(Bytes),
}

impl Default for Splitter {
    fn default() -> Self {
        Self::new()
    }
}

impl Splitter {
    /// A splitter that takes frames up to [`FRAME_LIMIT`].
    #[must_use]
    pub fn new() -> Self {
        Self::with_limit(FRAME_LIMIT)
    }

    /// A splitter that takes frames up to `limit` bytes, line ends included.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self {
            chunk: Bytes::new(),
            scanned: 0,
            pending: BytesMut::new(),
            line: Line::Start,
            late_feed: false,
            kept: true,
            limit,
        }
    }

    /// Takes the next bytes of the body.
    pub fn push(&mut self, bytes: Bytes) {
        if self.chunk.is_empty() {
            self.chunk = bytes;
        } else {
            // Pushed before drained: join what is left, so that nothing is lost.
            let mut joined = BytesMut::with_capacity(self.chunk.len() + bytes.len());
            joined.extend_from_slice(&self.chunk);
            joined.extend_from_slice(&bytes);
            self.chunk = joined.freeze();
        }
    }

    /// The next whole frame as it came, its line ends included; `None` until more bytes come.
    ///
    /// It may hold nothing but comments or blank lines: every byte of the body is in some frame.
    ///
    /// # Errors
    /// [`ErrorKind::BadUpstream`] when the frame is larger than the limit.
    pub fn next_raw(&mut self) -> Result<Option<Bytes>> {
        let Some(end) = self.scan() else {
            self.check_limit(self.chunk.len())?;
            self.pending.extend_from_slice(&self.chunk);
            self.chunk = Bytes::new();
            self.scanned = 0;
            return Ok(None);
        };
        self.check_limit(end)?;
        self.scanned = 0;
        let head = self.chunk.split_to(end);
        if self.pending.is_empty() {
            return Ok(Some(head));
        }
        self.pending.extend_from_slice(&head);
        Ok(Some(self.pending.split().freeze()))
    }

    /// The next frame with a name or data; `None` until more bytes come.
    ///
    /// # Errors
    /// As [`Splitter::next_raw`].
    pub fn next_frame(&mut self) -> Result<Option<Frame>> {
        while let Some(raw) = self.next_raw()? {
            if let Some(frame) = parse(&raw) {
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }

    /// Forwards whole frames: shows each to `look` and appends to `out` what may go on. Neighbours
    /// that are kept go on as one slice of the input. An incomplete rest waits. A line feed that comes
    /// behind the CR of its frame shares the frame's fate and is not shown.
    ///
    /// # Errors
    /// As [`Splitter::next_raw`]; frames before the one at fault have been forwarded.
    pub fn forward(
        &mut self,
        bytes: Bytes,
        out: &mut Vec<Bytes>,
        mut look: impl FnMut(&[u8]) -> Pass,
    ) -> Result<()> {
        self.push(bytes);
        if !self.pending.is_empty() {
            let Some(raw) = self.next_raw()? else { return Ok(()) };
            let pass = look(&raw);
            self.kept = pass == Pass::Keep;
            match pass {
                Pass::Keep => out.push(raw),
                Pass::Drop => {}
                Pass::Replace(other) => out.push(other),
            }
        }
        self.forward_run(out, &mut look)
    }

    /// Forwards the whole frames of `chunk` while nothing is pending.
    fn forward_run(&mut self, out: &mut Vec<Bytes>, look: &mut impl FnMut(&[u8]) -> Pass) -> Result<()> {
        // `kept..start` is the run of kept frames, `start` the beginning of the current one.
        let (mut kept, mut start) = (0, 0);
        let mut outcome = Ok(());
        while let Some(end) = self.scan() {
            outcome = self.check_limit(end - start);
            if outcome.is_err() {
                break;
            }
            let pass = match (self.late_feed, self.kept) {
                (true, true) => Pass::Keep,
                (true, false) => Pass::Drop,
                (false, _) => look(&self.chunk[start..end]),
            };
            self.kept = pass == Pass::Keep;
            if !self.kept {
                push_slice(out, &self.chunk, kept..start);
                kept = end;
            }
            if let Pass::Replace(other) = pass {
                out.push(other);
            }
            start = end;
        }
        push_slice(out, &self.chunk, kept..start);
        self.chunk = self.chunk.split_off(start);
        self.scanned -= start;
        outcome?;
        self.next_raw().map(|_| ())
    }

    /// The body has ended: what came after the last blank line, if it is more than line ends. It may
    /// be a whole frame whose blank line was left out or a frame cut in the middle.
    pub fn finish(&mut self) -> Option<Bytes> {
        self.pending.extend_from_slice(&self.chunk);
        self.chunk = Bytes::new();
        self.scanned = 0;
        self.line = Line::Start;
        let rest = self.pending.split().freeze();
        rest.iter().any(|byte| !matches!(byte, b'\n' | b'\r')).then_some(rest)
    }

    fn check_limit(&self, part: usize) -> Result<()> {
        let size = self.pending.len() + part;
        if size <= self.limit {
            return Ok(());
        }
        let limit = self.limit;
        Err(Error::new(
            ErrorKind::BadUpstream,
            format!("provider sent a stream frame larger than {limit} bytes"),
        ))
    }

    /// Looks on for the end of a frame and returns the index behind it.
    fn scan(&mut self) -> Option<usize> {
        let bytes = &self.chunk[..];
        let mut at = self.scanned;
        if let Line::AfterCr { closed } = self.line {
            match bytes.get(at) {
                None => return None,
                Some(b'\n') => at += 1,
                Some(_) => {}
            }
            self.line = Line::Start;
            // The LF of a CRLF that closed the frame before: on its own, so that it never waits.
            if closed && at > self.scanned {
                self.scanned = at;
                self.late_feed = true;
                return Some(at);
            }
        }
        self.late_feed = false;
        while let Some(offset) = memchr2(b'\n', b'\r', &bytes[at..]) {
            let end = at + offset;
            let blank = offset == 0 && self.line == Line::Start;
            at = end + 1;
            self.line = Line::Start;
            if bytes[end] == b'\r' {
                match bytes.get(at) {
                    None => self.line = Line::AfterCr { closed: blank },
                    Some(b'\n') => at += 1,
                    Some(_) => {}
                }
            }
            if blank {
                self.scanned = at;
                return Some(at);
            }
        }
        if at < bytes.len() {
            self.line = Line::Middle;
        }
        self.scanned = bytes.len();
        None
    }
}

fn push_slice(out: &mut Vec<Bytes>, chunk: &Bytes, range: std::ops::Range<usize>) {
    if !range.is_empty() {
        out.push(chunk.slice(range));
    }
}

/// Reads one raw frame; `None` when it has neither a name nor data (comments, blank lines). The data
/// is a slice of `raw` unless it stands in several lines.
#[must_use]
pub fn parse(raw: &Bytes) -> Option<Frame> {
    let fields = fields(raw);
    if fields.event.is_empty() && fields.data.is_empty() {
        return None;
    }
    let event = if fields.event.is_empty() { Bytes::new() } else { raw.slice_ref(fields.event) };
    let data = match fields.data {
        Cow::Borrowed([]) => Bytes::new(),
        Cow::Borrowed(data) => raw.slice_ref(data),
        Cow::Owned(data) => data.into(),
    };
    Some(Frame { event, data })
}

/// What a raw frame says, borrowed from it where possible.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields<'a> {
    /// The `event:` name; empty when there is none.
    pub event: &'a [u8],
    /// The `data:` lines joined by line feeds.
    pub data: Cow<'a, [u8]>,
}

/// Reads the fields of one raw frame; `id`, `retry`, unknown fields and comments are passed over.
#[must_use]
pub fn fields(raw: &[u8]) -> Fields<'_> {
    let mut fields = Fields::default();
    let mut has_data = false;
    let mut rest = raw.strip_prefix(BYTE_ORDER_MARK).unwrap_or(raw);
    while !rest.is_empty() {
        let end = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        if let Some(value) = value_of(line, b"data") {
            if has_data {
                let joined = fields.data.to_mut();
                joined.push(b'\n');
                joined.extend_from_slice(value);
            } else {
                fields.data = Cow::Borrowed(value);
                has_data = true;
            }
        } else if let Some(value) = value_of(line, b"event") {
            fields.event = value;
        }
    }
    fields
}

/// The value of a line if it is the named field: behind the colon and one optional space.
fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    match line.strip_prefix(name)? {
        [] => Some(&[]),
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        _ => None,
    }
}

/// Writes one frame; an empty `event` is left out. `data` must be one line.
pub fn write(out: &mut BytesMut, event: &str, data: &[u8]) {
    debug_assert!(memchr2(b'\n', b'\r', data).is_none(), "data is one line");
    begin(out, event);
    out.extend_from_slice(data);
    out.extend_from_slice(b"\n\n");
}

/// Writes one frame whose data is `value` as JSON; an empty `event` is left out.
///
/// # Errors
/// [`ErrorKind::Internal`] when `value` cannot be written as JSON; nothing is written then.
pub fn write_json<T: Serialize + ?Sized>(out: &mut BytesMut, event: &str, value: &T) -> Result<()> {
    let before = out.len();
    begin(out, event);
    if let Err(error) = serde_json::to_writer(out.writer(), value) {
        out.truncate(before);
        return Err(
            Error::new(ErrorKind::Internal, "stream frame cannot be written as JSON").with_source(error)
        );
    }
    out.extend_from_slice(b"\n\n");
    Ok(())
}

fn begin(out: &mut BytesMut, event: &str) {
    if !event.is_empty() {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(event.as_bytes());
        out.extend_from_slice(b"\n");
    }
    out.extend_from_slice(b"data: ");
}

#[cfg(test)]
mod tests;
