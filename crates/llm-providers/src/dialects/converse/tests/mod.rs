//! Tests of the whole dialect: what goes in comes out, and recorded traffic is understood.

mod recorded;
mod round_trip;
mod vectors;

use std::path::PathBuf;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use llm_types::Event;
use serde_json::{Value, json};

use super::Converse;
use crate::dialect::Dialect;
use crate::framing::{Frames, event_stream};
use crate::{ParamPolicy, ProviderSpec, Target};

/// A target of this dialect.
pub(super) fn target(model: &str) -> Target {
    let spec: ProviderSpec = serde_json::from_value(json!({
        "id": "bedrock", "name": "Amazon Bedrock", "docs": "", "auth": "bearer", "dialect": "converse",
        "base_url": "https://bedrock-runtime.us-east-1.amazonaws.com"}))
    .unwrap();
    Target {
        spec: Arc::new(spec),
        model: model.to_owned(),
        base_url: "https://bedrock-runtime.us-east-1.amazonaws.com".to_owned(),
        key: None,
        headers: http::HeaderMap::new(),
        defaults: serde_json::Map::new(),
        policy: ParamPolicy::default(),
        timeouts: llm_types::Timeouts::default(),
        cloud: None,
    }
}

/// Claude, which takes nearly all the dialect has.
pub(super) const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

/// A folder of recorded material beside the project; `None` (said aloud) where it is absent.
pub(super) fn shared(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("GATEWAY_SHARED").map(PathBuf::from);
    let root = root.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let folder = root.join(folder);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no recorded material at {}", folder.display());
    None
}

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

/// The events of a streamed body that comes in pieces.
pub(super) fn events_in_pieces(body: &[u8], size: usize) -> Vec<Event> {
    let mut frames = Frames::new(Converse.framing());
    let mut decoder = Converse.stream_decoder();
    let mut events = Vec::new();
    for piece in body.chunks(size.min(body.len().max(1))) {
        frames.push(Bytes::copy_from_slice(piece));
        while let Some(frame) = frames.next_frame().unwrap() {
            decoder.push(&frame, &mut events).unwrap();
        }
    }
    frames.finish().unwrap();
    decoder.finish(&mut events);
    events
}

/// The bytes written for events.
pub(super) fn written(events: &[Event]) -> Bytes {
    let mut encoder = Converse.stream_encoder(crate::ReplyContext::default());
    let mut out = BytesMut::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    encoder.finish(&mut out);
    out.freeze()
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

/// What a stream said, whatever the pieces it came in: one line per thing.
pub(super) fn said(events: &[Event]) -> Vec<String> {
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut usage = llm_types::Usage::default();
    let mut fresh = true;
    for event in events {
        let (kind, text) = match event {
            Event::Text { text, .. } => ("text".to_owned(), text.clone()),
            Event::Reasoning { text, .. } => ("reasoning".to_owned(), text.clone()),
            Event::ToolArguments { index, arguments, .. } => {
                (format!("arguments {index}"), arguments.clone())
            }
            Event::Usage(more) => {
                usage.update(more);
                continue;
            }
            Event::BlockEnd { .. } => {
                fresh = true;
                continue;
            }
            Event::Ping => continue,
            other => (String::new(), format!("{other:?}")),
        };
        match lines.last_mut() {
            Some((last, said)) if *last == kind && !kind.is_empty() && !fresh => said.push_str(&text),
            _ => lines.push((kind, text)),
        }
        fresh = false;
    }
    let mut lines: Vec<String> = lines.into_iter().map(|(kind, text)| format!("{kind}: {text}")).collect();
    lines.push(format!("{usage:?}"));
    lines
}

/// JSON without the members that are null, its numbers of one kind.
pub(super) fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        Value::Array(values) => Value::Array(values.iter().map(without_nulls).collect()),
        Value::Number(number) => number.as_f64().map_or_else(|| value.clone(), Value::from),
        other => other.clone(),
    }
}
