//! Recorded traffic: every request, reply, stream and error of the vendor is read, forwarded untouched and
//! written again without loss.

use bytes::Bytes;
use llm_types::Event;
use serde_json::{Value, json};

use super::{events, lines, relayed, status, target, without_nulls};
use crate::ReplyContext;
use crate::dialect::Dialect;
use crate::dialects::ollama::Ollama;
use crate::dialects::tests::bench;

/// The recordings of the two endpoints, by file name.
fn recordings() -> Vec<(String, Value)> {
    bench::recordings(&["traffic/ollama"], &["api/chat", "api/generate"], 10)
}

/// One form for what may be written in two ways.
fn normal_request(body: &Value) -> Value {
    let mut body = without_nulls(body);
    let members = body.as_object_mut().unwrap();
    members.entry("stream").or_insert(json!(true));
    members
        .retain(|_, value| !(value.is_null() || *value == json!({}) || *value == json!([]) || *value == ""));
    for message in members["messages"].as_array_mut().unwrap() {
        let message = message.as_object_mut().unwrap();
        message.entry("content").or_insert(json!(""));
        for call in message.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
            call["function"].as_object_mut().unwrap().shift_remove("index");
            call.as_object_mut().unwrap().shift_remove("type");
        }
        message.retain(|_, value| *value != json!([]) && !value.is_null());
    }
    body
}

#[test]
fn requests_come_back_as_they_were() {
    let mut seen = 0;
    for (name, record) in recordings() {
        let body = &record["request"]["body"];
        if !body.is_object() || record["endpoint"] != "api/chat" {
            continue;
        }
        let bytes = Bytes::from(serde_json::to_vec(body).unwrap());
        let glance = Ollama.glance(&bytes).unwrap();
        let request = Ollama.decode_request(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((&glance.model, glance.stream), (&request.model, request.stream), "{name}");
        assert_eq!(glance.max_tokens, request.options.max_tokens, "{name}");
        assert_eq!(glance.has_tools, !request.tools.is_empty(), "{name}");

        let same = Ollama.forward_request(&bytes, &glance, &target("ollama_chat", &request.model)).unwrap();
        assert_eq!(same.body.as_ptr(), bytes.as_ptr(), "{name}: forwarded without a copy");

        let written = Ollama.encode_request(&request, &target("ollama", &request.model));
        let written = written.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(written.path, "/api/chat", "{name}: its own callers chat");
        let written: Value = serde_json::from_slice(&written.body).unwrap();
        assert_eq!(normal_request(&written), normal_request(body), "{name}");
        seen += 1;
    }
    eprintln!("requests: {seen}");
}

#[test]
fn replies_say_the_same_when_written_again() {
    for (name, body) in bench::whole_replies(recordings()) {
        let (response, again) = bench::reply_again(&Ollama, (&name, &body), &ReplyContext::default());
        let bytes = serde_json::to_vec(&again).unwrap();
        assert_eq!(Ollama.decode_response(&bytes).unwrap(), response, "{name}");
        for member in ["model", "prompt_eval_count", "eval_count", "done", "done_reason"] {
            assert!(body.get(member).is_none_or(|said| again[member] == *said), "{name}: {member}");
        }
        if body.get("message").is_some() {
            assert_eq!(again["message"]["content"], body["message"]["content"], "{name}");
            assert_eq!(again["message"].get("thinking"), body["message"].get("thinking"), "{name}");
        }
    }
}

#[test]
fn streams_are_forwarded_untouched_and_say_the_same_when_written_again() {
    let mut seen = 0;
    for (name, record) in recordings() {
        let Some(body) = record["response"]["ndjson"].as_str() else { continue };
        if status(&record) >= 400 {
            continue;
        }
        let told = bench::stream_forwarded(&Ollama, (&name, body.as_bytes()), "");
        assert_eq!(told.last(), Some(&Event::Done), "{name}");
        if !told.iter().any(|event| matches!(event, Event::ToolStart { .. })) {
            bench::told_again(&Ollama, &name, &told);
        }
        seen += 1;
    }
    eprintln!("streams: {seen}");
}

#[test]
fn a_stream_cut_anywhere_ends_in_an_error() {
    for (name, record) in recordings() {
        let Some(body) = record["response"]["ndjson"].as_str() else { continue };
        let Some(end) = body.trim_end().rfind('\n').filter(|end| *end < 20_000) else { continue };
        for cut in (0..end).step_by(97) {
            let (out, relay) = relayed(&body.as_bytes()[..cut], 50);
            assert!(relay.facts().error.is_some() && !relay.facts().complete, "{name} cut at {cut}");
            let out = String::from_utf8(out).unwrap();
            assert!(out.lines().last().unwrap().starts_with("{\"error\":"), "{name} cut at {cut}: {out}");
            let whole = body[..cut].rfind('\n').map_or("", |at| &body[..at]);
            let told = lines(&events(whole.as_bytes()));
            assert!(told.last().unwrap().get("error").is_some(), "{name}: {told:?}");
            assert!(told.iter().all(|line| line["done"] != true), "{name}: {told:?}");
        }
    }
}

#[test]
fn errors_are_understood() {
    bench::errors_are_understood(&Ollama, recordings(), |body| body["error"].as_str());
}
