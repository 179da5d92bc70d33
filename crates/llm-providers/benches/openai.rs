//! What OpenAI's dialect costs per call and per chunk on the forwarding and the translating lane.
//! `cargo bench -p llm-providers --bench openai`; nanoseconds, the best of many rounds.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measuring program")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use llm_providers::dialect::{Dialect, Frame, ReplyContext};
use llm_providers::dialects::openai::chat::OpenaiChat;
use llm_providers::{ParamPolicy, ProviderSpec, Target, scan};
use llm_types::Timeouts;

const DIALECT: OpenaiChat = OpenaiChat;
const ROUNDS: usize = 15;
const CALLS: u32 = 200;

fn measure(name: &str, mut run: impl FnMut()) {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..CALLS {
            run();
        }
        best = best.min(start.elapsed().as_nanos() as f64 / f64::from(CALLS));
    }
    println!("{name:<46} {best:>9.0} ns");
}

fn request(kib: usize) -> Bytes {
    let text =
        "The quick brown fox jumps over the lazy dog, and then \\\"again\\\".\\n".repeat(kib * 1024 / 68);
    let body = format!(
        r#"{{"model":"gpt-4o-mini","messages":[{{"role":"system","content":"You are a helpful assistant."}},{{"role":"user","content":"{text}"}}],"temperature":0.7,"max_tokens":256,"stream":true,"stream_options":{{"include_usage":true}},"user":"u-1"}}"#
    );
    body.into()
}

fn target() -> Target {
    let spec: ProviderSpec = serde_json::from_value(serde_json::json!({
        "id": "vendor", "name": "Vendor", "docs": "", "base_url": "https://vendor.example/v1",
        "auth": "bearer", "dialect": "openai_chat"}))
    .unwrap();
    Target {
        spec: Arc::new(spec),
        model: "gpt-4o-mini-2024-07-18".to_owned(),
        base_url: "https://vendor.example/v1".to_owned(),
        key: None,
        headers: HeaderMap::new(),
        defaults: serde_json::Map::new(),
        policy: ParamPolicy::default(),
        timeouts: Timeouts::default(),
        cloud: None,
    }
}

fn main() {
    let target = target();
    for kib in [1, 10, 100] {
        let body = request(kib);
        let glance = DIALECT.glance(&body).unwrap();
        println!("request of {} bytes", body.len());
        measure("  scan::object", || {
            scan::object(black_box(&body), |member| drop(black_box(member))).unwrap();
        });
        measure("  glance", || drop(black_box(DIALECT.glance(black_box(&body)).unwrap())));
        measure("  forward_request", || {
            drop(black_box(DIALECT.forward_request(black_box(&body), &glance, &target).unwrap()));
        });
        measure("  serde_json::Value, for comparison", || {
            drop(black_box(serde_json::from_slice::<serde_json::Value>(black_box(&body)).unwrap()));
        });
        measure("  decode_request + encode_request", || {
            let request = DIALECT.decode_request(black_box(&body)).unwrap();
            drop(black_box(DIALECT.encode_request(&request, &target).unwrap()));
        });
    }
    stream();
}

fn stream() {
    let data = r#"{"id":"chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz012","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_50cad350e4","choices":[{"index":0,"delta":{"content":" across"},"logprobs":null,"finish_reason":null}],"usage":null}"#;
    let raw = Bytes::from(format!("data: {data}\n\n"));
    println!("stream chunk of {} bytes", raw.len());
    let mut relay = DIALECT.relay(false);
    let mut out = Vec::new();
    measure("  relay", || {
        relay.push(black_box(raw.clone()), &mut out);
        out.clear();
    });
    let frame = Frame { event: Bytes::new(), data: Bytes::from_static(data.as_bytes()) };
    let mut decoder = DIALECT.stream_decoder();
    let mut encoder = DIALECT.stream_encoder(ReplyContext::default());
    let mut events = Vec::new();
    let mut written = BytesMut::new();
    measure("  decode", || {
        decoder.push(black_box(&frame), &mut events).unwrap();
        events.clear();
    });
    measure("  decode + encode", || {
        decoder.push(black_box(&frame), &mut events).unwrap();
        for event in events.drain(..) {
            encoder.push(&event, &mut written);
        }
        written.clear();
    });
}
