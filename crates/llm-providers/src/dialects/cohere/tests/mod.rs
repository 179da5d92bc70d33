//! Tests of the whole dialect: what goes in comes out, and recorded traffic is understood.

mod recorded;
mod replies;
mod requests;
mod round_trip;
mod streams;

use std::path::PathBuf;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use llm_types::{Event, Result, Timeouts};
use serde_json::{Map, Value};

use super::Cohere;
use crate::dialect::{Dialect, Relay};
use crate::dialects::OPENAI_CHAT;
use crate::framing::sse::{self, Splitter};
use crate::{ParamPolicy, ReplyContext, Target};

/// A target of this dialect.
pub(super) fn target(model: &str) -> Target {
    let registry = crate::Registry::built_in();
    let spec = registry.all().into_iter().find(|spec| spec.id.as_str() == "cohere").unwrap();
    Target {
        spec: Arc::clone(spec),
        model: model.to_owned(),
        base_url: "https://api.cohere.com".to_owned(),
        key: None,
        headers: HeaderMap::new(),
        defaults: Map::new(),
        policy: ParamPolicy::default(),
        cloud: None,
        timeouts: Timeouts::default(),
    }
}

/// What a provider of this dialect gets from a caller of OpenAI's.
pub(super) fn from_openai(body: &Value, target: &Target) -> Result<Value> {
    let request = OPENAI_CHAT.decode_request(&serde_json::to_vec(body).unwrap())?;
    let sent = Cohere.encode_request(&request, target)?;
    Ok(serde_json::from_slice(&sent.body).unwrap())
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

/// The events of a streamed body in pieces of a size.
pub(super) fn events_in(body: &[u8], size: usize) -> Vec<Event> {
    let (mut splitter, mut decoder, mut events) = (Splitter::new(), Cohere.stream_decoder(), Vec::new());
    for piece in body.chunks(size.clamp(1, body.len().max(1))) {
        splitter.push(Bytes::copy_from_slice(piece));
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

/// The events of a streamed body.
pub(super) fn events(body: &[u8]) -> Vec<Event> {
    events_in(body, usize::MAX)
}

/// The frames written for events.
pub(super) fn frames(events: &[Event]) -> String {
    let mut encoder = Cohere.stream_encoder(ReplyContext::default());
    let mut out = BytesMut::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    encoder.finish(&mut out);
    String::from_utf8(out.to_vec()).unwrap()
}

/// What is forwarded of a body in pieces of a size.
pub(super) fn relayed(body: &[u8], size: usize) -> (Vec<u8>, Box<dyn Relay>) {
    let mut relay = Cohere.relay(true);
    let mut out = Vec::new();
    for piece in body.chunks(size.clamp(1, body.len().max(1))) {
        relay.push(Bytes::copy_from_slice(piece), &mut out);
    }
    relay.finish(None, &mut out);
    (out.concat(), relay)
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
