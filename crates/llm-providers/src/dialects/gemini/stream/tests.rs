//! Streams of other vendors for callers of this dialect.

use bytes::{Bytes, BytesMut};
use llm_types::Event;
use serde_json::{Value, json};

use super::partial::Partial;
use crate::ReplyContext;
use crate::dialect::Dialect;
use crate::dialects::anthropic::Anthropic;
use crate::dialects::gemini::Gemini;
use crate::dialects::openai::chat::OpenaiChat;
use crate::framing::sse::Splitter;

fn events(dialect: &dyn Dialect, body: &str) -> Vec<Event> {
    let (mut splitter, mut decoder, mut events) = (Splitter::new(), dialect.stream_decoder(), Vec::new());
    splitter.push(Bytes::copy_from_slice(body.as_bytes()));
    while let Some(frame) = splitter.next_frame().unwrap() {
        decoder.push(&frame, &mut events).unwrap();
    }
    decoder.finish(&mut events);
    events
}

/// The frames of this dialect for a stream of another.
fn translated(dialect: &dyn Dialect, body: &str) -> Vec<Value> {
    let mut encoder = Gemini.stream_encoder(ReplyContext::default());
    let mut out = BytesMut::new();
    for event in events(dialect, body) {
        encoder.push(&event, &mut out);
    }
    encoder.finish(&mut out);
    let text = String::from_utf8(out.to_vec()).unwrap();
    text.split("\n\n")
        .filter_map(|frame| frame.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

fn parts(frames: &[Value]) -> Vec<Value> {
    let each =
        |frame: &Value| frame["candidates"][0]["content"]["parts"].as_array().cloned().unwrap_or_default();
    frames.iter().flat_map(each).filter(|part| *part != json!({ "text": "" })).collect()
}

fn openai(chunks: &[Value]) -> String {
    let mut body = String::new();
    for chunk in chunks {
        let mut chunk = chunk.clone();
        chunk["id"] = json!("c1");
        chunk["model"] = json!("gpt");
        body.push_str(&format!("data: {chunk}\n\n"));
    }
    body + "data: [DONE]\n\n"
}

#[test]
fn calls_in_pieces_are_told_whole() {
    let piece = |index: u32, call: Value| {
        json!({ "choices": [{ "index": 0, "delta": { "tool_calls": [
        { "index": index, "id": call["id"], "type": "function", "function": call["function"] }] } }] })
    };
    let more = |index: u32, arguments: &str| {
        json!({ "choices": [{ "index": 0, "delta": { "tool_calls": [
        { "index": index, "function": { "arguments": arguments } }] } }] })
    };
    let frames = translated(
        &OpenaiChat,
        &openai(&[
            piece(0, json!({ "id": "a", "function": { "name": "f", "arguments": "" } })),
            more(0, "{\"x\""),
            piece(1, json!({ "id": "b", "function": { "name": "g", "arguments": "" } })),
            more(0, ":1}"),
            json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "tool_calls" }] }),
            json!({ "choices": [], "usage": { "prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5 } }),
        ]),
    );
    assert_eq!(
        parts(&frames),
        [
            json!({ "functionCall": { "id": "a", "name": "f", "args": { "x": 1 } } }),
            json!({ "functionCall": { "id": "b", "name": "g", "args": {} } })
        ]
    );
    let last = frames.last().unwrap();
    assert_eq!(last["candidates"][0]["finishReason"], "STOP");
    assert_eq!(last["usageMetadata"]["totalTokenCount"], 5);
    let reasons = frames.iter().filter(|frame| frame["candidates"][0].get("finishReason").is_some());
    assert_eq!(reasons.count(), 1);
}

#[test]
fn thoughts_keep_their_signature() {
    let event = |kind: &str, more: Value| {
        let mut data = json!({ "type": kind });
        for (name, value) in more.as_object().into_iter().flatten() {
            data[name] = value.clone();
        }
        format!("event: {kind}\ndata: {data}\n\n")
    };
    let delta = |delta: Value| event("content_block_delta", json!({ "index": 0, "delta": delta }));
    let body = [
        event("message_start", json!({ "message": { "id": "m", "model": "claude", "usage": { "input_tokens": 1, "output_tokens": 1 } } })),
        event("content_block_start", json!({ "index": 0, "content_block": { "type": "thinking", "thinking": "" } })),
        delta(json!({ "type": "thinking_delta", "thinking": "hm" })),
        delta(json!({ "type": "signature_delta", "signature": "c2ln" })),
        event("content_block_stop", json!({ "index": 0 })),
        event("content_block_start", json!({ "index": 1, "content_block": { "type": "text", "text": "Hi" } })),
        event("content_block_stop", json!({ "index": 1 })),
        event("message_delta", json!({ "delta": { "stop_reason": "max_tokens" }, "usage": { "output_tokens": 9 } })),
        event("message_stop", json!({})),
    ]
    .concat();
    let frames = translated(&Anthropic, &body);
    assert_eq!(
        parts(&frames),
        [
            json!({ "thought": true, "text": "hm" }),
            json!({ "thought": true, "text": "", "thoughtSignature": "c2ln" }),
            json!({ "text": "Hi" })
        ]
    );
    assert_eq!(frames.last().unwrap()["candidates"][0]["finishReason"], "MAX_TOKENS");
}

#[test]
fn a_stream_that_is_cut_ends_in_an_error() {
    let chunk = json!({ "choices": [{ "index": 0, "delta": { "content": "Hi" } }] });
    let whole = openai(&[chunk]);
    let frames = translated(&OpenaiChat, whole.trim_end_matches("data: [DONE]\n\n"));
    let last = frames.last().unwrap();
    assert!(last["error"]["message"].as_str().unwrap().contains("ended before"), "{last}");
    assert!(frames.iter().all(|frame| frame["candidates"][0].get("finishReason").is_none()));
}

#[test]
fn pieces_of_arguments_find_their_place() {
    let mut partial = Partial::new(String::new(), "f".to_owned(), None, None);
    partial.take(&[
        json!({ "jsonPath": "$.a.b", "stringValue": "x", "willContinue": true }),
        json!({ "jsonPath": "$.a.b", "stringValue": "y" }),
        json!({ "jsonPath": "$.list[1].n", "numberValue": 2.5 }),
        json!({ "jsonPath": "$['odd name']", "boolValue": true }),
        json!({ "jsonPath": "$.none", "nullValue": "NULL_VALUE" }),
        json!({ "jsonPath": "$.far[99999999999]", "numberValue": 1 }),
        json!({ "jsonPath": "$[broken", "numberValue": 1 }),
    ]);
    let read: Value = serde_json::from_str(&partial.arguments()).unwrap();
    assert_eq!(
        read,
        json!({ "a": { "b": "xy" }, "list": [null, { "n": 2.5 }], "odd name": true, "none": null })
    );
}
