//! Newline-delimited JSON: one document a line, whatever the chunks.

use bytes::{Bytes, BytesMut};
use llm_types::{Error, ErrorKind, Result};
use memchr::memchr;

use super::sse::FRAME_LIMIT;
use crate::dialect::Frame;

/// Cuts a body into lines. Blank lines are no frames; a last line may lack its line feed.
#[derive(Debug)]
pub struct Splitter {
    buffer: BytesMut,
    /// How much of `buffer` is known to hold no line feed.
    scanned: usize,
    limit: usize,
}

impl Default for Splitter {
    fn default() -> Self {
        Self::new()
    }
}

impl Splitter {
    /// A splitter that takes lines up to [`FRAME_LIMIT`].
    #[must_use]
    pub fn new() -> Self {
        Self::with_limit(FRAME_LIMIT)
    }

    /// A splitter that takes lines up to `limit` bytes.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self { buffer: BytesMut::new(), scanned: 0, limit }
    }

    /// Takes the next bytes of the body.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next line that is not blank; `None` until more bytes come.
    ///
    /// # Errors
    /// [`ErrorKind::BadUpstream`] when a line is larger than the limit.
    pub fn next_frame(&mut self) -> Result<Option<Frame>> {
        while let Some(line) = self.next_line()? {
            if let Some(frame) = frame(&line) {
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }

    /// The next line as it came, its line feed included; `None` until more bytes come.
    ///
    /// # Errors
    /// As [`Splitter::next_frame`].
    pub fn next_line(&mut self) -> Result<Option<Bytes>> {
        let Some(offset) = memchr(b'\n', &self.buffer[self.scanned..]) else {
            self.scanned = self.buffer.len();
            self.check_limit(self.scanned)?;
            return Ok(None);
        };
        let line = self.buffer.split_to(self.scanned + offset + 1).freeze();
        self.scanned = 0;
        self.check_limit(line.len())?;
        Ok(Some(line))
    }

    /// The body has ended: the last line, if it is more than white space.
    pub fn finish(&mut self) -> Option<Frame> {
        self.scanned = 0;
        frame(&self.buffer.split().freeze())
    }

    fn check_limit(&self, size: usize) -> Result<()> {
        if size <= self.limit {
            return Ok(());
        }
        let limit = self.limit;
        Err(Error::new(
            ErrorKind::BadUpstream,
            format!("provider sent a stream frame larger than {limit} bytes"),
        ))
    }
}

fn frame(line: &Bytes) -> Option<Frame> {
    let text = line.trim_ascii();
    (!text.is_empty()).then(|| Frame { event: Bytes::new(), data: line.slice_ref(text) })
}

#[cfg(test)]
mod tests;
