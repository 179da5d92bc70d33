//! The state machines: what frames mean, and that what is written is always well formed.

use llm_types::{Citation, Error, ErrorKind, Event, Finish, Part, PartKind, Start, Usage};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::tests::{events, frames, said};

fn body(frames: &[Value]) -> String {
    frames.iter().map(|data| format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap())).collect()
}

fn start() -> Value {
    json!({ "type": "message_start", "message": { "id": "msg_1", "model": "claude-x", "usage": { "input_tokens": 10, "output_tokens": 1 } } })
}

fn block(index: u64, block: &Value) -> Value {
    json!({ "type": "content_block_start", "index": index, "content_block": block })
}

fn delta(index: u64, delta: &Value) -> Value {
    json!({ "type": "content_block_delta", "index": index, "delta": delta })
}

fn stop(index: u64) -> Value {
    json!({ "type": "content_block_stop", "index": index })
}

fn end(reason: &str) -> [Value; 2] {
    [
        json!({ "type": "message_delta", "delta": { "stop_reason": reason }, "usage": { "output_tokens": 9 } }),
        json!({ "type": "message_stop" }),
    ]
}

/// The events of one block between start and end.
fn of_block(blocks: &[Value], reason: &str) -> Vec<Event> {
    let mut all = vec![start()];
    all.extend_from_slice(blocks);
    all.extend(end(reason));
    let events = events(body(&all).as_bytes());
    events.into_iter().filter(|event| !matches!(event, Event::Start(_) | Event::Usage(_))).collect()
}

fn arguments(index: u32, arguments: &str) -> Event {
    Event::ToolArguments { choice: 0, index, arguments: arguments.to_owned() }
}

fn tool(index: u32, name: &str) -> Event {
    Event::ToolStart { choice: 0, index, id: format!("toolu_{index}"), name: name.to_owned(), custom: false }
}

fn text(text: &str) -> Event {
    Event::Text { choice: 0, text: text.to_owned() }
}

fn ends(reason: Finish) -> [Event; 3] {
    [Event::BlockEnd { choice: 0 }, Event::Finish { choice: 0, reason }, Event::Done]
}

#[test]
fn a_call_without_input_has_an_empty_object() {
    let call = json!({ "type": "tool_use", "id": "toolu_0", "name": "ping", "input": {} });
    let told = of_block(&[block(0, &call), stop(0)], "tool_use");
    assert_eq!(told, [vec![tool(0, "ping"), arguments(0, "{}")], ends(Finish::ToolCalls).to_vec()].concat());

    let piece = json!({ "type": "input_json_delta", "partial_json": "{\"a\":1}" });
    let nothing = json!({ "type": "input_json_delta", "partial_json": "" });
    let told = of_block(&[block(0, &call), delta(0, &nothing), delta(0, &piece), stop(0)], "tool_use");
    assert_eq!(
        told,
        [vec![tool(0, "ping"), arguments(0, "{\"a\":1}")], ends(Finish::ToolCalls).to_vec()].concat()
    );
}

#[test]
fn input_that_came_whole_is_kept() {
    let call = json!({ "type": "tool_use", "id": "toolu_0", "name": "roll", "input": { "player": "a" } });
    let told = of_block(&[block(0, &call), stop(0)], "tool_use");
    assert_eq!(told[1], arguments(0, "{\"player\":\"a\"}"));
}

#[test]
fn the_answer_tool_is_the_answer() {
    let call = json!({ "type": "tool_use", "id": "toolu_0", "name": "json_tool_call", "input": {} });
    let piece = json!({ "type": "input_json_delta", "partial_json": "{\"a\":1}" });
    let told = of_block(&[block(0, &call), delta(0, &piece), stop(0)], "tool_use");
    assert_eq!(told, [vec![text("{\"a\":1}")], ends(Finish::Stop).to_vec()].concat());
}

#[test]
fn native_blocks_come_whole() {
    let search = json!({ "type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {} });
    let piece = |text: &str| delta(0, &json!({ "type": "input_json_delta", "partial_json": text }));
    let told = of_block(&[block(0, &search), piece("{\"que"), piece("ry\":\"q\"}"), stop(0)], "end_turn");
    let value = json!({ "type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": { "query": "q" } });
    let part = Part::new(PartKind::Native { dialect: "anthropic".to_owned(), value });
    assert_eq!(told[0], Event::Part { choice: 0, part: Box::new(part) });

    let compaction = json!({ "type": "compaction", "content": "" });
    let more = delta(0, &json!({ "type": "compaction_delta", "content": "summary" }));
    let told = of_block(&[block(0, &compaction), more, stop(0)], "end_turn");
    let value = json!({ "type": "compaction", "content": "summary" });
    let part = Part::new(PartKind::Native { dialect: "anthropic".to_owned(), value });
    assert_eq!(told[0], Event::Part { choice: 0, part: Box::new(part) });
}

#[test]
fn a_stated_error_ends_the_stream_and_a_missing_end_is_no_end() {
    let error = json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } });
    let told = events(body(&[start(), error, json!({ "type": "message_stop" })]).as_bytes());
    assert!(matches!(told.last(), Some(Event::Error(error)) if error.kind() == ErrorKind::Overloaded));

    let told = events(body(&[start(), block(0, &json!({ "type": "text", "text": "Hi" }))]).as_bytes());
    assert!(!told.contains(&Event::Done));
    assert_eq!(told.last(), Some(&Event::BlockEnd { choice: 0 }));
}

#[test]
fn what_is_not_json_is_not_this_dialect() {
    let mut decoder = super::Decoder::default();
    let frame = crate::dialect::Frame { event: "message_start".into(), data: "<html>".into() };
    let error = crate::dialect::StreamDecoder::push(&mut decoder, &frame, &mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadUpstream);
    assert!(error.message().starts_with("stream event `message_start` is not readable"), "{error}");
}

/// The data of written frames; the names must agree with them.
fn written(told: &[Event]) -> Vec<Value> {
    let written = frames(told);
    let frame = |frame: &str| {
        let (event, data) = frame.strip_prefix("event: ").unwrap().split_once("\ndata: ").unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["type"], event);
        data
    };
    written.split_terminator("\n\n").map(frame).collect()
}

fn kinds(frames: &[Value]) -> Vec<&str> {
    frames.iter().map(|frame| frame["type"].as_str().unwrap()).collect()
}

#[test]
fn writes_a_whole_stream() {
    let usage = Usage { input_tokens: 12, output_tokens: 1, cache_read_tokens: Some(2), ..Usage::default() };
    let start = Start { id: "msg_1".to_owned(), model: "claude-x".to_owned(), ..Start::default() };
    let frames = written(&[
        Event::Start(start),
        Event::Usage(usage),
        Event::Reasoning { choice: 0, text: "hm".to_owned() },
        Event::Signature { choice: 0, signature: "sig".to_owned() },
        text("Hi"),
        tool(0, "t"),
        arguments(0, "{}"),
        Event::Usage(Usage { output_tokens: 7, ..Usage::default() }),
        Event::Finish { choice: 0, reason: Finish::ToolCalls },
        Event::Done,
    ]);
    assert_eq!(
        frames[0],
        json!({ "type": "message_start", "message": {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "content": [],
            "stop_reason": null, "stop_sequence": null,
            "usage": { "input_tokens": 10, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 2, "output_tokens": 1 },
        } })
    );
    assert_eq!(frames[1], block(0, &json!({ "type": "thinking", "thinking": "", "signature": "" })));
    assert_eq!(frames[2], delta(0, &json!({ "type": "thinking_delta", "thinking": "hm" })));
    assert_eq!(frames[3], delta(0, &json!({ "type": "signature_delta", "signature": "sig" })));
    assert_eq!(frames[4], stop(0));
    assert_eq!(frames[5], block(1, &json!({ "type": "text", "text": "" })));
    assert_eq!(frames[6], delta(1, &json!({ "type": "text_delta", "text": "Hi" })));
    assert_eq!(frames[7], stop(1));
    assert_eq!(
        frames[8],
        block(2, &json!({ "type": "tool_use", "id": "toolu_0", "name": "t", "input": {} }))
    );
    assert_eq!(frames[9], delta(2, &json!({ "type": "input_json_delta", "partial_json": "{}" })));
    assert_eq!(frames[10], stop(2));
    assert_eq!(
        frames[11],
        json!({ "type": "message_delta", "delta": { "stop_reason": "tool_use", "stop_sequence": null },
            "usage": { "input_tokens": 10, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 2, "output_tokens": 7 } })
    );
    assert_eq!(frames[12..], [json!({ "type": "message_stop" })]);
}

#[test]
fn calls_that_come_interleaved_are_written_one_after_the_other() {
    let told = [
        Event::Start(Start::default()),
        tool(0, "a"),
        tool(1, "b"),
        arguments(0, "{\"x\":"),
        arguments(1, "{\"y\":\"}"),
        arguments(0, "1}"),
        arguments(1, "\"}"),
        Event::Finish { choice: 0, reason: Finish::ToolCalls },
        Event::Done,
    ];
    let again = events(frames(&told).as_bytes());
    let expect = [
        Event::Start(Start::default()),
        tool(0, "a"),
        arguments(0, "{\"x\":1}"),
        Event::BlockEnd { choice: 0 },
        tool(1, "b"),
        arguments(1, "{\"y\":\"}\"}"),
        Event::BlockEnd { choice: 0 },
        Event::Finish { choice: 0, reason: Finish::ToolCalls },
        Event::Done,
    ];
    assert_eq!(said(&again), said(&expect));
}

#[test]
fn an_error_and_a_cut_end_in_an_error_event() {
    let error = Error::new(ErrorKind::Overloaded, "no capacity");
    let frames = written(&[
        Event::Start(Start::default()),
        text("Hi"),
        Event::Error(error),
        text("more"),
        Event::Done,
    ]);
    let last = frames.last().unwrap();
    assert_eq!(
        *last,
        json!({ "type": "error", "error": { "type": "overloaded_error", "message": "no capacity" } })
    );
    assert!(!kinds(&frames).contains(&"message_stop"));

    let frames = written(&[
        Event::Start(Start::default()),
        text("Hi"),
        Event::Finish { choice: 0, reason: Finish::Stop },
    ]);
    assert_eq!(*kinds(&frames).last().unwrap(), "error");
    assert!(!kinds(&frames).contains(&"message_stop"));
}

/// Events in any order, sensible or not.
fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Start(Start::default())),
        "[a-z\"\\\\{}]{0,4}".prop_map(|text| Event::Text { choice: 0, text }),
        "[a-z]{0,3}".prop_map(|text| Event::Reasoning { choice: 0, text }),
        "[a-z]{1,3}".prop_map(|signature| Event::Signature { choice: 0, signature }),
        (0..3u32).prop_map(|index| tool(index, "t")),
        (0..3u32, "[{}\"a:\\\\]{0,4}").prop_map(|(index, piece)| arguments(index, &piece)),
        Just(Event::Citation {
            choice: 0,
            citation: Box::new(Citation { url: Some("u".to_owned()), ..Citation::default() })
        }),
        Just(Event::Part {
            choice: 0,
            part: Box::new(Part::new(PartKind::RedactedReasoning { data: "d".to_owned() }))
        }),
        Just(Event::BlockEnd { choice: 0 }),
        Just(Event::Usage(Usage { input_tokens: 1, output_tokens: 2, ..Usage::default() })),
        Just(Event::Ping),
        Just(Event::Finish { choice: 0, reason: Finish::Stop }),
        Just(text("other answer")).prop_map(|_| Event::Text { choice: 1, text: "other".to_owned() }),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_always_well_formed(mut told in prop::collection::vec(any_event(), 0..30), done in any::<bool>()) {
        if done {
            told.push(Event::Done);
        }
        let frames = written(&told);
        let kinds = kinds(&frames);
        let mut open = None;
        let mut next = 0;
        for (at, frame) in frames.iter().enumerate() {
            match kinds[at] {
                "message_start" => prop_assert_eq!(at, 0),
                "content_block_start" => {
                    prop_assert_eq!(open, None, "one block at a time");
                    prop_assert_eq!(&frame["index"], &json!(next));
                    open = Some(next);
                    next += 1;
                }
                "content_block_delta" => prop_assert_eq!(&frame["index"], &json!(open.expect("a block is open"))),
                "content_block_stop" => prop_assert_eq!(&frame["index"], &json!(open.take().expect("a block is open"))),
                "message_delta" => prop_assert!(open.is_none() && at + 2 == frames.len()),
                "message_stop" | "error" => prop_assert_eq!(at + 1, frames.len()),
                "ping" => prop_assert!(at > 0),
                other => prop_assert!(false, "unknown event {}", other),
            }
        }
        prop_assert_eq!(*kinds.last().unwrap(), if done { "message_stop" } else { "error" });
    }
}

/// A message that goes on after a call from running code, as the vendor streams it.
#[test]
fn a_beginning_may_hold_the_whole_message() {
    let call = json!({ "type": "tool_use", "id": "toolu_0", "name": "roll", "input": { "player": "b" } });
    let message = json!({
        "id": "msg_2", "model": "claude-x", "content": [{ "type": "text", "text": "Next" }, call],
        "stop_reason": "tool_use", "stop_sequence": null, "usage": { "input_tokens": 10, "output_tokens": 3 }
    });
    let stream = [json!({ "type": "message_start", "message": message }), json!({ "type": "message_stop" })];
    let told = events(body(&stream).as_bytes());
    let told: Vec<_> =
        told.into_iter().filter(|event| !matches!(event, Event::Start(_) | Event::Usage(_))).collect();
    let between = vec![Event::BlockEnd { choice: 0 }, tool(0, "roll"), arguments(0, "{\"player\":\"b\"}")];
    assert_eq!(told, [vec![text("Next")], between, ends(Finish::ToolCalls).to_vec()].concat());
}
