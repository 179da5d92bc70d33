//! Tests of the whole dialect: what goes in comes out, and recorded traffic is understood.

mod recorded;
mod replies;
mod requests;
mod round_trip;
mod vectors;

use std::path::PathBuf;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use llm_types::{Event, Result, Timeouts};
use serde_json::{Map, Value};

use super::Ollama;
use crate::dialect::{Dialect, Relay};
use crate::dialects::OPENAI_CHAT;
use crate::framing::ndjson::Splitter;
use crate::{ParamPolicy, ReplyContext, Target};

/// A target of this dialect: `slug` tells whether prompts are completed (`ollama`) or chats
/// (`ollama_chat`).
pub(super) fn target(slug: &str, model: &str) -> Target {
    let registry = crate::Registry::built_in();
    let spec = registry.all().into_iter().find(|spec| spec.id.as_str() == slug).unwrap();
    Target {
        spec: Arc::clone(spec),
        model: model.to_owned(),
        base_url: "http://localhost:11434".to_owned(),
        key: None,
        headers: HeaderMap::new(),
        defaults: Map::new(),
        policy: ParamPolicy::default(),
        cloud: None,
        timeouts: Timeouts::default(),
    }
}

/// What a provider of this dialect gets from a caller of OpenAI's: path and body.
pub(super) fn from_openai(body: &Value, target: &Target) -> Result<(String, Value)> {
    let mut request = OPENAI_CHAT.decode_request(&serde_json::to_vec(body).unwrap())?;
    if let Some(Value::Object(members)) = body.get("extra_body") {
        // The gateway spreads them over the body.
        request.extra.0.extend(members.clone());
    }
    let sent = Ollama.encode_request(&request, target)?;
    Ok((sent.path, serde_json::from_slice(&sent.body).unwrap()))
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
    let (mut splitter, mut decoder, mut events) = (Splitter::new(), Ollama.stream_decoder(), Vec::new());
    for piece in body.chunks(size.clamp(1, body.len().max(1))) {
        splitter.push(piece);
        while let Some(frame) = splitter.next_frame().unwrap() {
            decoder.push(&frame, &mut events).unwrap();
        }
    }
    if let Some(frame) = splitter.finish() {
        decoder.push(&frame, &mut events).unwrap();
    }
    decoder.finish(&mut events);
    events
}

/// The events of a streamed body.
pub(super) fn events(body: &[u8]) -> Vec<Event> {
    events_in(body, usize::MAX)
}

/// The lines written for events.
pub(super) fn lines(events: &[Event]) -> Vec<Value> {
    let mut encoder = Ollama.stream_encoder(ReplyContext::default());
    let mut out = BytesMut::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    encoder.finish(&mut out);
    let text = String::from_utf8(out.to_vec()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What is forwarded of a body in pieces of a size.
pub(super) fn relayed(body: &[u8], size: usize) -> (Vec<u8>, Box<dyn Relay>) {
    let mut relay = Ollama.relay(true);
    let mut out = Vec::new();
    for piece in body.chunks(size.clamp(1, body.len().max(1))) {
        relay.push(Bytes::copy_from_slice(piece), &mut out);
    }
    relay.finish(None, &mut out);
    (out.concat(), relay)
}

/// JSON whose numbers are of one kind.
pub(super) fn one_kind_of_number(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            Value::Object(map.iter().map(|(name, value)| (name.clone(), one_kind_of_number(value))).collect())
        }
        Value::Array(values) => Value::Array(values.iter().map(one_kind_of_number).collect()),
        Value::Number(number) => number.as_f64().map_or_else(|| value.clone(), Value::from),
        other => other.clone(),
    }
}
