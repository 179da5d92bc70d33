//! Bytes into frames and back, without a look at what the frames say.

pub mod event_stream;
pub mod ndjson;
pub mod sse;

use bytes::Bytes;
use llm_types::Result;

use crate::dialect::{Frame, Framing};

/// Cuts a streamed body into frames, whichever way the dialect frames it. Feed it with
/// [`Frames::push`], drain [`Frames::next_frame`], and at the end of the body ask [`Frames::finish`].
#[derive(Debug)]
pub enum Frames {
    /// Server-sent events.
    Sse(sse::Splitter),
    /// One JSON document a line.
    Ndjson(ndjson::Splitter),
    /// AWS event stream.
    EventStream(event_stream::Splitter),
}

impl Frames {
    /// A splitter of bodies framed so.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        match framing {
            Framing::Sse => Self::Sse(sse::Splitter::new()),
            Framing::Ndjson => Self::Ndjson(ndjson::Splitter::new()),
            Framing::EventStream => Self::EventStream(event_stream::Splitter::new()),
        }
    }

    /// Takes the next bytes of the body.
    pub fn push(&mut self, bytes: Bytes) {
        match self {
            Self::Sse(splitter) => splitter.push(bytes),
            Self::Ndjson(splitter) => splitter.push(&bytes),
            Self::EventStream(splitter) => splitter.push(bytes),
        }
    }

    /// The next whole frame; `None` until more bytes come.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::BadUpstream`] when a frame is too large or is none.
    pub fn next_frame(&mut self) -> Result<Option<Frame>> {
        match self {
            Self::Sse(splitter) => splitter.next_frame(),
            Self::Ndjson(splitter) => splitter.next_frame(),
            Self::EventStream(splitter) => splitter.next_frame(),
        }
    }

    /// The body has ended: the last frame, where a framing allows it to lack its end.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::BadUpstream`] when the body ended inside a frame that cannot stand so.
    pub fn finish(&mut self) -> Result<Option<Frame>> {
        match self {
            Self::Sse(splitter) => Ok(splitter.finish().and_then(|rest| sse::parse(&rest))),
            Self::Ndjson(splitter) => Ok(splitter.finish()),
            Self::EventStream(splitter) => splitter.finish().map(|()| None),
        }
    }
}

#[cfg(test)]
mod tests;
