//! Every dialect: no request or stream does harm, whatever is read can be written in every dialect, and
//! what is forwarded does not depend on how the bytes were split.

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
const GEMINI: usize = 3;
const COHERE: usize = 4;
const CONVERSE: usize = 5;
const OLLAMA: usize = 6;

fn parties() -> [Party; 7] {
    [
        ("openai_chat", dialects::OPENAI_CHAT, "gpt-5"),
        ("openai_responses", dialects::OPENAI_RESPONSES, "gpt-5"),
        ("anthropic", dialects::ANTHROPIC, "claude-sonnet-4-5"),
        ("gemini", dialects::GEMINI, "gemini-3-flash-preview"),
        ("cohere", dialects::COHERE, "command-a-reasoning-08-2025"),
        ("converse", dialects::CONVERSE, "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("ollama", dialects::OLLAMA, "m"),
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
    let plain = |body: &[u8]| rounded(joined(value(body)));
    assert_eq!(plain(&twice.body), plain(&written.body));
}

/// Numbers beyond 64 bits are read as the nearest float or its neighbour: their last digits do not count.
fn rounded(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => format!("{:.12e}", number.as_f64().unwrap_or(0.0)).into(),
        Value::Array(list) => list.into_iter().map(rounded).collect(),
        Value::Object(map) => map.into_iter().map(|(name, value)| (name, rounded(value))).collect(),
        other => other,
    }
}

/// A body of Gemini's whose thoughts are joined up to their signature, as they are read: turns of one
/// speaker are written as one.
fn joined(mut body: Value) -> Value {
    let contents = body.get_mut("contents").and_then(Value::as_array_mut);
    for content in contents.into_iter().flatten() {
        let Some(parts) = content.get_mut("parts").and_then(Value::as_array_mut) else { continue };
        let mut said: Vec<Value> = Vec::new();
        for part in std::mem::take(parts) {
            let open = |part: &Value| part["thought"] == true && part.get("thoughtSignature").is_none();
            match said.last_mut().filter(|last| open(last) && part["thought"] == true) {
                Some(last) => {
                    let texts = [&last["text"], &part["text"]].map(|text| text.as_str().unwrap_or_default());
                    let text = Value::from(texts.concat());
                    *last = part;
                    last["text"] = text;
                }
                None => said.push(part),
            }
        }
        *parts = said;
    }
    body
}

fn value(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("what we write is JSON")
}

/// A stream of any bytes, cut into frames as its dialect's streams are, gives events that every dialect
/// can write; forwarded, it is the same however its bytes were split.
fn stream(party: Party, data: &[u8]) {
    let mut splitter = sse::Splitter::new();
    splitter.push(Bytes::copy_from_slice(data));
    read(party, data, std::iter::from_fn(|| splitter.next_frame().ok().flatten()));
    forward(party, data);
}

/// A stream of frames, one a line: an event's name and a blank before the data, where the dialect's
/// streams name events beside them.
fn lines(party: Party, data: &[u8], named: bool) {
    let frames = data.split(|byte| *byte == b'\n').map(|line| {
        let (event, data) = match line.iter().position(|byte| named && *byte == b' ') {
            Some(at) => (&line[..at], &line[at + 1..]),
            None if named => (line, &line[..0]),
            None => (&line[..0], line),
        };
        Frame { event: Bytes::copy_from_slice(event), data: Bytes::copy_from_slice(data) }
    });
    read(party, data, frames);
}

/// Reads frames and writes what they told in every dialect, none of it as a clean end unless the stream
/// had one.
fn read(party: Party, data: &[u8], frames: impl Iterator<Item = Frame>) {
    let mut decoder = party.1.stream_decoder();
    let mut events = Vec::new();
    for frame in frames {
        if decoder.push(&frame, &mut events).is_err() {
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
}

fn forward(party: Party, data: &[u8]) {
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

pub(crate) fn gemini_request(data: &[u8]) {
    request(parties()[GEMINI], data);
}

pub(crate) fn gemini_stream(data: &[u8]) {
    lines(parties()[GEMINI], data, false);
    forward(parties()[GEMINI], data);
}

pub(crate) fn cohere_request(data: &[u8]) {
    request(parties()[COHERE], data);
}

pub(crate) fn cohere_stream(data: &[u8]) {
    lines(parties()[COHERE], data, false);
    stream(parties()[COHERE], data);
}

pub(crate) fn converse_request(data: &[u8]) {
    request(parties()[CONVERSE], data);
}

pub(crate) fn converse_stream(data: &[u8]) {
    lines(parties()[CONVERSE], data, true);
    forward(parties()[CONVERSE], data);
}

pub(crate) fn ollama_request(data: &[u8]) {
    request(parties()[OLLAMA], data);
}

pub(crate) fn ollama_stream(data: &[u8]) {
    lines(parties()[OLLAMA], data, false);
    forward(parties()[OLLAMA], data);
}
