//! Tests of the whole dialect: what goes in comes out, and recorded traffic is understood.

mod recorded;
mod round_trip;
mod vectors;

use std::path::PathBuf;
use std::sync::Arc;

use http::HeaderMap;
use llm_types::{Event, Timeouts};
use serde_json::{Map, Value};

use super::Gemini;
use crate::dialect::Dialect;
use crate::framing::sse::{self, Splitter};
use crate::providers::built_in;
use crate::{ParamPolicy, Target};

/// A target of this dialect: AI Studio.
pub(super) fn target(model: &str) -> Target {
    let spec = built_in().find(|spec| spec.id.as_str() == "gemini").expect("it is built in");
    Target {
        spec: Arc::new(spec.clone()),
        model: model.to_owned(),
        base_url: "https://generativelanguage.googleapis.com/v1beta".to_owned(),
        key: None,
        headers: HeaderMap::new(),
        defaults: Map::new(),
        policy: ParamPolicy::default(),
        timeouts: Timeouts::default(),
        cloud: None,
    }
}

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

/// The events of a streamed body, pushed in pieces of a size.
pub(super) fn events(body: &[u8], size: usize) -> Vec<Event> {
    let (mut splitter, mut decoder, mut events) = (Splitter::new(), Gemini.stream_decoder(), Vec::new());
    for piece in body.chunks(size.min(body.len().max(1))) {
        splitter.push(bytes::Bytes::copy_from_slice(piece));
        while let Some(frame) = splitter.next_frame().unwrap() {
            decoder.push(&frame, &mut events).unwrap();
        }
    }
    if let Some(frame) = splitter.finish().as_ref().and_then(sse::parse) {
        decoder.push(&frame, &mut events).unwrap();
    }
    decoder.finish(&mut events);
    events
}

/// The frames written for events.
pub(super) fn frames(events: &[Event]) -> String {
    let mut encoder = Gemini.stream_encoder(crate::ReplyContext::default());
    let mut out = bytes::BytesMut::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    encoder.finish(&mut out);
    String::from_utf8(out.to_vec()).unwrap()
}

/// JSON without members that are null, its numbers of one kind.
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
