//! Tests of the whole dialect: what goes in comes out, and recorded traffic is understood.

mod recorded;
mod round_trip;
mod vectors;

use bytes::{Bytes, BytesMut};
use llm_types::Event;
use serde_json::{Value, json};

use super::Converse;
use crate::dialect::Dialect;
use crate::dialects::tests::bench;
use crate::framing::{Frames, event_stream};
use crate::{ReplyContext, Target};

pub(super) use crate::dialects::tests::bench::{said, status, without_nulls};

/// A target of this dialect.
pub(super) fn target(model: &str) -> Target {
    let spec = json!({ "id": "bedrock", "name": "Amazon Bedrock", "docs": "", "auth": "bearer", "dialect": "converse",
        "base_url": "https://bedrock-runtime.us-east-1.amazonaws.com" });
    bench::target(serde_json::from_value(spec).unwrap(), model)
}

/// The events of a streamed body that comes in pieces.
pub(super) fn events_in_pieces(body: &[u8], size: usize) -> Vec<Event> {
    bench::events(&Converse, body, size)
}

/// The bytes written for events.
pub(super) fn written(events: &[Event]) -> Bytes {
    bench::written(&Converse, ReplyContext::default(), events).into()
}

/// Claude, which takes nearly all the dialect has.
pub(super) const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

/// A streamed body of these events; names that end with `Exception` are exceptions.
pub(super) fn stream(events: &[(&str, Value)]) -> Bytes {
    let mut out = BytesMut::new();
    for (name, payload) in events {
        let payload = payload.to_string();
        if name.ends_with("Exception") {
            event_stream::write_exception(&mut out, name, payload.as_bytes());
        } else {
            event_stream::write(&mut out, name, payload.as_bytes());
        }
    }
    out.freeze()
}

/// The events of a streamed body.
pub(super) fn events(body: &[u8]) -> Vec<Event> {
    events_in_pieces(body, usize::MAX)
}

/// The frames of a body: name and payload.
pub(super) fn frames(body: &Bytes) -> Vec<(String, Value)> {
    let mut frames = Frames::new(Converse.framing());
    frames.push(body.clone());
    let mut found = Vec::new();
    while let Some(frame) = frames.next_frame().unwrap() {
        let name = String::from_utf8(frame.event.to_vec()).unwrap();
        found.push((name, serde_json::from_slice(&frame.data).unwrap()));
    }
    frames.finish().unwrap();
    found
}
