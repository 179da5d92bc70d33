//! The dialect both ways: requests read and refused, replies and streams in either form.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use llm_types::{ChatRequest, ErrorKind, Event, Message, Role, Timeouts};
use serde_json::{Map, Value, json};
use std::sync::Arc;

mod vectors;

use super::{OpenaiText, completes};
use crate::dialect::{Dialect, Frame, ReplyContext};
use crate::dialects::{ANTHROPIC, OPENAI_CHAT};
use crate::{ParamPolicy, Target};

fn target(slug: &str) -> Target {
    let registry = crate::Registry::built_in();
    let spec = registry.all().into_iter().find(|spec| spec.id.as_str() == slug).unwrap();
    Target {
        spec: Arc::clone(spec),
        model: "gpt-3.5-turbo-instruct".to_owned(),
        base_url: "https://api.openai.com/v1".to_owned(),
        key: None,
        headers: HeaderMap::new(),
        defaults: Map::new(),
        policy: ParamPolicy::default(),
        cloud: None,
        timeouts: Timeouts::default(),
    }
}

fn decoded(body: &Value) -> llm_types::Result<ChatRequest> {
    OpenaiText.decode_request(&serde_json::to_vec(body).unwrap())
}

fn context() -> ReplyContext {
    ReplyContext {
        id: "id-1".to_owned(),
        model: "asked".to_owned(),
        now: 5,
        include_usage: true,
        ..ReplyContext::default()
    }
}

#[test]
fn a_prompt_is_what_a_user_says() {
    for prompt in [json!("Say hi"), json!(["Say hi"])] {
        let body = json!({ "model": "m", "prompt": prompt, "max_tokens": 5, "logprobs": 2, "n": 2, "best_of": 2,
            "echo": false, "suffix": null, "stop": "END", "stream": true, "unknown": 1 });
        let request = decoded(&body).unwrap();
        assert_eq!((request.messages.len(), request.messages[0].role), (1, Role::User));
        assert_eq!(request.messages[0].text(), "Say hi");
        let options = &request.options;
        assert_eq!((options.max_tokens, options.n, options.top_logprobs), (Some(5), Some(2), Some(2)));
        assert_eq!((options.logprobs, options.stop.as_slice()), (Some(true), ["END".to_owned()].as_slice()));
        assert!(request.stream && request.extra.value("unknown").is_some());
        assert!(request.extra.value("prompt").is_none() && request.extra.value("echo").is_none());
    }
}

#[test]
fn what_a_chat_cannot_say_is_refused_by_name() {
    for (more, param, kind) in [
        (json!({ "prompt": ["a", "b"] }), "prompt", ErrorKind::Unsupported),
        (json!({ "prompt": [1, 2] }), "prompt", ErrorKind::BadRequest),
        (json!({ "prompt": [[1, 2]] }), "prompt", ErrorKind::BadRequest),
        (json!({ "prompt": [] }), "prompt", ErrorKind::BadRequest),
        (json!({ "prompt": 7 }), "prompt", ErrorKind::BadRequest),
        (json!({ "prompt": null }), "prompt", ErrorKind::BadRequest),
        (json!({ "prompt": "a", "suffix": "z" }), "suffix", ErrorKind::Unsupported),
        (json!({ "prompt": "a", "echo": true }), "echo", ErrorKind::Unsupported),
        (json!({ "prompt": "a", "best_of": 3, "n": 2 }), "best_of", ErrorKind::Unsupported),
        (json!({ "prompt": "a", "logprobs": "x" }), "logprobs", ErrorKind::BadRequest),
    ] {
        let mut body = more;
        body["model"] = json!("m");
        let error = decoded(&body).unwrap_err();
        assert_eq!((error.kind(), error.param()), (kind, Some(param)), "{body}: {error}");
    }
    let dropped =
        decoded(&json!({ "model": "m", "prompt": "a", "suffix": "z", "echo": true, "drop_params": true }));
    assert_eq!(dropped.unwrap().messages[0].text(), "a");
}

#[test]
fn the_glance_counts_prompts_and_answers() {
    for (body, n, lacks) in [
        (json!({ "model": "m", "prompt": "abc" }), 1, None),
        (json!({ "model": "m", "prompt": ["a", "b", "c"], "n": 2 }), 6, None),
        (json!({ "model": "m", "prompt": [1, 2, 3], "best_of": 4 }), 4, None),
        (json!({ "model": "m", "prompt": [[1, 2], [3]] }), 2, None),
        (json!({ "model": "m", "messages": [] }), 1, Some("prompt")),
    ] {
        let glance = OpenaiText.glance(&serde_json::to_vec(&body).unwrap()).unwrap();
        assert_eq!((glance.n, glance.lacks), (n, lacks), "{body}");
    }
    let twice = OpenaiText.glance(br#"{"model":"m","prompt":"a","prompt":"b"}"#).unwrap_err();
    assert_eq!(twice.param(), Some("prompt"));
}

#[test]
fn a_chat_for_a_provider_of_completions_is_one_text() {
    let request = ChatRequest::new("m", [Message::system("Be brief."), Message::user("Hi")]);
    let sent = OpenaiText.encode_request(&request, &target("text-completion-openai")).unwrap();
    assert_eq!(sent.path, "/completions");
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(body, json!({ "model": "gpt-3.5-turbo-instruct", "prompt": "Be brief.\nHi" }));

    let tools = json!({ "model": "m", "messages": [{ "role": "user", "content": "x" }],
        "tools": [{ "type": "function", "function": { "name": "f" } }] });
    let request = OPENAI_CHAT.decode_request(&serde_json::to_vec(&tools).unwrap()).unwrap();
    let error = OpenaiText.encode_request(&request, &target("text-completion-openai")).unwrap_err();
    assert_eq!((error.kind(), error.param()), (ErrorKind::Unsupported, Some("tools")));
    let picture = json!({ "model": "m", "messages": [{ "role": "user", "content": [
        { "type": "image_url", "image_url": { "url": "https://e.org/a.png" } }] }] });
    let request = OPENAI_CHAT.decode_request(&serde_json::to_vec(&picture).unwrap()).unwrap();
    let error = OpenaiText.encode_request(&request, &target("text-completion-openai")).unwrap_err();
    assert_eq!((error.kind(), error.param()), (ErrorKind::Unsupported, Some("messages")));
}

#[test]
fn callers_bytes_are_forwarded_with_the_models_name() {
    let body =
        Bytes::from_static(br#"{ "model": "mine", "prompt": [[1, 2]], "echo": true, "num_retries": 1 }"#);
    let glance = OpenaiText.glance(&body).unwrap();
    let sent = OpenaiText.forward_request(&body, &glance, &target("text-completion-openai")).unwrap();
    assert_eq!(sent.path, "/completions");
    assert_eq!(
        sent.body,
        br#"{ "model": "gpt-3.5-turbo-instruct", "prompt": [[1, 2]], "echo": true }"#.as_slice()
    );
}

fn reply() -> Value {
    json!({ "id": "cmpl-1", "object": "text_completion", "created": 9, "model": "instruct", "choices": [
        { "text": " relax", "index": 0, "finish_reason": "length", "logprobs": { "tokens": [" re", "lax"],
            "token_logprobs": [-0.5, -0.25], "top_logprobs": [{ " re": -0.5, " wo": -1.5 }, { "lax": -0.25 }], "text_offset": [0, 3] } },
        { "text": " (1", "index": 1, "finish_reason": "stop", "logprobs": null }],
        "usage": { "prompt_tokens": 2, "completion_tokens": 12, "total_tokens": 14 } })
}

#[test]
fn replies_come_back_as_they_were() {
    let bytes = serde_json::to_vec(&reply()).unwrap();
    let read = OpenaiText.decode_response(&bytes).unwrap();
    assert_eq!(read.choices[1].message.text(), " (1");
    let written = OpenaiText.encode_response(&read, &context()).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), reply());
    let facts = OpenaiText.reply_facts(&bytes);
    assert!(facts.complete && facts.error.is_none() && facts.answer_bytes > 0);
    assert_eq!(facts.usage.map(|usage| usage.output_tokens), Some(12));
    let error = OpenaiText.decode_response(br#"{"error":{"message":"no"}}"#).unwrap_err();
    assert_eq!(error.message(), "no");
}

#[test]
fn a_chats_reply_is_a_text() {
    let message = json!({ "id": "msg", "type": "message", "role": "assistant", "model": "claude",
        "content": [{ "type": "thinking", "thinking": "hm", "signature": "s" }, { "type": "text", "text": "Hi" }],
        "stop_reason": "end_turn", "usage": { "input_tokens": 3, "output_tokens": 1 } });
    let read = ANTHROPIC.decode_response(&serde_json::to_vec(&message).unwrap()).unwrap();
    let written: Value =
        serde_json::from_slice(&OpenaiText.encode_response(&read, &context()).unwrap()).unwrap();
    assert_eq!(
        written["choices"],
        json!([{ "text": "Hi", "index": 0, "logprobs": null, "finish_reason": "stop" }])
    );
    assert_eq!((&written["object"], &written["created"]), (&json!("text_completion"), &json!(5)));
}

fn frames() -> String {
    let head = json!({ "id": "cmpl-1", "object": "text_completion", "created": 9, "model": "instruct" });
    let frame = |more: Value| {
        let mut chunk = head.clone();
        chunk.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        format!("data: {chunk}\n\n")
    };
    let piece = |text: &str, finish: Value| {
        frame(json!({ "choices": [{ "text": text, "index": 0, "logprobs": null, "finish_reason": finish }] }))
    };
    let usage = frame(
        json!({ "choices": [], "usage": { "prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5 } }),
    );
    [
        piece("Hel", Value::Null),
        piece("lo", Value::Null),
        piece("", json!("stop")),
        usage,
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat()
}

fn events(body: &str) -> Vec<Event> {
    let mut decoder = OpenaiText.stream_decoder();
    let mut events = Vec::new();
    for frame in body.split("\n\n").filter_map(|frame| frame.strip_prefix("data: ")) {
        let frame = Frame { event: Bytes::new(), data: Bytes::copy_from_slice(frame.as_bytes()) };
        decoder.push(&frame, &mut events).unwrap();
    }
    decoder.finish(&mut events);
    events
}

fn written(events: &[Event]) -> String {
    let mut encoder = OpenaiText.stream_encoder(context());
    let mut out = BytesMut::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    encoder.finish(&mut out);
    String::from_utf8(out.to_vec()).unwrap()
}

#[test]
fn streams_come_back_as_they_were() {
    let told = events(&frames());
    assert!(told.contains(&Event::Done), "{told:?}");
    assert_eq!(events(&written(&told)), told);
    assert_eq!(written(&told), frames());
    let mut relay = OpenaiText.relay(false);
    let mut out = Vec::new();
    for byte in frames().bytes() {
        relay.push(Bytes::copy_from_slice(&[byte]), &mut out);
    }
    relay.finish(None, &mut out);
    let forwarded = String::from_utf8(out.concat()).unwrap();
    assert!(!forwarded.contains("usage") && forwarded.ends_with("data: [DONE]\n\n"), "{forwarded}");
    assert_eq!((relay.facts().answer_bytes, relay.facts().complete), (5, true));
    assert_eq!(relay.facts().usage.as_ref().map(|usage| usage.output_tokens), Some(3));
}

#[test]
fn a_cut_stream_is_no_clean_end() {
    let frames = frames();
    let told = events(frames.split_inclusive("\n\n").next().unwrap());
    assert!(told.contains(&Event::Text { choice: 0, text: "Hel".to_owned() }), "{told:?}");
    assert!(!told.contains(&Event::Done));
    let shown = written(&told);
    assert!(shown.contains("\"error\"") && !shown.contains("[DONE]"), "{shown}");
}

#[test]
fn models_that_complete() {
    for (model, yes) in [
        ("gpt-3.5-turbo-instruct", true),
        ("davinci-002", true),
        ("ft:babbage-002:me", true),
        ("gpt-4o", false),
    ] {
        assert_eq!(completes(model), yes, "{model}");
    }
}
