//! Gemini: no request or stream does harm, and what is read can be written and read again.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use llm_providers::dialect::{Frame, ReplyContext};
use llm_providers::{ParamPolicy, Target, dialects};
use serde_json::json;

fn target() -> Target {
    let spec = serde_json::from_value(json!({
        "id": "gemini", "name": "", "docs": "", "base_url": "https://e.org", "auth": "none", "dialect": "gemini"}));
    Target {
        spec: Arc::new(spec.expect("a record")),
        model: "gemini-3-flash-preview".to_owned(),
        base_url: "https://e.org".to_owned(),
        key: None,
        headers: http::HeaderMap::new(),
        defaults: serde_json::Map::new(),
        policy: ParamPolicy { drop: true, ..ParamPolicy::default() },
        timeouts: llm_types::Timeouts::default(),
        cloud: None,
    }
}

/// A request that is read can be forwarded and written, and what was written is read again.
pub(crate) fn request(data: &[u8]) {
    let dialect = dialects::GEMINI;
    let glance = dialect.glance(data);
    let Ok(request) = dialect.decode_request(data) else { return };
    if let Ok(glance) = glance {
        let body = Bytes::copy_from_slice(data);
        let _forwarded = dialect.forward_request(&body, &glance, &target());
    }
    let Ok(written) = dialect.encode_request(&request, &target()) else { return };
    dialect.decode_request(&written.body).expect("what we write we read");
}

/// A stream of any frames, one a line, gives events that every dialect can write.
pub(crate) fn stream(data: &[u8]) {
    let mut decoder = dialects::GEMINI.stream_decoder();
    let mut encoders = [dialects::GEMINI, dialects::OPENAI_CHAT, dialects::ANTHROPIC]
        .map(|dialect| dialect.stream_encoder(ReplyContext::default()));
    let (mut events, mut out) = (Vec::new(), BytesMut::new());
    for line in data.split(|byte| *byte == b'\n') {
        let frame = Frame { data: Bytes::copy_from_slice(line), ..Frame::default() };
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
