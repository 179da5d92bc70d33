//! Requests that are wrong: each is refused in the caller's dialect with words that name the fault, no
//! provider is asked, and the connection and the gateway go on.

use std::io::Write;

use serde_json::json;

use crate::support::{Answer, Call, Flow, MASTER, Running, Upstream, anthropic, gateway, openai};

struct Stage {
    upstream: Upstream,
    gateway: Running,
}

fn stage() -> Stage {
    let upstream = Upstream::always(openai::reply());
    let gateway = gateway()
        .model("fast", "openai/gpt-4o-mini", &upstream)
        .set("general_settings", "max_request_size_mb", 1)
        .start();
    Stage { upstream, gateway }
}

impl Stage {
    fn doors(&self) -> [Call; 2] {
        [openai::PATH, anthropic::PATH].map(|path| self.gateway.post(path).key(MASTER))
    }

    /// Sends a body through both doors and checks status, shape and words.
    #[track_caller]
    fn refuses(&self, body: impl Into<Vec<u8>>, status: u16, words: &str) {
        let body = body.into();
        for call in self.doors() {
            check(&call.body(body.clone()).send(), status, words);
        }
        assert!(self.upstream.seen().is_empty(), "no provider was asked");
        assert_eq!(self.gateway.in_flight(), 0.0);
    }
}

#[track_caller]
fn check(answer: &Answer, status: u16, words: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert!(answer.whole);
    let body = answer.json();
    let message = body["error"]["message"].as_str().expect("an error has a message");
    assert!(message.contains(words), "`{words}` in `{message}`");
    assert!(!body["error"]["type"].as_str().unwrap_or_default().is_empty(), "{body}");
}

#[test]
fn broken_json_is_named() {
    let stage = stage();
    for body in ["", "{", "{\"model\":\"fast\",}", "[1,2", "{\"model\" \"fast\"}", "\u{feff}{}x", "nul"] {
        stage.refuses(body, 400, "");
    }
    stage.refuses("[]", 400, "object");
    stage.refuses("{\"model\":\"fast\",\"messages\":[{]}", 400, "JSON");
    stage.refuses(b"{\"model\":\"fa\xff\xfest\",\"messages\":[]}".as_slice(), 400, "UTF-8");
}

#[test]
fn ten_thousand_levels_of_nesting_are_no_danger() {
    let stage = stage();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let body = format!("{{\"model\":\"fast\",\"max_tokens\":9,\"messages\":{deep}}}");
    for call in stage.doors() {
        let answer = call.body(body.as_str()).send();
        assert!((400..500).contains(&answer.status), "{} {}", answer.status, answer.text());
        assert!(answer.json()["error"]["message"].is_string());
    }
    assert!(stage.upstream.seen().is_empty());
}

#[test]
fn wrong_types_are_named() {
    let stage = stage();
    let with = |name: &str, value: serde_json::Value| {
        let mut body = anthropic::request("fast");
        body[name] = value;
        body.to_string()
    };
    stage.refuses(with("model", json!(7)), 400, "`model`");
    stage.refuses(with("messages", json!("hello")), 400, "`messages`");
    stage.refuses(with("stream", json!("yes")), 400, "`stream`");
    stage.refuses(with("max_tokens", json!("many")), 400, "`max_tokens`");
    stage.refuses(with("max_tokens", json!(-5)), 400, "`max_tokens`");
}

#[test]
fn missing_fields_are_named() {
    let stage = stage();
    let [chat, messages] = stage.doors();
    check(&chat.json(&json!({ "model": "fast" })).send(), 400, "messages");
    check(&messages.json(&json!({ "model": "fast", "max_tokens": 9 })).send(), 400, "messages");
    assert!(stage.upstream.seen().is_empty());
}

#[test]
fn unknown_models_are_named() {
    let stage = stage();
    for (call, body) in stage.doors().into_iter().zip([openai::request("nope"), anthropic::request("nope")]) {
        check(&call.json(&body).send(), 400, "nope");
    }
    let mut nameless = openai::request("");
    stage.refuses(nameless.to_string(), 400, "model");
    nameless.as_object_mut().expect("an object").remove("model");
    stage.refuses(nameless.to_string(), 400, "model");
}

#[test]
fn large_bodies_are_refused_whether_or_not_they_say_their_size() {
    let stage = stage();
    let large = vec![b' '; 1024 * 1024 + 1];
    for call in stage.doors() {
        check(&call.clone().body(large.clone()).send(), 413, "larger than 1048576 bytes");
        // 200 MB are announced and not sent.
        let announced = call.clone().header("content-length", "209715200").send();
        check(&announced, 413, "larger than 1048576 bytes");
        let mut chunked = format!("{:x}\r\n", large.len()).into_bytes();
        chunked.extend_from_slice(&large);
        chunked.extend_from_slice(b"\r\n0\r\n\r\n");
        let chunked = call.clone().header("transfer-encoding", "chunked").body(chunked).send();
        check(&chunked, 413, "larger than 1048576 bytes");
    }
    assert!(stage.upstream.seen().is_empty());
}

#[test]
fn line_breaks_in_names_do_not_become_headers() {
    let stage = stage();
    let evil = "fast\r\nx-evil: 1\r\n\r\nHTTP/1.1 200 OK";
    let mut body = openai::request(evil);
    body["user"] = json!("me\r\nx-evil: 1");
    body["metadata"] = json!({ "tags": ["a\r\nx-evil: 1"], "k\r\nx-evil": "1" });
    let answer = stage.gateway.chat(&body).send();
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(answer.header("x-evil"), None);
    let path = "/engines/fast%0d%0ax-evil:%201/chat/completions";
    let answer = stage.gateway.post(path).key(MASTER).json(&openai::request("fast")).send();
    assert_eq!((answer.status, answer.header("x-evil")), (400, None), "{}", answer.text());
    body["model"] = json!("fast");
    let answer = stage.gateway.chat(&body).send().expect(200);
    assert_eq!(answer.header("x-evil"), None);
    assert_eq!(stage.upstream.only().header("x-evil"), None);
    // Three calls, three lines: no name broke out of its own.
    let log = stage.gateway.whole_log();
    assert_eq!(log.lines().count(), 3, "{log}");
    assert!(log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{log}");
}

#[test]
fn a_caller_may_not_redirect_the_gateway() {
    let stage = stage();
    for name in ["api_base", "api_key", "base_url", "model_list", "aws_role_name"] {
        let mut body = openai::request("fast");
        body[name] = json!("http://127.0.0.1:1/evil");
        let answer = stage.gateway.chat(&body).send();
        check(&answer, 401, &format!("{name} is not allowed in request body"));
    }
    assert!(stage.upstream.seen().is_empty());
}

#[test]
fn a_refusal_leaves_the_connection_usable() {
    let stage = stage();
    let bad = stage.gateway.post(openai::PATH).key(MASTER).body("{");
    let (refused, mut connection) = bad.open().rest_and_connection();
    assert_eq!(refused.status, 400);
    let good = stage.gateway.chat(&openai::request("fast"));
    connection.write_all(&good.bytes()).expect("the connection is open");
    assert_eq!(Flow::read(connection).rest().status, 200);
}

#[test]
fn a_slow_sender_keeps_nobody_waiting() {
    let stage = stage();
    let call = stage.gateway.chat(&openai::request("fast"));
    let bytes = call.bytes();
    let (half, rest) = bytes.split_at(bytes.len() - 10);
    // One sends its head byte by byte, one stops inside its body; both cores go on for others.
    let mut slow: Vec<_> = (0..4).map(|_| call.connect()).collect();
    for stream in &mut slow {
        stream.write_all(half).expect("the connection is open");
    }
    let mut by_byte = call.connect();
    for byte in &bytes[..20] {
        by_byte.write_all(&[*byte]).expect("the connection is open");
        call.send().expect(200);
    }
    for mut stream in slow {
        stream.write_all(rest).expect("the connection is open");
        assert_eq!(Flow::read(stream).rest().status, 200);
    }
}

#[test]
fn a_body_that_stops_is_not_a_call() {
    let stage = stage();
    let call = stage.gateway.chat(&openai::request("fast"));
    let bytes = call.bytes();
    let mut stream = call.connect();
    stream.write_all(&bytes[..bytes.len() - 10]).expect("the connection is open");
    drop(stream);
    call.send().expect(200);
    assert_eq!(stage.upstream.seen().len(), 1);
    assert_eq!(stage.gateway.booked().len(), 1);
}

#[test]
fn two_framings_in_one_request_are_refused() {
    let stage = stage();
    let call = stage.gateway.chat(&openai::request("fast"));
    let smuggled = call.header("content-length", "3").header("content-length", "300");
    let answer = smuggled.send();
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(stage.upstream.seen().is_empty());
}
