//! AWS event stream: cut a body into binary frames whatever the chunks, and write frames.
//!
//! A frame is its whole length and the length of its headers (32 bits each, big-endian), the CRC-32 of
//! these eight bytes, headers, payload, and the CRC-32 of all before. Source: Smithy's "Amazon Event
//! Stream Specification". Limits are those of the AWS SDKs: 128 KiB of headers, 24 MiB of payload.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use llm_types::{Error, ErrorKind, Result};

use crate::dialect::Frame;

/// The most bytes of headers in one frame.
pub const HEADERS_LIMIT: usize = 128 << 10;
/// The most bytes of payload in one frame unless told otherwise.
pub const PAYLOAD_LIMIT: usize = 24 << 20;

/// Both lengths and their CRC.
const PRELUDE: usize = 12;
/// What a frame has beside headers and payload: the prelude and the CRC at its end.
const AROUND: usize = PRELUDE + 4;

/// Cuts a body into frames. A frame that lies in one chunk is a slice of that chunk.
#[derive(Debug)]
pub struct Splitter {
    /// What was pushed and not yet handed out.
    chunk: Bytes,
    /// The beginning of a frame whose end is not in an earlier chunk.
    pending: BytesMut,
    limit: usize,
}

impl Default for Splitter {
    fn default() -> Self {
        Self::new()
    }
}

impl Splitter {
    /// A splitter that takes payloads up to [`PAYLOAD_LIMIT`].
    #[must_use]
    pub fn new() -> Self {
        Self::with_limit(PAYLOAD_LIMIT)
    }

    /// A splitter that takes payloads up to `limit` bytes.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self { chunk: Bytes::new(), pending: BytesMut::new(), limit }
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

    /// The next whole frame as it came, its checksums proved; `None` until more bytes come.
    ///
    /// # Errors
    /// [`ErrorKind::BadUpstream`] when a length or a checksum is wrong. What comes after that cannot be
    /// cut any more.
    pub fn next_raw(&mut self) -> Result<Option<Bytes>> {
        if self.pending.is_empty() {
            if self.chunk.len() >= PRELUDE {
                let whole = self.length(&self.chunk)?;
                if self.chunk.len() >= whole {
                    return checked(self.chunk.split_to(whole)).map(Some);
                }
            }
            if self.chunk.is_empty() {
                return Ok(None);
            }
        }
        self.gather(PRELUDE);
        if self.pending.len() < PRELUDE {
            return Ok(None);
        }
        let whole = self.length(&self.pending)?;
        self.gather(whole);
        if self.pending.len() < whole {
            return Ok(None);
        }
        checked(self.pending.split().freeze()).map(Some)
    }

    /// The next whole frame, read; `None` until more bytes come.
    ///
    /// # Errors
    /// As [`Splitter::next_raw`], and when the headers are none.
    pub fn next_frame(&mut self) -> Result<Option<Frame>> {
        self.next_raw()?.map(|raw| parse(&raw)).transpose()
    }

    /// Forwards whole frames: shows each to `look` and appends it to `out`, neighbours as one slice of
    /// the input. An incomplete rest waits.
    ///
    /// # Errors
    /// As [`Splitter::next_raw`]; frames before the one at fault have been forwarded.
    pub fn forward(
        &mut self,
        bytes: Bytes,
        out: &mut Vec<Bytes>,
        mut look: impl FnMut(&Bytes),
    ) -> Result<()> {
        self.push(bytes);
        if !self.pending.is_empty() {
            let Some(raw) = self.next_raw()? else { return Ok(()) };
            look(&raw);
            out.push(raw);
        }
        // Nothing is pending: what follows are neighbours in one chunk.
        let (run, mut kept) = (self.chunk.clone(), 0);
        let outcome = loop {
            match self.next_raw() {
                Ok(Some(raw)) => {
                    look(&raw);
                    kept += raw.len();
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        if kept > 0 {
            out.push(run.slice(..kept));
        }
        outcome
    }

    /// The body has ended.
    ///
    /// # Errors
    /// [`ErrorKind::BadUpstream`] when it ended inside a frame.
    pub fn finish(&mut self) -> Result<()> {
        let rest = self.pending.len() + self.chunk.len();
        self.pending.clear();
        self.chunk = Bytes::new();
        if rest == 0 {
            return Ok(());
        }
        Err(broken("the body ended inside a frame"))
    }

    /// Moves bytes into `pending` until it holds `size`, as far as there are any.
    fn gather(&mut self, size: usize) {
        let missing = size.saturating_sub(self.pending.len()).min(self.chunk.len());
        self.pending.extend_from_slice(&self.chunk[..missing]);
        self.chunk.advance(missing);
    }

    /// The length of the frame that begins with these bytes, at least a prelude.
    fn length(&self, bytes: &[u8]) -> Result<usize> {
        let (whole, headers) = (number(bytes, 0), number(bytes, 4));
        if crc32fast::hash(&bytes[..8]) != number(bytes, 8) {
            return Err(broken("the checksum of its lengths is wrong"));
        }
        let (whole, headers) = (whole as usize, headers as usize);
        let Some(payload) = whole.checked_sub(headers).and_then(|rest| rest.checked_sub(AROUND)) else {
            return Err(broken("its lengths contradict each other"));
        };
        if headers > HEADERS_LIMIT || payload > self.limit {
            let limit = self.limit;
            return Err(broken(&format!(
                "it is larger than {limit} bytes of payload or {HEADERS_LIMIT} bytes of headers"
            )));
        }
        Ok(whole)
    }
}

fn checked(raw: Bytes) -> Result<Bytes> {
    let end = raw.len() - 4;
    if crc32fast::hash(&raw[..end]) == number(&raw, end) {
        return Ok(raw);
    }
    Err(broken("its checksum is wrong"))
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes)
}

fn broken(why: &str) -> Error {
    Error::new(ErrorKind::BadUpstream, format!("provider sent a broken event stream frame: {why}"))
}

/// Reads one raw frame. An event is named by its `:event-type`; an exception is `exception:` and its
/// type, with its own payload; an error is `error:` and its code, its message the payload
/// (`{"message": …}`).
///
/// # Errors
/// [`ErrorKind::BadUpstream`] when the headers are none.
pub fn parse(raw: &Bytes) -> Result<Frame> {
    let (headers, payload) = sections(raw)?;
    let mut said = Said::default();
    let mut rest = headers;
    while !rest.is_empty() {
        let (name, value) = header(&mut rest).ok_or_else(|| broken("its headers cannot be read"))?;
        match name {
            b":message-type" => said.kind = value,
            b":event-type" => said.event = value,
            b":exception-type" => said.exception = value,
            b":error-code" => said.code = value,
            b":error-message" => said.message = value,
            _ => {}
        }
    }
    let data = raw.slice_ref(payload);
    match said.kind {
        b"exception" => Ok(Frame { event: named(b"exception:", said.exception), data }),
        b"error" => {
            let words = serde_json::json!({ "message": String::from_utf8_lossy(said.message) });
            Ok(Frame { event: named(b"error:", said.code), data: words.to_string().into() })
        }
        _ if said.event.is_empty() => Ok(Frame { event: Bytes::new(), data }),
        _ => Ok(Frame { event: raw.slice_ref(said.event), data }),
    }
}

/// The headers that tell what a frame is.
#[derive(Default)]
struct Said<'a> {
    kind: &'a [u8],
    event: &'a [u8],
    exception: &'a [u8],
    code: &'a [u8],
    message: &'a [u8],
}

fn named(kind: &[u8], name: &[u8]) -> Bytes {
    [kind, name].concat().into()
}

/// Headers and payload of a raw frame.
fn sections(raw: &Bytes) -> Result<(&[u8], &[u8])> {
    let end = PRELUDE + number(raw, 4) as usize;
    let payload = raw.len().checked_sub(4).and_then(|last| raw.get(end..last));
    match (raw.get(PRELUDE..end), payload) {
        (Some(headers), Some(payload)) => Ok((headers, payload)),
        _ => Err(broken("its lengths contradict each other")),
    }
}

/// The next header: its name, and its value where it is text (empty for numbers and the like).
fn header<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (length, tail) = rest.split_first()?;
    let (name, tail) = tail.split_at_checked(usize::from(*length))?;
    let (kind, tail) = tail.split_first()?;
    let (skipped, size) = match kind {
        0 | 1 => (0, 0),
        2 => (0, 1),
        3 => (0, 2),
        4 => (0, 4),
        5 | 8 => (0, 8),
        6 | 7 => (2, usize::from(u16::from_be_bytes(tail.get(..2)?.try_into().ok()?))),
        9 => (0, 16),
        _ => return None,
    };
    let (value, tail) = tail.get(skipped..)?.split_at_checked(size)?;
    *rest = tail;
    Some((name, if *kind == 7 { value } else { &[] }))
}

/// Writes an event with a JSON payload.
pub fn write(out: &mut BytesMut, event: &str, payload: &[u8]) {
    frame(out, ("event", ":event-type", event), payload);
}

/// Writes an exception, after which nothing may follow.
pub fn write_exception(out: &mut BytesMut, exception: &str, payload: &[u8]) {
    frame(out, ("exception", ":exception-type", exception), payload);
}

fn frame(out: &mut BytesMut, (kind, name_header, name): (&str, &str, &str), payload: &[u8]) {
    let texts = [(name_header, name), (":content-type", "application/json"), (":message-type", kind)];
    let headers: usize = texts.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    assemble(out, headers, payload, |out| {
        for (name, value) in texts {
            put_text(out, name, value);
        }
    });
}

/// Writes an event of bytes.
pub(crate) fn write_bytes(out: &mut BytesMut, event: &str, payload: &[u8]) {
    let mut headers = BytesMut::new();
    for (name, value) in
        [(":content-type", "application/octet-stream"), (":event-type", event), (":message-type", "event")]
    {
        put_text(&mut headers, name, value);
    }
    write_framed(out, &headers, payload);
}

/// Writes a frame whose headers are written.
pub(crate) fn write_framed(out: &mut BytesMut, headers: &[u8], payload: &[u8]) {
    assemble(out, headers.len(), payload, |out| out.extend_from_slice(headers));
}

/// How long a frame is.
pub(crate) const fn framed_length(headers: usize, payload: usize) -> usize {
    headers + payload + AROUND
}

/// Appends a header that is a moment, in milliseconds since 1970.
pub(crate) fn put_moment(out: &mut BytesMut, name: &str, unix_ms: i64) {
    put_name(out, name, 8);
    out.put_i64(unix_ms);
}

/// Appends a header of bytes.
pub(crate) fn put_bytes(out: &mut BytesMut, name: &str, value: &[u8]) {
    put_name(out, name, 6);
    out.put_u16(u16::try_from(value.len()).unwrap_or(u16::MAX));
    out.extend_from_slice(value);
}

fn put_text(out: &mut BytesMut, name: &str, value: &str) {
    put_name(out, name, 7);
    out.put_u16(u16::try_from(value.len()).unwrap_or(u16::MAX));
    out.extend_from_slice(value.as_bytes());
}

fn put_name(out: &mut BytesMut, name: &str, kind: u8) {
    out.put_u8(u8::try_from(name.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(name.as_bytes());
    out.put_u8(kind);
}

/// Writes the lengths, the headers by `write`, the payload, and the checksums.
fn assemble(out: &mut BytesMut, headers: usize, payload: &[u8], write: impl FnOnce(&mut BytesMut)) {
    let whole = framed_length(headers, payload.len());
    let start = out.len();
    out.reserve(whole);
    out.put_u32(u32::try_from(whole).unwrap_or(u32::MAX));
    out.put_u32(u32::try_from(headers).unwrap_or(u32::MAX));
    out.put_u32(crc32fast::hash(&out[start..]));
    write(out);
    out.extend_from_slice(payload);
    out.put_u32(crc32fast::hash(&out[start..]));
}

/// Whole frames with other payloads: `change` gives the new one, or `None` to keep it. `None` when
/// nothing was changed, or when `bytes` are no whole frames.
#[must_use]
pub fn rewrite(bytes: &Bytes, mut change: impl FnMut(&[u8]) -> Option<Vec<u8>>) -> Option<Bytes> {
    let mut splitter = Splitter::new();
    splitter.push(bytes.clone());
    let mut out = BytesMut::with_capacity(bytes.len());
    let mut changed = false;
    while let Some(raw) = splitter.next_raw().ok()? {
        let (headers, payload) = sections(&raw).ok()?;
        let Some(other) = change(payload) else {
            out.extend_from_slice(&raw);
            continue;
        };
        changed = true;
        let start = out.len();
        out.put_u32(u32::try_from(headers.len() + other.len() + AROUND).ok()?);
        out.put_u32(u32::try_from(headers.len()).ok()?);
        out.put_u32(crc32fast::hash(&out[start..]));
        out.extend_from_slice(headers);
        out.extend_from_slice(&other);
        out.put_u32(crc32fast::hash(&out[start..]));
    }
    splitter.finish().ok()?;
    changed.then(|| out.freeze())
}

#[cfg(test)]
mod tests;
