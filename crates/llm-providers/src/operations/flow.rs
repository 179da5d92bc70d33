//! Replies whose bytes are the caller's as they come: audio, and events in OpenAI's form.

use bytes::{Bytes, BytesMut};
use llm_types::{Error, ErrorKind, Usage};

use super::{Job, unread};
use crate::dialect::{Framing, Relay, ReplyFacts};
use crate::dialects;
use crate::framing::Frames;
use crate::scan;

/// What forwards a reply of this type, and learns from it what settlement needs.
#[must_use]
pub fn flow(job: &Job<'_>, content_type: &str) -> Box<dyn Relay> {
    let facts = ReplyFacts { complete: false, ..unread(job) };
    if content_type.starts_with("text/event-stream") {
        return Box::new(Events { frames: Frames::new(Framing::Sse), facts, ended: false });
    }
    Box::new(Plain { facts })
}

/// Bytes without frames: only their end tells that they are complete.
#[derive(Debug)]
struct Plain {
    facts: ReplyFacts,
}

impl Relay for Plain {
    fn push(&mut self, bytes: Bytes, out: &mut Vec<Bytes>) {
        if !bytes.is_empty() {
            out.push(bytes);
        }
    }

    fn finish(&mut self, cut: Option<&Error>, _out: &mut Vec<Bytes>) {
        self.facts.complete = cut.is_none();
    }

    fn facts(&self) -> &ReplyFacts {
        &self.facts
    }
}

/// Events of OpenAI's streams of speech, transcripts and pictures: the last one says `….done` or
/// `….completed`, and usage.
#[derive(Debug)]
struct Events {
    frames: Frames,
    facts: ReplyFacts,
    ended: bool,
}

impl Events {
    fn look(&mut self, data: &[u8]) {
        if data == b"[DONE]" {
            self.ended = true;
            return;
        }
        let Ok(event) = scan::value(data) else { return };
        let kind = event.member("type").and_then(|kind| kind.as_str()).unwrap_or_default();
        self.ended |= kind.ends_with(".done") || kind.ends_with(".completed");
        if let Some(usage) = event.member("usage").filter(|usage| !usage.is_null()) {
            let told = super::reply::read_usage(usage);
            let before = self.facts.usage.take().unwrap_or_default();
            let units = told.units.clone().or(before.units);
            let pictures = kind.starts_with("image_").then_some(told.output_tokens);
            let output_image_tokens = told.output_image_tokens.or(pictures);
            self.facts.usage = Some(Usage { units, output_image_tokens, ..told });
        }
        if kind == "error" || kind.is_empty() {
            let error = event.member("error").filter(|error| !error.is_null());
            self.facts.error = error.map(dialects::openai_error_within).or(self.facts.error.take());
        }
    }
}

impl Relay for Events {
    fn push(&mut self, bytes: Bytes, out: &mut Vec<Bytes>) {
        self.frames.push(bytes.clone());
        out.push(bytes);
        while let Ok(Some(frame)) = self.frames.next_frame() {
            self.look(&frame.data);
        }
    }

    fn finish(&mut self, cut: Option<&Error>, out: &mut Vec<Bytes>) {
        if let Ok(Some(frame)) = self.frames.finish() {
            self.look(&frame.data);
        }
        self.facts.complete = self.ended && cut.is_none() && self.facts.error.is_none();
        if !self.facts.complete && self.facts.error.is_none() {
            let short =
                || Error::new(ErrorKind::BadUpstream, "the provider's stream ended before it was complete");
            let error = cut.cloned().unwrap_or_else(short);
            let mut event = BytesMut::from(&b"\n\ndata: "[..]);
            event.extend_from_slice(&dialects::openai_encode_error(&error).1);
            event.extend_from_slice(b"\n\n");
            out.push(event.freeze());
        }
    }

    fn facts(&self) -> &ReplyFacts {
        &self.facts
    }
}

#[cfg(test)]
mod tests;
