//! Replies forwarded as they came between parties of this dialect, read only for settlement.

use bytes::BytesMut;
use llm_types::Error;

use super::error;
use super::stream::{WireEvent, end_in_error};
use super::wire::{failure, finish};
use crate::dialect::ReplyFacts;
use crate::dialects::pass;
use crate::framing::sse;
use crate::scan;

pub(super) use super::response::facts as reply_facts;

/// Forwards a stream.
pub(super) type Forwarder = pass::Forwarder<Frames>;

/// How frames are read: each says by itself what it says.
#[derive(Debug, Default)]
pub(super) struct Frames;

impl pass::Look for Frames {
    fn frame(&mut self, raw: &[u8], facts: &mut ReplyFacts) {
        look(raw, facts);
    }

    fn error(error: &Error, out: &mut BytesMut) {
        end_in_error(out, error, None);
    }
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
            event.called().into_iter().for_each(|name| facts.tools.note(name));
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
