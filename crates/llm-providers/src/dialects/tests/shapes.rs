//! What a well-formed stream is in each dialect, and what it says. A stream that is not one panics.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::DialectId;
use crate::dialect::{Frame, Framing};
use crate::framing::Frames;

/// What a stream said.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) reasoning: String,
    pub(super) calls: Vec<(String, Value)>,
    pub(super) failed: bool,
}

/// Calls whose arguments come as text.
type Calls = BTreeMap<u64, (String, String)>;

/// Reads the stream of a dialect.
pub(super) fn read(dialect: DialectId, body: &[u8]) -> Said {
    match dialect {
        DialectId::OpenaiResponses => responses(&frames(body, Framing::Sse)),
        DialectId::Anthropic => anthropic(&frames(body, Framing::Sse)),
        DialectId::Gemini => gemini(&frames(body, Framing::Sse)),
        DialectId::Cohere => cohere(&frames(body, Framing::Sse)),
        DialectId::Converse => converse(&frames(body, Framing::EventStream)),
        DialectId::Ollama => ollama(&frames(body, Framing::Ndjson)),
        _ => openai(&frames(body, Framing::Sse)),
    }
}

fn frames(body: &[u8], framing: Framing) -> Vec<(String, Value)> {
    let mut splitter = Frames::new(framing);
    splitter.push(Bytes::copy_from_slice(body));
    let mut out = Vec::new();
    let mut take = |frame: Frame| {
        let event = String::from_utf8(frame.event.to_vec()).unwrap();
        let data = if frame.data == "[DONE]" {
            json!("[DONE]")
        } else {
            serde_json::from_slice(&frame.data).unwrap()
        };
        out.push((event, data));
    };
    while let Some(frame) = splitter.next_frame().unwrap() {
        take(frame);
    }
    assert_eq!(splitter.finish().unwrap(), None, "every frame is whole");
    out
}

/// Asserts that a member is the same in all frames that have it, and that one has it.
fn constant(frames: &[(String, Value)], pointer: &str) {
    let mut values = frames.iter().filter_map(|(_, frame)| frame.pointer(pointer));
    let Some(first) = values.next() else { panic!("no frame has {pointer}: {frames:?}") };
    assert!(values.all(|value| value == first), "{pointer} changes: {frames:?}");
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn parsed(calls: Calls) -> Vec<(String, Value)> {
    let arguments =
        |text: &str| if text.is_empty() { json!({}) } else { serde_json::from_str(text).unwrap() };
    calls.into_values().map(|(name, text)| (name, arguments(&text))).collect()
}

/// Whether the stream failed: the last frame alone tells.
fn failure(frames: &[(String, Value)], is_error: impl Fn(&(String, Value)) -> bool) -> bool {
    let at = frames.iter().position(is_error);
    assert!(at.is_none_or(|at| at + 1 == frames.len()), "nothing follows an error: {frames:?}");
    at.is_some()
}

fn openai(frames: &[(String, Value)]) -> Said {
    let mut said =
        Said { failed: failure(frames, |(_, frame)| frame.get("error").is_some()), ..Said::default() };
    let done = frames.iter().filter(|(_, frame)| *frame == "[DONE]").count();
    assert_eq!(done, usize::from(!said.failed), "one end: {frames:?}");
    let (mut calls, mut finished, mut usages, mut role) = (Calls::new(), false, 0, false);
    let chunks: Vec<_> = frames.iter().filter(|(_, frame)| frame.get("choices").is_some()).cloned().collect();
    for member in ["/id", "/model", "/created", "/object"].into_iter().filter(|_| !chunks.is_empty()) {
        constant(&chunks, member);
    }
    for (_, chunk) in &chunks {
        if chunk.get("usage").is_some_and(|usage| !usage.is_null()) {
            usages += 1;
            assert!(finished, "usage comes behind the answer");
        }
        for choice in chunk["choices"].as_array().unwrap() {
            assert!(!finished, "nothing follows the finish: {frames:?}");
            let delta = &choice["delta"];
            assert_eq!(delta.get("role").is_some(), !std::mem::replace(&mut role, true), "one role, first");
            said.text += text(&delta["content"]);
            said.reasoning += text(&delta["reasoning_content"]);
            for call in delta["tool_calls"].as_array().into_iter().flatten() {
                let (index, function) = (call["index"].as_u64().unwrap(), &call["function"]);
                if call.get("id").is_some() {
                    assert_eq!(index as usize, calls.len(), "calls are numbered in order");
                    calls.insert(index, (text(&function["name"]).to_owned(), String::new()));
                }
                calls.get_mut(&index).expect("a call begins with its id").1 += text(&function["arguments"]);
            }
            finished |= choice["finish_reason"].is_string();
        }
    }
    assert!(said.failed || (finished && usages == 1), "one finish and one usage: {frames:?}");
    if !said.failed {
        said.calls = parsed(calls);
    }
    said
}

fn responses(frames: &[(String, Value)]) -> Said {
    let kinds: Vec<&str> = frames.iter().map(|(_, frame)| text(&frame["type"])).collect();
    for (at, (event, frame)) in frames.iter().enumerate() {
        assert_eq!(frame["sequence_number"], at, "frames count up");
        assert_eq!(event, text(&frame["type"]));
    }
    assert_eq!(kinds[..2], ["response.created", "response.in_progress"]);
    constant(frames, "/response/id");
    let ends = ["response.completed", "response.incomplete", "response.failed"];
    assert_eq!(kinds.iter().filter(|kind| ends.contains(kind)).count(), 1, "one end: {kinds:?}");
    let (last, reply) = frames.last().map(|(_, frame)| (text(&frame["type"]), &frame["response"])).unwrap();
    assert!(ends.contains(&last), "the end is last");
    let (mut said, mut added, mut done) =
        (Said { failed: last == ends[2], ..Said::default() }, 0, Vec::new());
    for (_, frame) in frames {
        match text(&frame["type"]) {
            "response.output_item.added" => {
                assert_eq!(frame["output_index"], added, "items are numbered in order");
                added += 1;
            }
            "response.output_item.done" => done.push(frame["output_index"].as_u64().unwrap()),
            "response.output_text.delta" => said.text += text(&frame["delta"]),
            "response.reasoning_summary_text.delta" => said.reasoning += text(&frame["delta"]),
            _ => {}
        }
        if let Some(index) = frame.get("output_index").and_then(Value::as_u64) {
            assert!(index < added, "an item is announced before it is told");
        }
    }
    if said.failed {
        return said;
    }
    done.sort_unstable();
    assert_eq!(done, (0..added).collect::<Vec<_>>(), "every item is closed once");
    assert!(reply["usage"].is_object());
    let items = reply["output"].as_array().unwrap();
    let whole: String = items
        .iter()
        .flat_map(|item| item["content"].as_array().into_iter().flatten())
        .map(|part| text(&part["text"]))
        .collect();
    assert_eq!(whole, said.text, "the whole reply says what its pieces said");
    let calls = items.iter().filter(|item| item["type"] == "function_call");
    said.calls = parsed(
        (0..)
            .zip(calls)
            .map(|(at, call)| (at, (text(&call["name"]).to_owned(), text(&call["arguments"]).to_owned())))
            .collect(),
    );
    said
}

fn anthropic(frames: &[(String, Value)]) -> Said {
    let mut said = Said { failed: failure(frames, |(event, _)| event == "error"), ..Said::default() };
    let (mut open, mut blocks, mut calls) = (None, 0, Calls::new());
    let count = |kind: &str| frames.iter().filter(|(event, _)| event == kind).count();
    assert!(frames[0].0 == "message_start" || said.failed, "the message begins first");
    assert!(count("message_start") <= 1);
    for kind in ["message_delta", "message_stop"] {
        assert_eq!(count(kind), usize::from(!said.failed), "one {kind}");
    }
    for (event, frame) in frames {
        assert_eq!(event, text(&frame["type"]));
        let index = frame.get("index").and_then(Value::as_u64);
        match event.as_str() {
            "content_block_start" => {
                assert_eq!((open, index), (None, Some(blocks)), "one block at a time, numbered in order");
                open = index;
                blocks += 1;
                let block = &frame["content_block"];
                if block["type"] == "tool_use" {
                    calls.insert(blocks - 1, (text(&block["name"]).to_owned(), String::new()));
                }
            }
            "content_block_delta" => {
                assert_eq!(open, index, "the open block is told");
                let delta = &frame["delta"];
                said.text += text(&delta["text"]);
                said.reasoning += text(&delta["thinking"]);
                if let Some(piece) = delta["partial_json"].as_str() {
                    calls.get_mut(&index.unwrap()).unwrap().1 += piece;
                }
            }
            "content_block_stop" => assert_eq!(std::mem::take(&mut open), index),
            "message_delta" => assert!(open.is_none() && frame["usage"].is_object()),
            _ => {}
        }
    }
    assert!(said.failed || frames.last().unwrap().0 == "message_stop");
    if !said.failed {
        said.calls = parsed(calls);
    }
    said
}

fn gemini(frames: &[(String, Value)]) -> Said {
    let mut said =
        Said { failed: failure(frames, |(_, frame)| frame.get("error").is_some()), ..Said::default() };
    let chunks: Vec<_> = frames.iter().filter(|(_, frame)| frame.get("error").is_none()).cloned().collect();
    if !chunks.is_empty() {
        constant(&chunks, "/responseId");
        constant(&chunks, "/modelVersion");
    }
    let mut finished = false;
    for (_, chunk) in &chunks {
        assert!(!finished, "nothing follows the finish");
        for candidate in chunk["candidates"].as_array().into_iter().flatten() {
            for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
                let words = text(&part["text"]);
                if part["thought"] == true {
                    said.reasoning += words
                } else {
                    said.text += words
                }
                if let Some(call) = part.get("functionCall") {
                    let arguments = call.get("args").cloned().unwrap_or_else(|| json!({}));
                    said.calls.push((text(&call["name"]).to_owned(), arguments));
                }
            }
            // What was consumed so far may stand in every chunk; in the last it must.
            finished |= candidate.get("finishReason").is_some() && chunk["usageMetadata"].is_object();
        }
    }
    assert_eq!(finished, !said.failed, "one finish, with usage: {frames:?}");
    said
}

fn cohere(frames: &[(String, Value)]) -> Said {
    let mut said = Said::default();
    let (mut open, mut blocks, mut calls) = (None, 0, Calls::new());
    assert!(frames[0].0 == "message-start" || frames[0].0 == "message-end", "{frames:?}");
    for (at, (event, frame)) in frames.iter().enumerate() {
        let (index, message) = (frame.get("index").and_then(Value::as_u64), &frame["delta"]["message"]);
        match event.as_str() {
            "message-start" => assert_eq!(at, 0, "one beginning"),
            "content-start" => {
                assert_eq!((open, index), (None, Some(blocks)), "one block at a time, numbered in order");
                open = index;
                blocks += 1;
            }
            "content-delta" => {
                assert_eq!(open, index, "the open block is told");
                said.text += text(&message["content"]["text"]);
                said.reasoning += text(&message["content"]["thinking"]);
            }
            "content-end" => assert_eq!(std::mem::take(&mut open), index),
            "tool-call-start" => {
                assert_eq!(index, Some(calls.len() as u64), "calls are numbered in order");
                let name = text(&message["tool_calls"]["function"]["name"]).to_owned();
                calls.insert(calls.len() as u64, (name, String::new()));
            }
            "tool-call-delta" => {
                let piece = text(&message["tool_calls"]["function"]["arguments"]);
                calls.get_mut(&index.unwrap()).expect("a call begins first").1 += piece;
            }
            "message-end" => {
                said.failed = matches!(text(&frame["delta"]["finish_reason"]), "ERROR" | "TIMEOUT");
                assert!(open.is_none() || said.failed, "blocks are closed");
                let rest = &frames[at + 1..];
                assert!(
                    rest.is_empty() || (rest.len() == 1 && rest[0].1 == "[DONE]"),
                    "the end is last: {rest:?}"
                );
            }
            _ => {}
        }
    }
    assert_eq!(frames.iter().filter(|(event, _)| event == "message-end").count(), 1);
    if !said.failed {
        said.calls = parsed(calls);
    }
    said
}

fn converse(frames: &[(String, Value)]) -> Said {
    let is_error =
        |(event, _): &(String, Value)| event.starts_with("exception:") || event.starts_with("error:");
    let mut said = Said { failed: failure(frames, is_error), ..Said::default() };
    let (mut open, mut blocks, mut calls) = (None, 0, Calls::new());
    let order: Vec<&str> =
        frames.iter().map(|(event, _)| event.as_str()).filter(|event| event.starts_with('m')).collect();
    if said.failed {
        assert!(order.is_empty() || order == ["messageStart"], "{order:?}");
    } else {
        assert_eq!(order, ["messageStart", "messageStop", "metadata"]);
        assert_eq!(frames.last().unwrap().0, "metadata");
    }
    for (event, frame) in frames {
        let index = frame.get("contentBlockIndex").and_then(Value::as_u64);
        match event.as_str() {
            "contentBlockStart" => {
                assert_eq!((open, index), (None, Some(blocks)), "one block at a time, numbered in order");
                open = index;
                blocks += 1;
                let call = &frame["start"]["toolUse"];
                calls.insert(blocks - 1, (text(&call["name"]).to_owned(), String::new()));
            }
            "contentBlockDelta" => {
                if open.is_none() {
                    // Words need no start.
                    assert_eq!(index, Some(blocks), "blocks are numbered in order");
                    open = index;
                    blocks += 1;
                }
                assert_eq!(open, index, "the open block is told");
                let delta = &frame["delta"];
                said.text += text(&delta["text"]);
                said.reasoning += text(&delta["reasoningContent"]["text"]);
                if let Some(piece) = delta["toolUse"]["input"].as_str() {
                    calls.get_mut(&index.unwrap()).expect("a call has a start").1 += piece;
                }
            }
            "contentBlockStop" => assert_eq!(std::mem::take(&mut open), index),
            _ => {}
        }
    }
    assert!(open.is_none() || said.failed);
    if !said.failed {
        said.calls = parsed(calls);
    }
    said
}

fn ollama(frames: &[(String, Value)]) -> Said {
    let mut said =
        Said { failed: failure(frames, |(_, line)| line.get("error").is_some()), ..Said::default() };
    let lines: Vec<_> = frames.iter().filter(|(_, line)| line.get("error").is_none()).cloned().collect();
    if !lines.is_empty() {
        constant(&lines, "/model");
        constant(&lines, "/message/role");
    }
    for (at, (_, line)) in lines.iter().enumerate() {
        assert_eq!(line["done"] == true, !said.failed && at + 1 == lines.len(), "one end, last: {frames:?}");
        assert_eq!(line.get("eval_count").is_some(), line["done"] == true, "usage comes with the end");
        said.text += text(&line["message"]["content"]);
        said.reasoning += text(&line["message"]["thinking"]);
        for call in line["message"]["tool_calls"].as_array().into_iter().flatten() {
            said.calls
                .push((text(&call["function"]["name"]).to_owned(), call["function"]["arguments"].clone()));
        }
    }
    said
}
