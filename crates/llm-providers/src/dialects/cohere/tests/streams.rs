//! Streams between this dialect and others, and streams that go wrong.

use bytes::BytesMut;
use llm_types::{Error, ErrorKind, Event, Finish, Part, PartKind, Start, Usage};
use serde_json::{Value, json};

use super::{events, frames, relayed};
use crate::ReplyContext;
use crate::dialect::{Dialect, Frame};
use crate::dialects::cohere::Cohere;

fn written(out: &str) -> Vec<Value> {
    let data = out.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap_or_else(|_| json!(data))).collect()
}

fn kinds(out: &str) -> Vec<String> {
    written(out).iter().map(|event| event["type"].as_str().unwrap_or("[DONE]").to_owned()).collect()
}

fn text(text: &str) -> Event {
    Event::Text { choice: 0, text: text.to_owned() }
}

fn call(index: u32, id: &str) -> Event {
    Event::ToolStart { choice: 0, index, id: id.to_owned(), name: "look".to_owned(), custom: false }
}

fn arguments(index: u32, piece: &str) -> Event {
    Event::ToolArguments { choice: 0, index, arguments: piece.to_owned() }
}

#[test]
fn blocks_and_calls_are_opened_and_closed_in_order() {
    let out = frames(&[
        Event::Start(Start { id: "r1".to_owned(), ..Start::default() }),
        Event::Reasoning { choice: 0, text: "hm".to_owned() },
        text("Let me "),
        text("look."),
        call(0, "t1"),
        arguments(0, "{\"a\":"),
        arguments(0, "1}"),
        call(1, "t2"),
        arguments(1, "{}"),
        Event::Finish { choice: 0, reason: Finish::ToolCalls },
        Event::Usage(Usage { input_tokens: 7, output_tokens: 3, ..Usage::default() }),
        Event::Done,
    ]);
    assert_eq!(
        kinds(&out),
        [
            "message-start",
            "content-start",
            "content-delta",
            "content-end",
            "content-start",
            "content-delta",
            "content-delta",
            "content-end",
            "tool-call-start",
            "tool-call-delta",
            "tool-call-delta",
            "tool-call-end",
            "tool-call-start",
            "tool-call-delta",
            "tool-call-end",
            "message-end",
            "[DONE]",
        ]
    );
    let events = written(&out);
    assert_eq!(events[0]["id"], json!("r1"));
    assert_eq!((&events[1]["index"], &events[4]["index"]), (&json!(0), &json!(1)));
    assert_eq!((&events[8]["index"], &events[12]["index"]), (&json!(0), &json!(1)));
    let end = &events[15]["delta"];
    assert_eq!(end["finish_reason"], json!("TOOL_CALL"));
    assert_eq!(end["usage"]["tokens"], json!({ "input_tokens": 7, "output_tokens": 3 }));
    for line in out.lines().filter(|line| line.starts_with("event: ")) {
        assert!(kinds(&out).contains(&line["event: ".len()..].to_owned()), "{line}");
    }
}

#[test]
fn arguments_that_come_late_find_their_call() {
    let told = [call(0, "t1"), call(1, "t2"), arguments(0, "{}"), arguments(1, "{\"b\":2}"), Event::Done];
    let out = frames(&told);
    let deltas: Vec<_> = written(&out)
        .into_iter()
        .filter(|event| event["type"] == "tool-call-delta")
        .map(|event| {
            (event["index"].clone(), event["delta"]["message"]["tool_calls"]["function"]["arguments"].clone())
        })
        .collect();
    assert_eq!(deltas, [(json!(0), json!("{}")), (json!(1), json!("{\"b\":2}"))]);
}

#[test]
fn a_citation_names_the_words_it_is_of() {
    let citation = llm_types::Citation {
        url: Some("https://e.org".to_owned()),
        span: Some((3, 6)),
        ..Default::default()
    };
    let out = frames(&[
        text("By "),
        text("Ada."),
        Event::Citation { choice: 0, citation: Box::new(citation) },
        Event::Done,
    ]);
    let events = written(&out);
    let cited = events.iter().find(|event| event["type"] == "citation-start").unwrap();
    assert_eq!(cited["delta"]["message"]["citations"]["text"], json!("Ada"));
    assert_eq!(cited["delta"]["message"]["citations"]["sources"][0]["id"], json!("https://e.org"));
}

#[test]
fn pictures_and_log_probabilities_have_a_place() {
    let media = llm_types::Media::new(llm_types::MediaSource::Url("https://e.org/a.png".to_owned()), None);
    let part = Box::new(Part::new(PartKind::Image(media)));
    let value = json!({ "content": [{ "token": "Hi", "logprob": -0.5 }] });
    let out = frames(&[
        text("Hi"),
        Event::Logprobs { choice: 0, value },
        Event::Part { choice: 0, part },
        Event::Done,
    ]);
    let events = written(&out);
    assert!(events.iter().any(|event| event["logprobs"]["logprobs"] == json!([-0.5])), "{out}");
    let shown =
        |event: &Value| event["delta"]["message"]["content"]["image_url"]["url"] == "https://e.org/a.png";
    assert!(events.iter().any(shown), "{out}");
}

#[test]
fn a_failed_stream_ends_in_the_vendors_error() {
    for (told, word) in [
        (vec![text("a")], "the provider's stream ended before the answer was complete"),
        (
            vec![
                text("a"),
                Event::Error(Error::new(ErrorKind::BadUpstream, "broke")),
                text("b"),
                Event::Done,
            ],
            "broke",
        ),
    ] {
        let out = frames(&told);
        let last = written(&out).pop().unwrap();
        assert_eq!(
            (&last["type"], &last["delta"]["finish_reason"]),
            (&json!("message-end"), &json!("ERROR"))
        );
        assert_eq!(last["delta"]["error"], json!(word));
        assert!(!out.contains("[DONE]"), "{out}");
        let read = events(out.as_bytes());
        assert!(matches!(read.last(), Some(Event::Error(error)) if error.message() == word), "{read:?}");
    }
}

#[test]
fn an_error_in_a_stream_is_told_once_and_forwarded() {
    let body = b"event: message-start\ndata: {\"type\":\"message-start\",\"id\":\"a\"}\n\ndata: {\"message\":\"no more\"}\n\n";
    let told = events(body);
    assert!(matches!(told.last(), Some(Event::Error(error)) if error.message() == "no more"), "{told:?}");
    let (out, relay) = relayed(body, 9);
    assert_eq!(out, body);
    assert_eq!(relay.facts().error.as_ref().map(Error::message), Some("no more"));
}

#[test]
fn a_frame_that_is_no_json_is_an_error() {
    let frame = Frame { event: "content-delta".into(), data: "{not json".into() };
    let mut out = Vec::new();
    let error = Cohere.stream_decoder().push(&frame, &mut out).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadUpstream);
    assert!(error.message().contains("content-delta"), "{error}");
}

#[test]
fn nothing_follows_the_end() {
    let end =
        "event: message-end\ndata: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"COMPLETE\"}}\n\n";
    let late = "data: {\"type\":\"content-delta\",\"delta\":{\"message\":{\"content\":{\"text\":\"x\"}}}}\n\ndata: [DONE]\n\n";
    let told = events(format!("{end}{late}").as_bytes());
    assert_eq!(told, [Event::Finish { choice: 0, reason: Finish::Stop }, Event::Done]);
    let mut encoder = Cohere.stream_encoder(ReplyContext::default());
    let mut out = BytesMut::new();
    for event in &told {
        encoder.push(event, &mut out);
    }
    let before = out.len();
    encoder.push(&text("late"), &mut out);
    encoder.finish(&mut out);
    assert_eq!(out.len(), before);
}
