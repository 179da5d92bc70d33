//! Server-sent events forwarded as they came between parties of one dialect, read only for settlement.

use std::fmt;

use bytes::{Bytes, BytesMut};
use llm_types::{Error, ErrorKind};

use crate::dialect::{Relay, ReplyFacts};
use crate::framing::sse::{self, Pass, Splitter};
use crate::scan;

/// How a dialect's frames are read.
pub(in crate::dialects) trait Look: Default + Send + fmt::Debug {
    /// Learns from one frame what settlement needs.
    fn frame(&mut self, raw: &[u8], facts: &mut ReplyFacts);

    /// The body has ended: a dialect without a last frame tells whether the answer is complete.
    fn close(&mut self, _cut: bool, _facts: &mut ReplyFacts) {}

    /// Writes the frame that ends a stream which failed.
    fn error(error: &Error, out: &mut BytesMut);
}

/// Forwards a stream.
#[derive(Debug, Default)]
pub(in crate::dialects) struct Forwarder<L> {
    splitter: Splitter,
    look: L,
    facts: ReplyFacts,
    /// A frame was too large to take: nothing more is forwarded.
    broken: bool,
}

impl<L: Look> Forwarder<L> {
    /// A new stream. Usage is part of every stream of these dialects: there is nothing to hide.
    pub(in crate::dialects) fn new(_show_usage: bool) -> Self {
        Self::default()
    }

    /// A stream whose frames are no larger than `limit` bytes.
    #[cfg(test)]
    pub(in crate::dialects) fn with_limit(limit: usize) -> Self {
        Self { splitter: Splitter::with_limit(limit), ..Self::default() }
    }

    fn fail(&mut self, error: Error, out: &mut Vec<Bytes>) {
        let mut frame = BytesMut::with_capacity(160);
        L::error(&error, &mut frame);
        out.push(frame.freeze());
        self.facts.error = Some(error);
    }

    /// The last frame without its blank line goes on if it is whole; half a frame does not.
    fn rest(&mut self, rest: Bytes, out: &mut Vec<Bytes>) {
        let data = sse::fields(&rest).data;
        let whole = data.as_ref() == b"[DONE]" || scan::value(&data).is_ok();
        if whole {
            drop(data);
            self.look.frame(&rest, &mut self.facts);
            let ends: &[u8] = if rest.ends_with(b"\n") { b"\n" } else { b"\n\n" };
            out.push(rest);
            out.push(Bytes::from_static(ends));
        }
    }
}

impl<L: Look + 'static> Relay for Forwarder<L> {
    fn push(&mut self, bytes: Bytes, out: &mut Vec<Bytes>) {
        if self.broken {
            return;
        }
        let Self { splitter, look, facts, .. } = self;
        let forwarded = splitter.forward(bytes, out, |raw| {
            look.frame(raw, facts);
            Pass::Keep
        });
        if let Err(error) = forwarded {
            self.broken = true;
            self.fail(error, out);
        }
    }

    fn finish(&mut self, cut_by: Option<&Error>, out: &mut Vec<Bytes>) {
        if self.broken {
            return;
        }
        if let Some(rest) = self.splitter.finish() {
            self.rest(rest, out);
        }
        if self.facts.error.is_none() {
            self.look.close(cut_by.is_some(), &mut self.facts);
        }
        if !self.facts.complete && self.facts.error.is_none() {
            self.fail(cut_by.cloned().unwrap_or_else(cut), out);
        }
    }

    fn facts(&self) -> &ReplyFacts {
        &self.facts
    }
}

/// The error of a stream that ended before it said so.
pub(in crate::dialects) fn cut() -> Error {
    Error::new(ErrorKind::BadUpstream, "the provider's stream ended before the answer was complete")
}
