//! A stream as one JSON list: what Gemini answers to `streamGenerateContent` without `alt=sse`.
//!
//! Vendor's page: <https://cloud.google.com/apis/docs/system-parameters> (`alt`).

use bytes::{BufMut as _, Bytes, BytesMut};
use llm_providers::ReplyFacts;
use llm_providers::framing::sse::{self, Splitter};
use llm_types::{Error, ErrorKind};

use super::pump::Pump;

/// A stream whose frames become elements.
#[derive(Debug)]
pub(crate) struct Listed {
    inner: Pump,
    list: List,
}

#[derive(Debug, Default)]
struct List {
    frames: Splitter,
    begun: bool,
    ended: bool,
}

impl Listed {
    /// The stream of a pump as a list.
    pub(super) fn new(inner: Pump) -> Self {
        Self { inner, list: List::default() }
    }

    /// Takes bytes of the provider, appends elements for the caller.
    pub(super) fn push(&mut self, bytes: Bytes, out: &mut Vec<Bytes>) {
        let mut frames = Vec::new();
        self.inner.push(bytes, &mut frames);
        self.list.add(frames, out);
    }

    /// The provider's body has ended: the last elements, and the list's end.
    pub(super) fn finish(&mut self, cut: Option<&Error>, out: &mut Vec<Bytes>) {
        let mut frames = Vec::new();
        self.inner.finish(cut, &mut frames);
        self.list.add(frames, out);
        // Where another provider may go on the list does not end yet.
        if self.inner.held().is_none() && !std::mem::replace(&mut self.list.ended, true) {
            out.push(self.list.end());
        }
    }

    /// The stream that is listed.
    pub(super) fn inner(&self) -> &Pump {
        &self.inner
    }

    /// Does something with the stream and adds the frames it gives.
    pub(super) fn around(&mut self, out: &mut Vec<Bytes>, act: impl FnOnce(&mut Pump, &mut Vec<Bytes>)) {
        let mut frames = Vec::new();
        act(&mut self.inner, &mut frames);
        self.list.add(frames, out);
    }

    /// What the reply has told so far.
    pub(super) fn facts(&self) -> &ReplyFacts {
        self.inner.facts()
    }
}

impl List {
    fn add(&mut self, frames: Vec<Bytes>, out: &mut Vec<Bytes>) {
        let mut bytes = BytesMut::new();
        for piece in frames {
            self.frames.push(piece);
            while let Some(frame) = self.frames.next_frame().unwrap_or_else(|error| too_large(&error)) {
                self.element(&frame.data, &mut bytes);
            }
        }
        if !bytes.is_empty() {
            out.push(bytes.freeze());
        }
    }

    fn element(&mut self, data: &[u8], out: &mut BytesMut) {
        let joint: &[u8] = if std::mem::replace(&mut self.begun, true) { b"\n,\r\n" } else { b"[" };
        out.put_slice(joint);
        out.put_slice(data);
    }

    fn end(&mut self) -> Bytes {
        let mut out = BytesMut::new();
        if let Some(frame) = self.frames.finish().as_ref().and_then(sse::parse) {
            self.element(&frame.data, &mut out);
        }
        out.put_slice(if self.begun { b"\n]" } else { b"[]" });
        out.freeze()
    }
}

/// The frames come from our own writers or passed a splitter of the same limit: one that is too large
/// here was made too large by us, and is left out.
fn too_large(error: &Error) -> Option<llm_providers::dialect::Frame> {
    debug_assert!(error.kind() == ErrorKind::BadUpstream, "the only fault of a splitter");
    tracing::error!(%error, "a frame of a listed stream is left out");
    None
}

/// A whole stream as a list.
pub(super) fn whole(frames: Bytes) -> Bytes {
    let (mut list, mut out) = (List::default(), Vec::new());
    list.add(vec![frames], &mut out);
    out.push(list.end());
    out.concat().into()
}

#[cfg(test)]
mod tests;
