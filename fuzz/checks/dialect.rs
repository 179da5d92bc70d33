//! OpenAI Chat, OpenAI Responses and Anthropic: no request or stream does harm, whatever is read can be
//! written in every dialect, and what is forwarded does not depend on how the bytes were split.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use llm_providers::dialect::{Dialect, Frame, ReplyContext};
use llm_providers::framing::sse;
use llm_providers::{ParamPolicy, Target, dialects};
use serde_json::{Value, json};

/// A dialect's name, itself and a model of its vendor.
type Party = (&'static str, &'static dyn Dialect, &'static str);

const CHAT: usize = 0;
const RESPONSES: usize = 1;
const ANTHROPIC: usize = 2;

fn parties() -> [Party; 6] {
    [
        ("openai_chat", dialects::OPENAI_CHAT, "gpt-5"),
        ("openai_responses", dialects::OPENAI_RESPONSES, "gpt-5"),
        ("anthropic", dialects::ANTHROPIC, "claude-sonnet-4-5"),
        ("gemini", dialects::GEMINI, "gemini-3-flash-preview"),
        ("cohere", dialects::COHERE, "command-a-reasoning-08-2025"),
        ("converse", dialects::CONVERSE, "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ]
}

fn target((name, _, model): Party) -> Target {
    let spec = serde_json::from_value(json!({
        "id": "vendor", "name": "", "docs": "", "base_url": "https://e.org", "auth": "none", "dialect": name}));
    Target {
        spec: Arc::new(spec.expect("a record")),
        model: model.to_owned(),
        base_url: "https://e.org".to_owned(),
        key: None,
        headers: http::HeaderMap::new(),
        defaults: serde_json::Map::new(),
        policy: ParamPolicy { drop: true, ..ParamPolicy::default() },
        timeouts: llm_types::Timeouts::default(),
        cloud: None,
    }
}

/// A request that is read can be forwarded, and written as JSON in every dialect; what its own dialect
/// wrote is read again and written the same.
fn request(party: Party, data: &[u8]) {
    let dialect = party.1;
    let glance = dialect.glance(data);
    let Ok(request) = dialect.decode_request(data) else { return };
    if let Ok(glance) = glance {
        let body = Bytes::copy_from_slice(data);
        if let Ok(sent) = dialect.forward_request(&body, &glance, &target(party)) {
            value(&sent.body);
        }
    }
    for other in parties() {
        if let Ok(written) = other.1.encode_request(&request, &target(other)) {
            value(&written.body);
        }
    }
    let Ok(written) = dialect.encode_request(&request, &target(party)) else { return };
    let again = dialect.decode_request(&written.body).expect("what we write we read");
    let Ok(twice) = dialect.encode_request(&again, &target(party)) else { return };
    assert_eq!(value(&twice.body), value(&written.body));
}

fn value(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("what we write is JSON")
}

/// A stream of any bytes gives events that every dialect can write, none of them as a clean end unless the
/// stream had one.
fn stream(party: Party, data: &[u8]) {
    let mut decoder = party.1.stream_decoder();
    let (mut events, mut frames) = (Vec::new(), sse::Splitter::new());
    frames.push(Bytes::copy_from_slice(data));
    let mut broken = false;
    while let Ok(Some(frame)) = frames.next_frame() {
        broken |= decoder.push(&frame, &mut events).is_err();
        if broken {
            break;
        }
    }
    decoder.finish(&mut events);
    let done = events.iter().any(|event| matches!(event, llm_types::Event::Done));
    for (name, other, _) in parties() {
        let mut encoder = other.stream_encoder(ReplyContext::default());
        let mut out = BytesMut::new();
        events.iter().for_each(|event| encoder.push(event, &mut out));
        encoder.finish(&mut out);
        let ends = [
            "data: [DONE]",
            "event: message_stop",
            "event: response.completed",
            "event: response.incomplete",
        ];
        let out = String::from_utf8_lossy(&out);
        let clean = ends.iter().any(|end| out.contains(end));
        assert!(done || !clean || said(data), "{name} ends a stream that did not end");
    }
    let forwarded = |size: usize| {
        let (mut relay, mut out) = (party.1.relay(true), Vec::new());
        data.chunks(size).for_each(|piece| relay.push(Bytes::copy_from_slice(piece), &mut out));
        relay.finish(None, &mut out);
        (out.concat(), relay.facts().clone())
    };
    assert_eq!(forwarded(3), forwarded(data.len().max(1)));
}

/// Whether the answer itself holds the words that end streams.
fn said(data: &[u8]) -> bool {
    let data = String::from_utf8_lossy(data);
    ["DONE", "message_stop", "response."].iter().any(|word| data.contains(word))
}

/// A frame of data alone: what libFuzzer finds first.
fn frame(party: Party, data: &[u8]) {
    let mut events = Vec::new();
    let mut decoder = party.1.stream_decoder();
    let frame = Frame { event: Bytes::new(), data: Bytes::copy_from_slice(data) };
    let _read = decoder.push(&frame, &mut events);
}

pub(crate) fn chat_request(data: &[u8]) {
    request(parties()[CHAT], data);
}

pub(crate) fn responses_request(data: &[u8]) {
    request(parties()[RESPONSES], data);
}

pub(crate) fn anthropic_request(data: &[u8]) {
    request(parties()[ANTHROPIC], data);
}

pub(crate) fn chat_stream(data: &[u8]) {
    frame(parties()[CHAT], data);
    stream(parties()[CHAT], data);
}

pub(crate) fn responses_stream(data: &[u8]) {
    frame(parties()[RESPONSES], data);
    stream(parties()[RESPONSES], data);
}

pub(crate) fn anthropic_stream(data: &[u8]) {
    frame(parties()[ANTHROPIC], data);
    stream(parties()[ANTHROPIC], data);
}
