//! The dialect as a whole: recorded exchanges, streams cut anywhere, conversations that go round.

mod properties;
mod recorded;
mod round_trip;
mod splits;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use llm_types::{Event, ProviderId, Timeouts};
use serde_json::{Map, Value, json};

use super::OpenaiResponses;
use crate::dialect::{Dialect, ReplyContext};
use crate::framing::sse::{Splitter, parse};
use crate::{Auth, DialectId, ParamPolicy, ProviderSpec, Quirks, Target};

pub(crate) const DIALECT: OpenaiResponses = OpenaiResponses;

/// A vendor of the dialect.
pub(crate) fn target(model: &str, quirks: Quirks) -> Target {
    let spec: ProviderSpec = serde_json::from_value(json!({
        "id": "vendor", "name": "Vendor", "docs": "", "base_url": "https://vendor.example/v1",
        "auth": "bearer", "dialect": "openai_responses",
    }))
    .unwrap();
    let spec = ProviderSpec {
        id: ProviderId::known("vendor"),
        auth: Auth::Bearer,
        dialect: DialectId::OpenaiResponses,
        quirks,
        ..spec
    };
    Target {
        base_url: spec.base_url.to_string(),
        spec: Arc::new(spec),
        model: model.to_owned(),
        key: None,
        headers: HeaderMap::new(),
        defaults: Map::new(),
        policy: ParamPolicy::default(),
        timeouts: Timeouts::default(),
        cloud: None,
    }
}

pub(crate) fn cx() -> ReplyContext {
    ReplyContext { id: "resp_7".into(), model: "shown".into(), now: 100, ..ReplyContext::default() }
}

/// The events of a stream.
pub(crate) fn events(sse: &[u8]) -> Vec<Event> {
    let (mut frames, mut decoder, mut out) = (Splitter::new(), DIALECT.stream_decoder(), Vec::new());
    frames.push(Bytes::copy_from_slice(sse));
    while let Some(frame) = frames.next_frame().unwrap() {
        decoder.push(&frame, &mut out).unwrap();
    }
    if let Some(frame) = frames.finish().and_then(|rest| parse(&rest)) {
        decoder.push(&frame, &mut out).unwrap();
    }
    decoder.finish(&mut out);
    out
}

/// The frames that events become, as JSON.
pub(crate) fn frames(events: &[Event]) -> Vec<Value> {
    let mut encoder = DIALECT.stream_encoder(cx());
    let mut out = BytesMut::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    encoder.finish(&mut out);
    data(&out)
}

/// The data of frames, as JSON.
pub(crate) fn data(sse: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(sse).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("data:"));
    lines.filter_map(|data| serde_json::from_str(data).ok()).collect()
}
