//! Ollama's chat: no request or stream does harm, what is read can be written and read again, and what is
//! forwarded does not depend on how the bytes were split.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use llm_providers::dialect::{Frame, ReplyContext};
use llm_providers::{ParamPolicy, Target, dialects};
use serde_json::json;

fn target() -> Target {
    let spec = serde_json::from_value(json!({
        "id": "ollama", "name": "", "docs": "", "base_url": "https://e.org", "auth": "none", "dialect": "ollama"}));
    Target {
        spec: Arc::new(spec.expect("a record")),
        model: "m".to_owned(),
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
    let dialect = dialects::OLLAMA;
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

/// A stream of any lines gives events that every dialect can write.
pub(crate) fn stream(data: &[u8]) {
    let mut decoder = dialects::OLLAMA.stream_decoder();
    let mut encoders = [dialects::OLLAMA, dialects::OPENAI_CHAT, dialects::ANTHROPIC]
        .map(|dialect| dialect.stream_encoder(ReplyContext::default()));
    let (mut events, mut out) = (Vec::new(), BytesMut::new());
    for line in data.split(|byte| *byte == b'\n') {
        let frame = Frame { event: Bytes::new(), data: Bytes::copy_from_slice(line) };
        if decoder.push(&frame, &mut events).is_err() {
            break;
        }
    }
    decoder.finish(&mut events);
    for encoder in &mut encoders {
        events.iter().for_each(|event| encoder.push(event, &mut out));
        encoder.finish(&mut out);
    }
    let forwarded = |size: usize| {
        let (mut relay, mut out) = (dialects::OLLAMA.relay(true), Vec::new());
        data.chunks(size).for_each(|piece| relay.push(Bytes::copy_from_slice(piece), &mut out));
        relay.finish(None, &mut out);
        (out.concat(), relay.facts().clone())
    };
    assert_eq!(forwarded(3), forwarded(data.len().max(1)));
}
