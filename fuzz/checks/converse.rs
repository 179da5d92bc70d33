//! Converse: no request or stream does harm, and what is read can be written and read again.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use llm_providers::dialect::{Frame, ReplyContext};
use llm_providers::{ParamPolicy, Target, dialects};
use serde_json::json;

fn target() -> Target {
    let spec = serde_json::from_value(json!({
        "id": "bedrock", "name": "", "docs": "", "base_url": "https://e.org", "auth": "none", "dialect": "converse"}));
    Target {
        spec: Arc::new(spec.expect("a record")),
        model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0".to_owned(),
        base_url: "https://e.org".to_owned(),
        key: None,
        headers: http::HeaderMap::new(),
        defaults: serde_json::Map::new(),
        policy: ParamPolicy { drop: true, ..ParamPolicy::default() },
        timeouts: llm_types::Timeouts::default(),
        cloud: None,
    }
}

/// A request that is read can be written; what was written is read again and written the same.
pub(crate) fn request(data: &[u8]) {
    let dialect = dialects::CONVERSE;
    let glance = dialect.glance(data);
    let Ok(request) = dialect.decode_request(data) else { return };
    if let Ok(glance) = glance {
        let body = Bytes::copy_from_slice(data);
        let _forwarded = dialect.forward_request(&body, &glance, &target());
    }
    let Ok(written) = dialect.encode_request(&request, &target()) else { return };
    let again = dialect.decode_request(&written.body).expect("what we write we read");
    let Ok(twice) = dialect.encode_request(&again, &target()) else { return };
    let value =
        |body: &[u8]| serde_json::from_slice::<serde_json::Value>(body).expect("what we write is JSON");
    assert_eq!(value(&twice.body), value(&written.body));
}

/// A stream of any frames gives events that every dialect can write; each line of the data is a frame:
/// an event's name, a blank, its payload.
pub(crate) fn stream(data: &[u8]) {
    let mut decoder = dialects::CONVERSE.stream_decoder();
    let mut encoders = [dialects::CONVERSE, dialects::OPENAI_CHAT, dialects::ANTHROPIC]
        .map(|dialect| dialect.stream_encoder(ReplyContext::default()));
    let (mut events, mut out) = (Vec::new(), BytesMut::new());
    for line in data.split(|byte| *byte == b'\n') {
        let mut words = line.splitn(2, |byte| *byte == b' ');
        let mut next = || Bytes::copy_from_slice(words.next().unwrap_or_default());
        let frame = Frame { event: next(), data: next() };
        if decoder.push(&frame, &mut events).is_err() {
            break;
        }
    }
    decoder.finish(&mut events);
    for encoder in &mut encoders {
        events.iter().for_each(|event| encoder.push(event, &mut out));
        encoder.finish(&mut out);
    }
}
