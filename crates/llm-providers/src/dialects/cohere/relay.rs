//! Replies forwarded as they came between parties of this dialect, read only for settlement.

use bytes::{Bytes, BytesMut};
use llm_types::Error;

use super::error;
use super::stream::{WireEvent, cut, end_in_error};
use super::wire::{failure, finish};
use crate::dialect::{Relay, ReplyFacts};
use crate::framing::sse::{self, Pass, Splitter};
use crate::scan;

/// Forwards a stream.
#[derive(Debug, Default)]
pub(super) struct Forwarder {
    splitter: Splitter,
    facts: ReplyFacts,
    /// A frame was too large to take: nothing more is forwarded.
    broken: bool,
}

impl Relay for Forwarder {
    fn push(&mut self, bytes: Bytes, out: &mut Vec<Bytes>) {
        if self.broken {
            return;
        }
        let Self { splitter, facts, .. } = self;
        let forwarded = splitter.forward(bytes, out, |raw| {
            look(raw, facts);
            Pass::Keep
        });
        if let Err(error) = forwarded {
            self.broken = true;
            out.push(error_frame(&error));
            self.facts.error = Some(error);
        }
    }

    fn finish(&mut self, cut_by: Option<&Error>, out: &mut Vec<Bytes>) {
        if self.broken {
            return;
        }
        if let Some(rest) = self.splitter.finish() {
            self.rest(rest, out);
        }
        if self.facts.complete || self.facts.error.is_some() {
            return;
        }
        let error = cut_by.cloned().unwrap_or_else(cut);
        out.push(error_frame(&error));
        self.facts.error = Some(error);
    }

    fn facts(&self) -> &ReplyFacts {
        &self.facts
    }
}

impl Forwarder {
    /// The last frame without its blank line goes on if it is whole; half a frame does not.
    fn rest(&mut self, rest: Bytes, out: &mut Vec<Bytes>) {
        let data = sse::fields(&rest).data;
        let whole = data.as_ref() == b"[DONE]" || scan::value(&data).is_ok();
        if whole {
            drop(data);
            look(&rest, &mut self.facts);
            let ends: &[u8] = if rest.ends_with(b"\n") { b"\n" } else { b"\n\n" };
            out.push(rest);
            out.push(Bytes::from_static(ends));
        }
    }
}

fn error_frame(error: &Error) -> Bytes {
    let mut out = BytesMut::with_capacity(160);
    end_in_error(&mut out, error, None);
    out.freeze()
}

/// Learns from one frame what settlement needs. The bulk of a stream is `content-delta`: told by its
/// first line and measured without being read.
fn look(raw: &[u8], facts: &mut ReplyFacts) {
    if facts.complete || facts.error.is_some() {
        return;
    }
    if let Some(rest) = raw.strip_prefix(b"event: content-delta\n") {
        facts.answer_bytes += delta_len(rest);
        return;
    }
    let fields = sse::fields(raw);
    let Ok(event) = serde_json::from_slice::<WireEvent>(&fields.data) else { return };
    match event.kind.as_str() {
        "message-start" => facts.id = event.id,
        "content-start" | "content-delta" | "tool-plan-delta" | "tool-call-start" | "tool-call-delta" => {
            facts.answer_bytes += event.said().map_or(0, |text| text.len() as u64);
        }
        "message-end" => {
            let end = event.delta.unwrap_or_default();
            facts.usage = end.usage.and_then(|usage| usage.canonical()).or(facts.usage.take());
            let word = end.finish_reason.unwrap_or_default();
            match failure(&word, end.error.as_deref()) {
                Some(error) => facts.error = Some(error),
                None => {
                    facts.finish = Some(finish(&word));
                    facts.complete = true;
                }
            }
        }
        "" => facts.error = serde_json::from_slice(&fields.data).ok().as_ref().and_then(error::stated),
        _ => {}
    }
}

/// The length of the text in a delta: what stands between the quotes behind its name.
fn delta_len(data: &[u8]) -> u64 {
    const NAMES: [&[u8]; 2] = [b"\"text\":\"", b"\"thinking\":\""];
    let of = |name: &[u8]| {
        let at = memchr::memmem::find(data, name)? + name.len();
        Some((scan::string_end(data, at) - at) as u64)
    };
    NAMES.into_iter().find_map(of).unwrap_or(0)
}
