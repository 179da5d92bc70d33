//! Golden cases: `golden/<dialect>/<case>/` holds what a dialect reads and what it makes of it.
//!
//! | file | is read by | gives |
//! |---|---|---|
//! | `request.json` | `decode_request` | `request.canonical.json`; written back, `request.sent.json` |
//! | `reply.json` | `decode_response` | `reply.canonical.json`; written for a caller, `reply.shown.json` |
//! | `stream.txt` | the stream decoder, at any split | `stream.events.txt`; written for a caller, `stream.shown.txt` |
//!
//! `UPDATE_GOLDEN=1` rewrites the results; a result without its source, or a case without any source,
//! is an error.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use llm_providers::dialect::{Dialect, ReplyContext};
use llm_providers::dialects::{ANTHROPIC, COHERE, GEMINI, OPENAI_CHAT};
use llm_providers::framing::sse::{Splitter, parse};
use llm_providers::{ParamPolicy, ProviderSpec, Target};
use llm_types::{Event, Timeouts};
use serde_json::{Value, json};

const RESULTS: [(&str, &str); 6] = [
    ("request.json", "request.canonical.json"),
    ("request.json", "request.sent.json"),
    ("reply.json", "reply.canonical.json"),
    ("reply.json", "reply.shown.json"),
    ("stream.txt", "stream.events.txt"),
    ("stream.txt", "stream.shown.txt"),
];

#[test]
fn openai_chat() {
    walk("openai", OPENAI_CHAT);
}

#[test]
fn anthropic() {
    walk("anthropic", ANTHROPIC);
}

#[test]
fn cohere() {
    walk("cohere", COHERE);
}

#[test]
fn gemini() {
    walk("gemini", GEMINI);
}

/// Checks every case of a dialect.
fn walk(folder: &str, dialect: &dyn Dialect) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(folder);
    let Ok(entries) = fs::read_dir(&root) else { return };
    let mut cases: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    cases.sort();
    for case in cases {
        let sources = ["request.json", "reply.json", "stream.txt"].map(|name| case.join(name).exists());
        assert!(sources.contains(&true), "{}: no source", case.display());
        for (source, result) in RESULTS {
            let found = !case.join(result).exists() || case.join(source).exists();
            assert!(found, "{}: `{result}` without `{source}`", case.display());
        }
        check(&case, dialect);
    }
}

fn check(case: &Path, dialect: &dyn Dialect) {
    if let Ok(body) = fs::read(case.join("request.json")) {
        let request =
            dialect.decode_request(&body).unwrap_or_else(|error| panic!("{}: {error}", case.display()));
        compare(&case.join("request.canonical.json"), &pretty(&serde_json::to_value(&request).unwrap()));
        let sent = dialect
            .encode_request(&request, &target())
            .unwrap_or_else(|error| panic!("{}: {error}", case.display()));
        compare(&case.join("request.sent.json"), &pretty(&serde_json::from_slice(&sent.body).unwrap()));
    }
    if let Ok(body) = fs::read(case.join("reply.json")) {
        let reply =
            dialect.decode_response(&body).unwrap_or_else(|error| panic!("{}: {error}", case.display()));
        compare(&case.join("reply.canonical.json"), &pretty(&serde_json::to_value(&reply).unwrap()));
        let shown = dialect.encode_response(&reply, &context()).unwrap();
        compare(&case.join("reply.shown.json"), &pretty(&serde_json::from_slice(&shown).unwrap()));
    }
    if let Ok(body) = fs::read(case.join("stream.txt")) {
        let events = decode(dialect, &body, body.len());
        for piece in [1, 2, 3, 7, 64, 1000] {
            assert_eq!(decode(dialect, &body, piece), events, "{} in pieces of {piece}", case.display());
        }
        let lines = events.iter().fold(String::new(), |mut lines, event| {
            writeln!(lines, "{event:?}").unwrap();
            lines
        });
        compare(&case.join("stream.events.txt"), &lines);
        compare(&case.join("stream.shown.txt"), &encode(dialect, &events));
    }
}

fn decode(dialect: &dyn Dialect, body: &[u8], piece: usize) -> Vec<Event> {
    let (mut decoder, mut splitter, mut events) = (dialect.stream_decoder(), Splitter::new(), Vec::new());
    for chunk in body.chunks(piece) {
        splitter.push(Bytes::copy_from_slice(chunk));
        while let Some(frame) = splitter.next_frame().unwrap() {
            decoder.push(&frame, &mut events).unwrap();
        }
    }
    if let Some(frame) = splitter.finish().and_then(|rest| parse(&rest)) {
        decoder.push(&frame, &mut events).unwrap();
    }
    decoder.finish(&mut events);
    events
}

fn encode(dialect: &dyn Dialect, events: &[Event]) -> String {
    let mut encoder = dialect.stream_encoder(context());
    let mut out = BytesMut::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    encoder.finish(&mut out);
    String::from_utf8(out.to_vec()).unwrap()
}

fn context() -> ReplyContext {
    ReplyContext {
        id: "gateway-id".to_owned(),
        model: "asked-model".to_owned(),
        now: 1_700_000_000,
        include_usage: true,
        elapsed_ms: 0,
        echo: None,
    }
}

fn target() -> Target {
    let spec: ProviderSpec = serde_json::from_value(json!({
        "id": "vendor", "name": "Vendor", "docs": "", "base_url": "https://vendor.example/v1",
        "auth": "bearer", "dialect": "openai_chat"}))
    .unwrap();
    Target {
        spec: Arc::new(spec),
        model: "sent-model".to_owned(),
        base_url: "https://vendor.example/v1".to_owned(),
        key: None,
        headers: HeaderMap::new(),
        defaults: serde_json::Map::new(),
        policy: ParamPolicy::default(),
        timeouts: Timeouts::default(),
        cloud: None,
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn compare(path: &Path, found: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, found).unwrap();
        return;
    }
    let expected = fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{}: {error}; UPDATE_GOLDEN=1 writes it", path.display()));
    assert_eq!(found, expected, "{}", path.display());
}
