//! Streams read and written.

use bytes::{Bytes, BytesMut};
use llm_types::{Citation, Error, ErrorKind, Event, Finish, Part, PartKind, Start, Usage};
use serde_json::{Value, json};

use super::{Decoder, Encoder};
use crate::dialect::{Frame, ReplyContext, StreamDecoder, StreamEncoder};

fn events(frames: &[&str]) -> Vec<Event> {
    let mut decoder = Decoder::default();
    let mut out = Vec::new();
    for frame in frames {
        let frame = Frame { event: Bytes::new(), data: Bytes::copy_from_slice(frame.as_bytes()) };
        decoder.push(&frame, &mut out).unwrap();
    }
    decoder.finish(&mut out);
    out
}

#[expect(clippy::needless_pass_by_value, reason = "calls read better with `json!` in place")]
fn delta(delta: Value) -> String {
    json!({"id": "i", "model": "m", "created": 7, "choices": [{"index": 0, "delta": delta, "finish_reason": null}]}).to_string()
}

fn finish(word: &str) -> String {
    json!({"id": "i", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": word}]})
        .to_string()
}

fn start() -> Event {
    Event::Start(Start { id: "i".into(), model: "m".into(), created: Some(7), ..Start::default() })
}

fn text(text: &str) -> Event {
    Event::Text { choice: 0, text: text.into() }
}

fn tool(index: u32, id: &str, name: &str) -> Event {
    Event::ToolStart { choice: 0, index, id: id.into(), name: name.into(), custom: false }
}

fn arguments(index: u32, arguments: &str) -> Event {
    Event::ToolArguments { choice: 0, index, arguments: arguments.into() }
}

fn ended(reason: Finish) -> Event {
    Event::Finish { choice: 0, reason }
}

#[test]
fn an_ordinary_stream_is_read() {
    let usage = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#;
    let read = events(&[
        &delta(json!({"role": "assistant", "content": ""})),
        &delta(json!({"content": "Hel"})),
        &delta(json!({"content": "lo"})),
        &finish("stop"),
        usage,
        "[DONE]",
    ]);
    let used = Usage { input_tokens: 3, output_tokens: 2, ..Usage::default() };
    assert_eq!(
        read,
        [start(), text("Hel"), text("lo"), ended(Finish::Stop), Event::Usage(used), Event::Done]
    );
}

#[test]
fn a_stream_is_complete_only_if_it_says_so_or_every_answer_ended() {
    let hello = delta(json!({"content": "a"}));
    assert_eq!(events(&[&hello]).last(), Some(&text("a")), "cut");
    assert_eq!(events(&[&hello, &finish("stop")]).last(), Some(&Event::Done), "no [DONE]");
    let second = r#"{"choices":[{"index":1,"delta":{"content":"b"}}]}"#;
    assert_ne!(events(&[&hello, second, &finish("stop")]).last(), Some(&Event::Done), "one answer of two");
    assert_eq!(events(&[]), [], "nothing at all");
}

#[test]
fn tool_calls_are_told_apart_however_vendors_number_them() {
    let call = |call: Value| delta(json!({"tool_calls": [call]}));
    let whole = |n: &str, index: Option<u32>| {
        let mut value = json!({"id": n, "type": "function", "function": {"name": "f", "arguments": "{}"}});
        if let Some(index) = index {
            value["index"] = index.into();
        }
        call(value)
    };
    let two = [
        start(),
        tool(0, "a", "f"),
        arguments(0, "{}"),
        tool(1, "b", "f"),
        arguments(1, "{}"),
        ended(Finish::ToolCalls),
        Event::Done,
    ];
    for numbers in [(None, None), (Some(0), Some(0)), (Some(0), Some(1)), (Some(1), Some(2))] {
        let read = events(&[&whole("a", numbers.0), &whole("b", numbers.1), &finish("stop"), "[DONE]"]);
        assert_eq!(read, two, "{numbers:?}");
    }
    // OpenAI's own form: the id once, then pieces by index; and pieces without any number.
    for index in [json!({"index": 0}), json!({})] {
        let piece = |mut value: Value| {
            value.as_object_mut().unwrap().extend(index.as_object().unwrap().clone());
            call(value)
        };
        let read = events(&[
            &piece(json!({"id": "a", "type": "function", "function": {"name": "f", "arguments": ""}})),
            &piece(json!({"function": {"arguments": "{\"x\""}})),
            &piece(json!({"id": "", "function": {"name": null, "arguments": ":1}"}})),
            &finish("tool_calls"),
        ]);
        let expected = [
            start(),
            tool(0, "a", "f"),
            arguments(0, "{\"x\""),
            arguments(0, ":1}"),
            ended(Finish::ToolCalls),
            Event::Done,
        ];
        assert_eq!(read, expected);
    }
    let object = call(json!({"index": 0, "function": {"name": "f", "arguments": {"x": 1}}}));
    assert_eq!(events(&[&object])[1..], [tool(0, "call_i_0_0", "f"), arguments(0, "{\"x\":1}")]);
    let late = [
        call(json!({"index": 0, "id": "a", "function": {"arguments": "{"}})),
        call(json!({"index": 0, "function": {"name": "f", "arguments": "}"}})),
    ];
    assert_eq!(events(&[&late[0], &late[1]])[1..], [tool(0, "a", "f"), arguments(0, "{}")]);
}

#[test]
fn reasoning_is_read_under_all_its_names_once() {
    let thought = |text: &str| Event::Reasoning { choice: 0, text: text.into() };
    for form in [
        json!({"reasoning_content": "hm"}),
        json!({"reasoning": "hm"}),
        json!({"reasoning": "hm", "reasoning_content": "hm"}),
        json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]}),
    ] {
        assert_eq!(events(&[&delta(form.clone())])[1..], [thought("hm")], "{form}");
    }
    let details = json!({"reasoning": "hm", "reasoning_details": [
        {"type": "reasoning.text", "text": "hm", "signature": "s"}, {"type": "reasoning.encrypted", "data": "d"}]});
    let redacted = Part::new(PartKind::RedactedReasoning { data: "d".into() });
    assert_eq!(
        events(&[&delta(details)])[1..],
        [
            thought("hm"),
            Event::Signature { choice: 0, signature: "s".into() },
            Event::Part { choice: 0, part: Box::new(redacted) }
        ]
    );
}

#[test]
fn errors_inside_a_stream_end_it() {
    let stated = r#"{"error":{"message":"Token limit reached","code":429}}"#;
    let read = events(&[&delta(json!({"content": "a"})), stated, "[DONE]"]);
    let Some(Event::Error(error)) = read.last() else { panic!("{read:?}") };
    assert_eq!((error.kind(), error.message()), (ErrorKind::RateLimited, "Token limit reached"));
    let inside = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"error","error":{"message":"boom","code":502}}]}"#;
    let read = events(&[inside]);
    let Some(Event::Error(error)) = read.last() else { panic!("{read:?}") };
    assert_eq!(
        (error.kind(), error.status().map(|status| status.as_u16())),
        (ErrorKind::BadUpstream, Some(502))
    );
    let unstated = events(&[&delta(json!({"content": "a"})), &finish("error"), "[DONE]"]);
    let Some(Event::Error(error)) = unstated.last() else { panic!("{unstated:?}") };
    assert_eq!(error.message(), "the provider ended the answer with finish reason `error`");
    let frame = Frame { event: Bytes::new(), data: Bytes::from_static(b"{oops") };
    let error = Decoder::default().push(&frame, &mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadUpstream);
}

#[test]
fn the_start_waits_for_the_first_content() {
    let azure = r#"{"id":"","model":"","created":0,"choices":[],"prompt_filter_results":[]}"#;
    assert_eq!(
        events(&[azure, &delta(json!({"content": "a"}))])[..2],
        [
            Event::Start(Start { id: "i".into(), model: "m".into(), created: Some(7), ..Start::default() }),
            text("a")
        ]
    );
}

#[test]
fn sources_beside_the_choices_are_told_once_before_the_end() {
    let chunk = |delta: Value, finish: Value| {
        json!({"id": "i", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "citations": ["https://a.example"]})
            .to_string()
    };
    let read = events(&[
        &chunk(json!({"content": "a"}), Value::Null),
        &chunk(json!({}), json!("stop")),
        &chunk(json!({}), json!("stop")),
        "[DONE]",
    ]);
    let source = Citation { url: Some("https://a.example".into()), ..Citation::default() };
    assert_eq!(
        read[1..],
        [
            text("a"),
            Event::Citation { choice: 0, citation: Box::new(source) },
            ended(Finish::Stop),
            Event::Done
        ]
    );
}

#[test]
fn usage_comes_in_the_last_chunk_or_within_groqs_record() {
    let used = json!({"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3});
    for chunk in [
        json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": used}),
        json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "x_groq": {"usage": used}}),
    ] {
        let usage = Usage { input_tokens: 1, output_tokens: 2, ..Usage::default() };
        assert!(events(&[&chunk.to_string()]).contains(&Event::Usage(usage)), "{chunk}");
    }
}

fn encode(events: &[Event], include_usage: bool) -> String {
    let cx = ReplyContext {
        id: "cx".into(),
        model: "cm".into(),
        now: 9,
        include_usage,
        ..ReplyContext::default()
    };
    let mut encoder = Encoder::new(cx);
    let mut out = BytesMut::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    encoder.finish(&mut out);
    String::from_utf8(out.to_vec()).unwrap()
}

/// The data of each frame, parsed; `[DONE]` as a string.
fn chunks(events: &[Event], include_usage: bool) -> Vec<Value> {
    encode(events, include_usage)
        .split_terminator("\n\n")
        .map(|frame| frame.strip_prefix("data: ").unwrap())
        .map(|data| if data == "[DONE]" { json!(data) } else { serde_json::from_str(data).unwrap() })
        .collect()
}

#[test]
fn chunks_have_openais_shape() {
    let used = Usage { input_tokens: 3, output_tokens: 2, cache_read_tokens: Some(1), ..Usage::default() };
    let story = [start(), text("Hi"), ended(Finish::Stop), Event::Usage(used), Event::Done];
    let head = |choices: Value| json!({"id": "i", "object": "chat.completion.chunk", "created": 7, "model": "m", "choices": choices});
    let mut expected = vec![
        head(json!([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": null}])),
        head(json!([{"index": 0, "delta": {"content": "Hi"}, "finish_reason": null}])),
        head(json!([{"index": 0, "delta": {}, "finish_reason": "stop"}])),
        json!("[DONE]"),
    ];
    assert_eq!(chunks(&story, false), expected);
    let mut usage = head(json!([]));
    usage["usage"] = json!({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 1}});
    expected.insert(3, usage);
    assert_eq!(chunks(&story, true), expected);
}

#[test]
fn a_cut_or_failed_stream_ends_in_one_error_frame() {
    for story in [vec![start(), text("a")], vec![], vec![start(), text("a"), ended(Finish::Stop)]] {
        let last = chunks(&story, true).pop().unwrap();
        assert_eq!(
            last,
            json!({"error": {"message": "the provider's stream ended before the answer was complete",
                "type": "internal_server_error", "param": null, "code": "500"}})
        );
    }
    let failed =
        [start(), Event::Error(Error::new(ErrorKind::RateLimited, "slow down")), text("b"), Event::Done];
    let frames = chunks(&failed, true);
    assert_eq!(frames.len(), 2);
    assert_eq!(frames[1]["error"]["code"], "429");
}

#[test]
fn tools_reasoning_and_sources_are_written() {
    let url =
        Citation { url: Some("https://x.example".into()), title: Some("X".into()), ..Citation::default() };
    let own = Citation {
        dialect: Some("anthropic".into()),
        native: Some(json!({"type": "char_location"})),
        ..Citation::default()
    };
    let story = [
        start(),
        Event::Reasoning { choice: 0, text: "h".into() },
        Event::Reasoning { choice: 0, text: "m".into() },
        Event::Signature { choice: 0, signature: "s".into() },
        Event::BlockEnd { choice: 0 },
        Event::Citation { choice: 0, citation: Box::new(url) },
        Event::Citation { choice: 0, citation: Box::new(own) },
        tool(0, "a", "f"),
        arguments(0, "{}"),
        Event::Signature { choice: 0, signature: "t".into() },
        Event::ToolStart { choice: 0, index: 1, id: "b".into(), name: "g".into(), custom: true },
        arguments(1, "free"),
        ended(Finish::ToolCalls),
        Event::Done,
    ];
    let deltas: Vec<Value> = chunks(&story, false)
        .into_iter()
        .filter_map(|chunk| chunk.pointer("/choices/0/delta").cloned())
        .collect();
    assert_eq!(
        deltas[1..],
        [
            json!({"reasoning_content": "h"}),
            json!({"reasoning_content": "m"}),
            json!({"thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": "s"}]}),
            json!({"annotations": [{"type": "url_citation", "url_citation":
                {"start_index": 0, "end_index": 0, "url": "https://x.example", "title": "X"}}]}),
            json!({"provider_specific_fields": {"citation": {"type": "char_location"}}}),
            json!({"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}]}),
            json!({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}),
            json!({"tool_calls": [{"index": 0, "provider_specific_fields": {"thought_signature": "t"}}]}),
            json!({"tool_calls": [{"index": 1, "id": "b", "type": "custom", "custom": {"name": "g", "input": ""}}]}),
            json!({"tool_calls": [{"index": 1, "custom": {"input": "free"}}]}),
            json!({}),
        ]
    );
}

#[test]
fn what_is_written_reads_back_as_the_same_events() {
    let story = vec![
        start(),
        text("Hi"),
        tool(0, "a", "f"),
        arguments(0, "{}"),
        ended(Finish::ToolCalls),
        Event::Usage(Usage {
            input_tokens: 3,
            output_tokens: 2,
            reasoning_tokens: Some(1),
            ..Usage::default()
        }),
        Event::Done,
    ];
    let body = encode(&story, true);
    let frames: Vec<&str> = body.split_terminator("\n\n").map(|frame| &frame[6..]).collect();
    assert_eq!(events(&frames), story);
}

#[test]
fn the_arguments_of_the_tool_that_stands_in_for_a_schema_are_the_answer() {
    let begin = |name: &str| {
        delta(json!({"tool_calls": [{"index": 0, "id": "1", "function": {"name": name, "arguments": ""}}]}))
    };
    let more = |piece: &str| delta(json!({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}));
    let told =
        events(&[&begin("json_tool_call"), &more("{\"a\""), &more(":1}"), &finish("tool_calls"), "[DONE]"]);
    assert_eq!(told, [start(), text("{\"a\""), text(":1}"), ended(Finish::Stop), Event::Done]);
    let told = events(&[&begin("f"), &more("{}"), &finish("tool_calls"), "[DONE]"]);
    assert_eq!(told, [start(), tool(0, "1", "f"), arguments(0, "{}"), ended(Finish::ToolCalls), Event::Done]);
    let cut = events(&[&begin("json_tool_call"), &more("{\"a\"")]);
    assert!(!cut.contains(&Event::Done), "{cut:?}");
}
