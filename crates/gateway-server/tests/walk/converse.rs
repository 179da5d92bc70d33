//! Amazon's Converse as a door: signatures as keys, event stream frames out, HTTP/2 without TLS.

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::handshake;
use hyper_util::rt::{TokioExecutor, TokioIo};
use llm_providers::Framing;
use llm_providers::framing::{Frames, event_stream};
use serde_json::{Value, json};

use crate::support::{Gate, MASTER, PATIENCE, Reply, Running, Upstream, gateway, openai};

const PATH: &str = "/model/any/converse";
const STREAM: &str = "/model/any/converse-stream";

fn request() -> Value {
    json!({ "messages": [{ "role": "user", "content": [{ "text": "Say hello." }] }] })
}

/// As an SDK of Amazon's signs with this key: the signature itself is not looked at.
fn signed(key: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={key}/20251121/us-east-1/bedrock/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date, Signature=0123"
    )
}

fn stage(reply: Reply) -> (Upstream, Running) {
    let upstream = Upstream::always(reply);
    let gateway = gateway().model("any", "openai/gpt-4o-mini", &upstream).start();
    (upstream, gateway)
}

/// The frames of a body: name and payload.
fn frames(body: &[u8]) -> Vec<(String, Value)> {
    let mut frames = Frames::new(Framing::EventStream);
    frames.push(Bytes::copy_from_slice(body));
    let mut found = Vec::new();
    while let Some(frame) = frames.next_frame().expect("frames are whole") {
        let name = String::from_utf8(frame.event.to_vec()).expect("names are text");
        found.push((name, serde_json::from_slice(&frame.data).expect("payloads are JSON")));
    }
    frames.finish().expect("the body ends with a frame");
    found
}

/// One call over HTTP/2 with prior knowledge.
fn over_h2c(gateway: &Running, path: &str) -> (u16, HeaderMap, Bytes) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(gateway.address()).await.expect("the gateway listens");
        let (mut sender, connection) =
            handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("the gateway speaks HTTP/2");
        tokio::spawn(connection);
        let request = Request::post(format!("http://gateway{path}"))
            .header("authorization", signed(MASTER))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(request().to_string())))
            .expect("a request");
        let answer = tokio::time::timeout(PATIENCE, sender.send_request(request)).await;
        let answer = answer.expect("an answer in time").expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = tokio::time::timeout(PATIENCE, answer.collect()).await.expect("the end in time");
        (status, headers, body.expect("the whole body").to_bytes())
    })
}

#[test]
fn a_signed_call_over_http2_gets_a_stream_of_frames() {
    let (upstream, gateway) = stage(openai::stream());
    let (status, headers, body) = over_h2c(&gateway, STREAM);
    assert_eq!(
        (status, &headers["content-type"]),
        (200, &"application/vnd.amazon.eventstream".parse().unwrap())
    );
    let found = frames(&body);
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.first(), Some(&"messageStart"));
    assert_eq!(names[names.len() - 3..], ["contentBlockStop", "messageStop", "metadata"]);
    let text: String = found.iter().filter_map(|(_, payload)| payload["delta"]["text"].as_str()).collect();
    assert_eq!(text, "Hello there.");
    assert_eq!(found[found.len() - 1].1["usage"]["outputTokens"], 20);
    assert_eq!(upstream.only().json()["stream"], true);
    assert_eq!(gateway.booked()[0].outcome, "completed");
}

#[test]
fn a_plain_call_is_answered_under_both_paths() {
    let (_upstream, gateway) = stage(openai::reply());
    for path in [PATH, "/bedrock/model/any/converse"] {
        let answer = gateway.post(path).header("authorization", signed(MASTER)).json(&request()).send();
        let body = answer.expect(200).json();
        assert_eq!(body["output"]["message"]["content"], json!([{ "text": "Hello there." }]));
        assert_eq!((&body["stopReason"], &body["usage"]["inputTokens"]), (&json!("end_turn"), &json!(10)));
    }
}

#[test]
fn refusals_are_amazons() {
    let (_upstream, gateway) = stage(openai::error(429, "slow down"));
    let cases = [
        (signed(MASTER), request(), 429, "ThrottlingException"),
        (signed("sk-unknown"), request(), 401, "UnrecognizedClientException"),
        (signed(MASTER), json!({ "messages": 1 }), 400, "ValidationException"),
        (signed(MASTER), json!({}), 400, "ValidationException"),
    ];
    for (authorization, body, status, name) in cases {
        let answer = gateway.post(STREAM).header("authorization", authorization).json(&body).send();
        let answer = answer.expect(status);
        assert_eq!(answer.header("x-amzn-errortype"), Some(name));
        assert!(answer.json()["message"].is_string(), "{}", answer.text());
    }
}

#[test]
fn a_stream_that_breaks_ends_in_an_exception_without_secrets() {
    const PROVIDER: &str = "sk-planted-provider-7d21";
    let gate = Gate::default();
    let error = format!("data: {{\"error\":{{\"message\":\"bad key {PROVIDER}\",\"type\":\"auth\"}}}}\n\n");
    let reply = Reply::stream().then(openai::piece("half")).hold(&gate).then(error);
    let upstream = Upstream::always(reply);
    let params = json!({ "api_key": PROVIDER });
    let gateway = gateway().model_at("any", "openai/gpt-4o-mini", &upstream.url(), &params).start();
    let mut flow = gateway.post(STREAM).header("authorization", signed(MASTER)).json(&request()).open();
    flow.until("half");
    gate.open();
    let body = flow.rest().body;
    let last = frames(&body).pop().expect("a last frame");
    assert!(last.0.starts_with("exception:"), "{last:?}");
    let words = last.1["message"].as_str().expect("words").to_owned();
    assert!(words.contains("bad key ***") && !words.contains(PROVIDER), "{words}");
    // The frame was written anew: its checksums hold, or it could not have been read.
    assert!(event_stream::rewrite(&Bytes::from(body), |_| Some(b"{}".to_vec())).is_some());
}
