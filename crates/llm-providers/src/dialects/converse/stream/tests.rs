//! Streams, frame by frame.

use llm_types::{Citation, Error, ErrorKind, Event, Finish, MediaSource, Part, PartKind, Start, Usage};
use serde_json::{Value, json};

use super::super::tests::{events, frames, said, stream, written};

fn start() -> (&'static str, Value) {
    ("messageStart", json!({ "role": "assistant" }))
}

#[expect(clippy::needless_pass_by_value, reason = "callers build it in place")]
fn delta(index: u64, delta: Value) -> (&'static str, Value) {
    ("contentBlockDelta", json!({ "contentBlockIndex": index, "delta": delta }))
}

fn stop(index: u64) -> (&'static str, Value) {
    ("contentBlockStop", json!({ "contentBlockIndex": index }))
}

fn end(reason: &str) -> [(&'static str, Value); 2] {
    let usage = json!({ "inputTokens": 10, "outputTokens": 5, "totalTokens": 18, "cacheReadInputTokens": 3 });
    [
        ("messageStop", json!({ "stopReason": reason })),
        ("metadata", json!({ "usage": usage, "metrics": { "latencyMs": 0 } })),
    ]
}

fn whole(content: Vec<(&'static str, Value)>, reason: &str) -> Vec<(&'static str, Value)> {
    [start()].into_iter().chain(content).chain(end(reason)).collect()
}

fn tool(index: u64, id: &str, name: &str) -> (&'static str, Value) {
    let start = json!({ "toolUse": { "toolUseId": id, "name": name } });
    ("contentBlockStart", json!({ "contentBlockIndex": index, "start": start }))
}

#[test]
fn reasoning_text_and_calls_are_told_in_order() {
    let wire = whole(
        vec![
            delta(0, json!({ "reasoningContent": { "text": "hm" } })),
            delta(0, json!({ "reasoningContent": { "signature": "sig" } })),
            stop(0),
            delta(1, json!({ "text": "ok" })),
            stop(1),
            tool(2, "t_1", "get"),
            delta(2, json!({ "toolUse": { "input": "{\"a\":" } })),
            delta(2, json!({ "toolUse": { "input": "1}" } })),
            stop(2),
            tool(3, "t_2", "ping"),
            stop(3),
        ],
        "tool_use",
    );
    let told = events(&stream(&wire));
    let start = |index, id: &str, name: &str| Event::ToolStart {
        choice: 0,
        index,
        id: id.into(),
        name: name.into(),
        custom: false,
    };
    let arguments = |index, piece: &str| Event::ToolArguments { choice: 0, index, arguments: piece.into() };
    let end = Event::BlockEnd { choice: 0 };
    let usage = Usage { input_tokens: 13, output_tokens: 5, cache_read_tokens: Some(3), ..Usage::default() };
    let expected = [
        Event::Start(Start::default()),
        Event::Reasoning { choice: 0, text: "hm".into() },
        Event::Signature { choice: 0, signature: "sig".into() },
        end.clone(),
        Event::Text { choice: 0, text: "ok".into() },
        end.clone(),
        start(0, "t_1", "get"),
        arguments(0, "{\"a\":"),
        arguments(0, "1}"),
        end.clone(),
        start(1, "t_2", "ping"),
        arguments(1, "{}"),
        end,
        Event::Finish { choice: 0, reason: Finish::ToolCalls },
        Event::Usage(usage),
        Event::Done,
    ];
    assert_eq!(told, expected);
    assert_eq!(said(&events(&written(&told))), said(&told));
}

#[test]
fn blocks_are_numbered_and_only_tools_are_announced() {
    let wire = whole(
        vec![
            delta(0, json!({ "text": "a" })),
            stop(0),
            tool(1, "t_1", "get"),
            delta(1, json!({ "toolUse": { "input": "{}" } })),
            stop(1),
        ],
        "tool_use",
    );
    let expected: Vec<(String, Value)> =
        wire.iter().map(|(name, payload)| ((*name).to_owned(), payload.clone())).collect();
    assert_eq!(frames(&written(&events(&stream(&wire)))), expected);
}

#[test]
fn calls_that_come_mixed_are_written_one_after_the_other() {
    let call = |index, name: &str| Event::ToolStart {
        choice: 0,
        index,
        id: format!("t{index}"),
        name: name.into(),
        custom: false,
    };
    let piece = |index, piece: &str| Event::ToolArguments { choice: 0, index, arguments: piece.into() };
    let told = [
        call(0, "a"),
        piece(0, "{\"x\":"),
        call(1, "b"),
        piece(1, "{}"),
        piece(0, "1}"),
        Event::Finish { choice: 0, reason: Finish::Stop },
        Event::Done,
    ];
    let again = events(&written(&told));
    let arguments: Vec<&Event> = again.iter().filter(|e| matches!(e, Event::ToolArguments { .. })).collect();
    assert_eq!(arguments, [&piece(0, "{\"x\":"), &piece(0, "1}"), &piece(1, "{}")]);
    assert!(again.contains(&Event::Finish { choice: 0, reason: Finish::ToolCalls }));
}

#[test]
fn the_answer_tool_is_the_answer() {
    let wire = whole(
        vec![
            tool(0, "t", "json_tool_call"),
            delta(0, json!({ "toolUse": { "input": "{\"a\":1}" } })),
            stop(0),
        ],
        "tool_use",
    );
    let told = events(&stream(&wire));
    assert!(told.contains(&Event::Text { choice: 0, text: "{\"a\":1}".into() }), "{told:?}");
    assert!(told.contains(&Event::Finish { choice: 0, reason: Finish::Stop }));
    assert!(!told.iter().any(|event| matches!(event, Event::ToolStart { .. })));
}

#[test]
fn provider_run_tools_travel_as_native_blocks() {
    let wire = whole(
        vec![
            (
                "contentBlockStart",
                json!({ "contentBlockIndex": 0, "start": { "toolUse": { "toolUseId": "s", "name": "code", "type": "server_tool_use" } } }),
            ),
            delta(0, json!({ "toolUse": { "input": "{\"q\":1}" } })),
            stop(0),
            (
                "contentBlockStart",
                json!({ "contentBlockIndex": 1, "start": { "toolResult": { "toolUseId": "s", "type": "code_result", "status": "success" } } }),
            ),
            delta(1, json!({ "toolResult": [{ "json": { "out": "1" } }] })),
            stop(1),
        ],
        "end_turn",
    );
    let told = events(&stream(&wire));
    let natives: Vec<&Value> = told
        .iter()
        .filter_map(|event| match event {
            Event::Part { part, .. } => match &part.kind {
                PartKind::Native { value, .. } => Some(value),
                _ => None,
            },
            _ => None,
        })
        .collect();
    assert_eq!(natives[0]["toolUse"]["input"], json!({ "q": 1 }));
    assert_eq!(natives[1]["toolResult"]["content"], json!([{ "json": { "out": "1" } }]));
    assert_eq!(said(&events(&written(&told))), said(&told));
}

#[test]
fn pictures_citations_and_hidden_reasoning_survive() {
    let citation = json!({ "title": "t", "sourceContent": [{ "text": "c" }], "location": { "web": { "url": "https://e.org" } } });
    let wire = whole(
        vec![
            delta(0, json!({ "reasoningContent": { "redactedContent": "eHg=" } })),
            stop(0),
            delta(1, json!({ "text": "a" })),
            delta(1, json!({ "citation": citation })),
            stop(1),
            (
                "contentBlockStart",
                json!({ "contentBlockIndex": 2, "start": { "image": { "format": "jpeg" } } }),
            ),
            delta(2, json!({ "image": { "source": { "bytes": "AAAA" } } })),
            stop(2),
        ],
        "end_turn",
    );
    let told = events(&stream(&wire));
    let cited = told.iter().find_map(|event| match event {
        Event::Citation { citation, .. } => Some(citation),
        _ => None,
    });
    let cited: &Citation = cited.unwrap();
    assert_eq!((cited.url.as_deref(), cited.cited_text.as_deref()), (Some("https://e.org"), Some("c")));
    let parts: Vec<&Part> = told
        .iter()
        .filter_map(|event| match event {
            Event::Part { part, .. } => Some(&**part),
            _ => None,
        })
        .collect();
    assert_eq!(parts[0].kind, PartKind::RedactedReasoning { data: "eHg=".into() });
    let PartKind::Image(media) = &parts[1].kind else { panic!("{parts:?}") };
    assert_eq!(
        (media.mime.as_deref(), &media.source),
        (Some("image/jpeg"), &MediaSource::Base64("AAAA".into()))
    );
    assert_eq!(said(&events(&written(&told))), said(&told));
}

#[test]
fn an_exception_ends_the_stream() {
    let mut wire = vec![start(), delta(0, json!({ "text": "a" }))];
    wire.push(("throttlingException", json!({ "message": "slow" })));
    wire.push(delta(0, json!({ "text": "never" })));
    let told = events(&stream(&wire));
    let error = told.iter().find_map(|event| match event {
        Event::Error(error) => Some(error),
        _ => None,
    });
    assert_eq!(error.unwrap().kind(), ErrorKind::RateLimited);
    assert!(!told.contains(&Event::Done) && !told.contains(&Event::Text { choice: 0, text: "never".into() }));
}

#[test]
fn a_cut_stream_is_not_done_and_is_written_as_an_exception() {
    let told = events(&stream(&[start(), delta(0, json!({ "text": "a" }))]));
    assert!(!told.contains(&Event::Done), "{told:?}");
    let last = frames(&written(&told)).pop().unwrap();
    assert_eq!(last.0, "exception:modelStreamErrorException");
    assert!(last.1["message"].as_str().unwrap().contains("before the answer was complete"));
}

#[test]
fn nothing_follows_an_error() {
    let error = Event::Error(Error::new(ErrorKind::Overloaded, "busy"));
    let text = Event::Text { choice: 0, text: "a".into() };
    let told = [text.clone(), error, text, Event::Done];
    let names: Vec<String> = frames(&written(&told)).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["messageStart", "contentBlockDelta", "exception:serviceUnavailableException"]);
}

#[test]
fn a_stop_text_is_told_where_it_is_known() {
    let told = [Event::Finish { choice: 0, reason: Finish::StopSequence(Some("END".into())) }, Event::Done];
    let wire = frames(&written(&told));
    let expected =
        json!({ "stopReason": "stop_sequence", "additionalModelResponseFields": { "stop_sequence": "END" } });
    assert_eq!(wire[1], ("messageStop".to_owned(), expected));
    let again = events(&written(&told));
    assert!(again.contains(&told[0]), "{again:?}");
}

#[test]
fn the_answer_is_complete_without_its_usage() {
    let wire: Vec<(&str, Value)> = whole(vec![delta(0, json!({ "text": "a" }))], "end_turn");
    let told = events(&stream(&wire[..wire.len() - 1]));
    assert_eq!(told.last(), Some(&Event::Done));
}
