//! Tests of the whole dialect: what goes in comes out, and recorded traffic is understood.

mod recorded;
mod round_trip;
mod vectors;

use std::path::PathBuf;
use std::sync::Arc;

use http::HeaderMap;
use llm_types::{Event, Timeouts};
use serde_json::{Map, Value};

use super::Anthropic;
use crate::dialect::Dialect;
use crate::framing::sse::{self, Splitter};
use crate::spec::{Auth, DialectId, ProviderSpec, Quirks};
use crate::{ParamPolicy, Target};

/// A target of this dialect.
pub(super) fn target(model: &str) -> Target {
    let spec = ProviderSpec {
        id: llm_types::ProviderId::known("anthropic"),
        name: "Anthropic".into(),
        docs: "".into(),
        base_url: "https://api.anthropic.com".into(),
        prefix: "".into(),
        base_url_env: (&[]).into(),
        key_env: (&[]).into(),
        auth: Auth::Header("x-api-key".into()),
        dialect: DialectId::Anthropic,
        quirks: Quirks::NONE,
        cloud: crate::CloudSpec::NONE,
    };
    Target {
        spec: Arc::new(spec),
        model: model.to_owned(),
        base_url: "https://api.anthropic.com".to_owned(),
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

/// The events of a streamed body.
pub(super) fn events(body: &[u8]) -> Vec<Event> {
    let mut splitter = Splitter::new();
    splitter.push(bytes::Bytes::copy_from_slice(body));
    let mut decoder = Anthropic.stream_decoder();
    let mut events = Vec::new();
    while let Some(frame) = splitter.next_frame().unwrap() {
        decoder.push(&frame, &mut events).unwrap();
    }
    if let Some(frame) = splitter.finish().as_ref().and_then(sse::parse) {
        decoder.push(&frame, &mut events).unwrap();
    }
    decoder.finish(&mut events);
    events
}

/// The frames written for events.
pub(super) fn frames(events: &[Event]) -> String {
    let mut encoder = Anthropic.stream_encoder(crate::ReplyContext::default());
    let mut out = bytes::BytesMut::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    encoder.finish(&mut out);
    String::from_utf8(out.to_vec()).unwrap()
}

/// What a stream said, whatever the pieces it came in: one line per thing.
pub(super) fn said(events: &[Event]) -> Vec<String> {
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut usage = llm_types::Usage::default();
    let mut fresh = true;
    for event in events {
        let (kind, text) = match event {
            Event::Start(start) => ("start".to_owned(), format!("{} {}", start.id, start.model)),
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
    // The wire always states both counts.
    usage.cache_read_tokens = usage.cache_read_tokens.filter(|count| *count > 0);
    usage.cache_write_tokens = usage.cache_write_tokens.filter(|count| *count > 0);
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
