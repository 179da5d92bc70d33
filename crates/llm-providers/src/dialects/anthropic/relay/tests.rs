//! What a relay learns, and how it ends.

use bytes::Bytes;
use llm_types::Finish;
use serde_json::json;

use super::*;
use crate::dialect::Relay as _;

fn frame(event: &str, data: &Value) -> String {
    format!("event: {event}\ndata: {data}\n\n")
}

fn delta(delta: &Value) -> String {
    frame("content_block_delta", &json!({ "type": "content_block_delta", "index": 0, "delta": delta }))
}

fn start() -> String {
    let usage = json!({ "input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 1 });
    let message =
        json!({ "id": "msg_1", "type": "message", "model": "claude-x", "content": [], "usage": usage });
    frame("message_start", &json!({ "type": "message_start", "message": message }))
}

fn stop() -> String {
    let delta = json!({ "stop_reason": "stop_sequence", "stop_sequence": "END" });
    let usage = json!({ "output_tokens": 7 });
    frame("message_delta", &json!({ "type": "message_delta", "delta": delta, "usage": usage }))
        + &frame("message_stop", &json!({ "type": "message_stop" }))
}

fn run(body: &str) -> (String, ReplyFacts) {
    let mut relay = Forwarder::default();
    let mut out = Vec::new();
    relay.push(Bytes::copy_from_slice(body.as_bytes()), &mut out);
    relay.finish(None, &mut out);
    (String::from_utf8(out.concat()).unwrap(), relay.facts().clone())
}

#[test]
fn learns_what_settlement_needs() {
    let body = start()
        + &delta(&json!({ "type": "text_delta", "text": "Hello" }))
        + &delta(&json!({ "type": "thinking_delta", "thinking": "hm" }))
        + &delta(&json!({ "type": "signature_delta", "signature": "long-signature" }))
        + &delta(&json!({ "type": "input_json_delta", "partial_json": "{\"a\"" }))
        + &stop();
    let (out, facts) = run(&body);
    assert_eq!(out, body);
    assert_eq!((facts.id.as_deref(), facts.model.as_deref()), (Some("msg_1"), Some("claude-x")));
    let usage = facts.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.cache_read_tokens), (15, 7, Some(5)));
    assert_eq!(facts.finish, Some(Finish::StopSequence(Some("END".to_owned()))));
    assert_eq!(facts.answer_bytes, 5 + 2 + r#"{\"a\""#.len() as u64);
    assert!(facts.complete && facts.error.is_none());
}

#[test]
fn the_quick_measure_agrees_with_the_thorough_one() {
    let thorough = |text: &str| {
        let data = scan::value(text.as_bytes()).unwrap();
        data.member("delta").map_or(0, answer_len)
    };
    for (text, quick) in [
        (
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a \"quoted\" \\"}}"#,
            true,
        ),
        (r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}     }"#, true),
        (
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"\"}}"}}"#,
            true,
        ),
        (r#"{"type":"content_block_delta","index":0,"delta":{"text":"order","type":"text_delta"}}"#, false),
        (r#"{"type": "content_block_delta", "delta": {"type": "text_delta", "text": "spaced"}}"#, false),
        (r#"{"delta":{"type":"text_delta","text":"first"},"index":"0"}"#, false),
        (r#"{"delta":{"type":"new_delta","text":"new"}}"#, false),
    ] {
        let measured = delta_len(text.as_bytes());
        assert_eq!(measured.is_some(), quick, "{text}");
        assert_eq!(measured.unwrap_or_else(|| thorough(text)), thorough(text), "{text}");
    }
}

#[test]
fn a_stated_error_is_the_end_and_nothing_is_added() {
    let stated = json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } });
    let body = start() + &frame("error", &stated);
    let (out, facts) = run(&body);
    assert_eq!(out, body);
    assert_eq!(facts.error.unwrap().kind(), ErrorKind::Overloaded);
    assert!(!facts.complete);
}

#[test]
fn a_cut_stream_ends_in_an_error() {
    let whole = start();
    let (out, facts) = run(&(whole.clone() + "event: content_block_delta\ndata: {\"type\":\"conte"));
    let rest = out.strip_prefix(&whole).expect("whole frames went on");
    assert!(
        rest.starts_with("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\""),
        "{rest}"
    );
    assert!(!facts.complete && facts.error.is_some());

    let mut relay = Forwarder::default();
    let mut out = Vec::new();
    relay.finish(Some(&Error::new(ErrorKind::Timeout, "nothing came for 60 s")), &mut out);
    let out = String::from_utf8(out.concat()).unwrap();
    assert!(out.contains("\"timeout_error\",\"message\":\"nothing came for 60 s\""), "{out}");
}

#[test]
fn a_last_frame_without_its_blank_line_is_completed() {
    let body = start() + &stop();
    for missing in 1..=2 {
        let (out, facts) = run(&body[..body.len() - missing]);
        assert_eq!(out, body);
        assert!(facts.complete);
    }
}

#[test]
fn frames_without_names_are_understood() {
    let body: String = (start() + &stop())
        .lines()
        .filter(|line| !line.starts_with("event:"))
        .map(|line| format!("{line}\n"))
        .collect();
    let (out, facts) = run(&body);
    assert_eq!(out, body);
    assert!(facts.complete && facts.usage.is_some());
}

#[test]
fn an_endless_frame_ends_the_stream() {
    let mut relay = Forwarder::with_limit(100);
    let mut out = Vec::new();
    relay.push(Bytes::from("data: ".to_owned() + &"x".repeat(200)), &mut out);
    relay.push(Bytes::from_static(b"more\n\n"), &mut out);
    relay.finish(None, &mut out);
    let out = String::from_utf8(out.concat()).unwrap();
    assert_eq!(out.matches("event: error").count(), 1, "{out}");
    assert!(!out.contains("xxx") && !out.contains("more"), "{out}");
}

#[test]
fn whole_replies_tell_the_same() {
    let reply = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "stop_reason": "tool_use",
        "content": [{ "type": "text", "text": "Hello" }, { "type": "tool_use", "id": "t", "name": "n", "input": { "a": 1 } }],
        "usage": { "input_tokens": 10, "output_tokens": 7 },
    });
    let facts = reply_facts(reply.to_string().as_bytes());
    assert_eq!((facts.finish, facts.complete), (Some(Finish::ToolCalls), true));
    assert_eq!(facts.answer_bytes, 5 + r#"{"a":1}"#.len() as u64);
    let facts = reply_facts(br#"{"type":"error","error":{"type":"api_error","message":"m"}}"#);
    assert_eq!(facts.error.unwrap().message(), "m");
    assert!(reply_facts(b"<html>").error.is_some());
}

#[test]
fn a_beginning_may_hold_the_whole_message() {
    let call = json!({ "type": "tool_use", "id": "t", "name": "roll", "input": { "player": "b" } });
    let message = json!({
        "id": "msg_2", "model": "claude-x", "content": [{ "type": "text", "text": "Next" }, call],
        "stop_reason": "tool_use", "stop_sequence": null, "usage": { "input_tokens": 10, "output_tokens": 3 }
    });
    let body = frame("message_start", &json!({ "type": "message_start", "message": message }))
        + &frame("message_stop", &json!({ "type": "message_stop" }));
    let (out, facts) = run(&body);
    assert_eq!(out, body);
    assert_eq!((facts.finish, facts.complete), (Some(Finish::ToolCalls), true));
    assert_eq!(facts.answer_bytes, "Next".len() as u64 + "{\"player\":\"b\"}".len() as u64);
}
