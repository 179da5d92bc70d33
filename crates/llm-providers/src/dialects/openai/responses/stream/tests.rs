//! Streams shown to callers, frame by frame, and what a vendor's odd streams tell.

use llm_types::{Citation, Error, ErrorKind, Event, Finish, Part, PartKind, Start, Usage};
use serde_json::{Value, json};

use super::super::tests::{data, events, frames};
use super::error_frame;

fn start() -> Event {
    Event::Start(Start { id: "theirs".into(), model: "m".into(), ..Start::default() })
}

fn text(text: &str) -> Event {
    Event::Text { choice: 0, text: text.into() }
}

fn kinds(frames: &[Value]) -> Vec<&str> {
    frames.iter().map(|frame| frame["type"].as_str().unwrap().trim_start_matches("response.")).collect()
}

#[test]
fn thoughts_words_and_calls_are_told_piece_by_piece() {
    let told = [
        start(),
        Event::Reasoning { choice: 0, text: "Hm".into() },
        Event::Reasoning { choice: 0, text: ".".into() },
        Event::Signature { choice: 0, signature: "sig".into() },
        Event::BlockEnd { choice: 0 },
        text("One"),
        text("."),
        Event::BlockEnd { choice: 0 },
        Event::ToolStart { choice: 0, index: 0, id: "call_1".into(), name: "see".into(), custom: false },
        Event::ToolArguments { choice: 0, index: 0, arguments: "{}".into() },
        Event::Usage(Usage { input_tokens: 1, output_tokens: 2, ..Usage::default() }),
        Event::Finish { choice: 0, reason: Finish::ToolCalls },
        Event::Done,
    ];
    let shown = frames(&told);
    assert_eq!(
        kinds(&shown),
        [
            "created",
            "in_progress",
            "output_item.added",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "output_item.done",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "output_item.added",
            "function_call_arguments.delta",
            "function_call_arguments.done",
            "output_item.done",
            "completed",
        ]
    );
    let done = &shown[20]["response"];
    assert_eq!(done["output"][0]["encrypted_content"], "sig1|sig");
    assert_eq!(done["output"][1]["content"][0]["text"], "One.");
    assert_eq!(done["output"][2]["arguments"], "{}");
    assert_eq!(done["usage"]["total_tokens"], 3);
    assert_eq!(done["id"], shown[0]["response"]["id"], "one id throughout");
    assert_eq!(shown[0]["response"]["usage"], Value::Null);
}

#[test]
fn calls_told_side_by_side_keep_their_arguments() {
    let call = |index, id: &str| Event::ToolStart {
        choice: 0,
        index,
        id: id.into(),
        name: "f".into(),
        custom: index == 1,
    };
    let piece = |index, text: &str| Event::ToolArguments { choice: 0, index, arguments: text.into() };
    let told = [
        start(),
        call(0, "a"),
        call(1, "b"),
        piece(1, "ls"),
        piece(0, "{\"x\""),
        piece(0, ":1}"),
        Event::Finish { choice: 0, reason: Finish::ToolCalls },
        Event::Done,
    ];
    let shown = frames(&told);
    let output = &shown.last().unwrap()["response"]["output"];
    assert_eq!((&output[0]["arguments"], &output[0]["call_id"]), (&json!("{\"x\":1}"), &json!("a")));
    assert_eq!((&output[1]["input"], &output[1]["type"]), (&json!("ls"), &json!("custom_tool_call")));
}

#[test]
fn a_refusal_is_a_part_of_its_own() {
    let told = [
        start(),
        text("Well, "),
        Event::Refusal { choice: 0, text: "no.".into() },
        Event::Finish { choice: 0, reason: Finish::Refusal },
        Event::Done,
    ];
    let shown = frames(&told);
    let response = &shown.last().unwrap()["response"];
    assert_eq!(response["status"], "completed");
    assert_eq!(response["output"][0]["content"][1], json!({"type": "refusal", "refusal": "no."}));
    assert!(kinds(&shown).contains(&"refusal.done"));
}

#[test]
fn sources_and_whole_parts_are_told() {
    let citation = Citation { url: Some("https://a".into()), ..Citation::default() };
    let redacted = Part::new(PartKind::RedactedReasoning { data: "blob".into() });
    let foreign = Part::new(PartKind::Native { dialect: "anthropic".into(), value: json!({"type": "x"}) });
    let told = [
        start(),
        Event::Part { choice: 0, part: Box::new(redacted) },
        text("See"),
        Event::Citation { choice: 0, citation: Box::new(citation) },
        Event::Part { choice: 0, part: Box::new(foreign) },
        Event::Finish { choice: 0, reason: Finish::Stop },
        Event::Done,
    ];
    let shown = frames(&told);
    let response = &shown.last().unwrap()["response"];
    assert_eq!(response["output"][0]["encrypted_content"], "red1|blob");
    assert_eq!(response["output"][1]["content"][0]["annotations"][0]["url"], "https://a");
    assert_eq!(response["native_blocks"], json!([{"type": "x"}]), "nothing is lost");
    assert!(kinds(&shown).contains(&"output_text.annotation.added"));
}

#[test]
fn a_cut_or_failed_stream_ends_as_failed_and_nothing_follows() {
    let cut = frames(&[start(), text("Half")]);
    assert_eq!(cut.last().unwrap()["type"], "response.failed");
    assert_eq!(cut.last().unwrap()["response"]["error"]["code"], "server_error");
    let error = Error::new(ErrorKind::RateLimited, "slow down");
    let failed = frames(&[start(), Event::Error(error), text("more"), Event::Done]);
    assert_eq!(kinds(&failed), ["created", "in_progress", "failed"]);
    assert_eq!(
        failed[2]["response"]["error"],
        json!({"code": "rate_limit_exceeded", "message": "slow down"})
    );
}

#[test]
fn an_error_frame_has_the_api_s_members() {
    let mut out = bytes::BytesMut::new();
    error_frame(&Error::bad_param("input", "no"), 4, &mut out);
    assert!(out.starts_with(b"event: error\ndata: {"));
    assert_eq!(
        data(&out),
        [
            json!({"type": "error", "code": "invalid_prompt", "message": "no", "param": "input", "sequence_number": 4})
        ]
    );
}

fn sse(frames: &[Value]) -> String {
    frames.iter().map(|frame| format!("data: {frame}\n\n")).collect()
}

#[test]
fn items_that_come_only_when_done_or_at_the_end_are_told_once() {
    let message =
        json!({"type": "message", "content": [{"type": "output_text", "text": "Hi", "annotations": []}]});
    let call = json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"});
    let end = |output: Value| json!({"type": "response.completed", "response": {"id": "r", "model": "m", "status": "completed", "output": output}});
    let done = |place: u64, item: &Value| json!({"type": "response.output_item.done", "output_index": place, "item": item});
    let at_the_end = events(sse(&[end(json!([message, call]))]).as_bytes());
    let when_done = events(sse(&[done(0, &message), done(1, &call), end(json!([message, call]))]).as_bytes());
    for told in [at_the_end, when_done] {
        let count = |want: fn(&Event) -> bool| told.iter().filter(|event| want(event)).count();
        assert_eq!(count(|event| matches!(event, Event::Text { .. })), 1, "{told:?}");
        assert_eq!(count(|event| matches!(event, Event::ToolStart { .. })), 1, "{told:?}");
        assert!(told.contains(&Event::Finish { choice: 0, reason: Finish::ToolCalls }), "{told:?}");
        assert_eq!(told.last(), Some(&Event::Done));
    }
}

#[test]
fn summaries_stand_apart_and_encrypted_reasoning_is_sealed() {
    let delta = |part: u64, text: &str| json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": part, "delta": text});
    let item = json!({"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAA"});
    let told = events(
        sse(&[
            delta(0, "A"),
            delta(1, "B"),
            json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
        ])
        .as_bytes(),
    );
    let thoughts: String = told
        .iter()
        .filter_map(|event| match event {
            Event::Reasoning { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(thoughts, "A\n\nB");
    assert!(told.contains(&Event::Signature { choice: 0, signature: "rs1|rs_1|gAAA".into() }), "{told:?}");
    assert!(!told.contains(&Event::Done), "a stream without its end is cut");
}
