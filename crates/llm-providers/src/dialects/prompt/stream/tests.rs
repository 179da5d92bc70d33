//! Streams of each wire, and streams that fail or are cut.

use llm_types::{Event, Finish};
use serde_json::{Value, json};

use super::super::think::Thinks;
use super::Decoder;
use crate::dialect::{Frame, StreamDecoder as _};

fn events(thinks: Thinks, frames: &[(&str, Value)]) -> Vec<Event> {
    let (mut decoder, mut events) = (Decoder::new(thinks, false), Vec::new());
    for (name, data) in frames {
        let frame = Frame { event: (*name).to_owned().into(), data: data.to_string().into() };
        decoder.push(&frame, &mut events).unwrap();
    }
    decoder.finish(&mut events);
    events
}

fn text(events: &[Event]) -> String {
    let text = |event: &Event| if let Event::Text { text, .. } = event { Some(text.clone()) } else { None };
    events.iter().filter_map(text).collect()
}

fn streams() -> [Vec<Value>; 5] {
    let metrics = json!({"inputTokenCount": 10, "outputTokenCount": 5});
    [
        vec![
            json!({"generation": "H", "prompt_token_count": 10, "generation_token_count": 1, "stop_reason": null}),
            json!({"generation": "i", "prompt_token_count": null, "generation_token_count": 5,
                   "stop_reason": "length", "amazon-bedrock-invocationMetrics": metrics}),
        ],
        vec![
            json!({"outputText": "H", "index": 0.0, "inputTextTokenCount": 10.0}),
            json!({"outputText": "i", "totalOutputTextTokenCount": 5, "completionReason": "LENGTH"}),
        ],
        vec![
            json!({"outputs": [{"text": "H", "stop_reason": null}]}),
            json!({"outputs": [{"text": "i", "stop_reason": "length"}],
                   "amazon-bedrock-invocationMetrics": metrics}),
        ],
        vec![
            json!({"is_finished": false, "text": "H"}),
            json!({"is_finished": false, "text": "i"}),
            json!({"finish_reason": "MAX_TOKENS", "is_finished": true,
                   "amazon-bedrock-invocationMetrics": metrics}),
        ],
        vec![
            json!({"token": {"id": 1, "text": "H", "special": false}, "generated_text": null, "details": null}),
            json!({"token": {"id": 2, "text": "i", "special": false}, "generated_text": null, "details": null}),
            json!({"token": {"id": 3, "text": "</s>", "special": true}, "generated_text": "Hi",
                   "details": {"finish_reason": "length", "prompt_tokens": 10, "generated_tokens": 5}}),
        ],
    ]
}

#[test]
fn each_wires_stream_is_read() {
    for stream in streams() {
        let frames: Vec<(&str, Value)> = stream.into_iter().map(|frame| ("", frame)).collect();
        let events = events(Thinks::No, &frames);
        assert_eq!(text(&events), "Hi", "{events:?}");
        assert!(events.contains(&Event::Finish { choice: 0, reason: Finish::Length }), "{events:?}");
        let usage = |event: &Event| if let Event::Usage(usage) = event { Some(usage.clone()) } else { None };
        let usages: Vec<_> = events.iter().filter_map(usage).collect();
        assert_eq!(usages.len(), 1);
        assert_eq!((usages[0].input_tokens, usages[0].output_tokens), (10, 5), "{events:?}");
        assert!(matches!(events.first(), Some(Event::Start(_))));
        assert_eq!(events.last(), Some(&Event::Done));
    }
}

#[test]
fn a_cut_stream_is_not_done() {
    let events = events(Thinks::No, &[("", json!({"generation": "H", "stop_reason": null}))]);
    assert_eq!(text(&events), "H");
    assert!(!events.contains(&Event::Done), "{events:?}");
}

#[test]
fn a_failure_is_an_error_and_nothing_follows() {
    let failure = json!({"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}});
    let late = json!({"generation": "i", "stop_reason": "stop"});
    let events = events(Thinks::No, &[("", json!({"generation": "H"})), ("error", failure), ("", late)]);
    let last = events.last();
    assert!(matches!(last, Some(Event::Error(error)) if error.message().contains("slow down")), "{events:?}");
    assert_eq!(text(&events), "H");
}

#[test]
fn thoughts_are_reasoning() {
    let rest = json!({"generation": "nk>\n\nHi", "stop_reason": "stop"});
    let events = events(Thinks::First, &[("", json!({"generation": "why</thi"})), ("", rest)]);
    assert!(events.contains(&Event::Reasoning { choice: 0, text: "why".into() }), "{events:?}");
    assert_eq!(text(&events), "Hi");
}

#[test]
fn a_frame_that_is_no_json_is_refused() {
    let frame = Frame { event: "".into(), data: "nonsense".into() };
    assert!(Decoder::new(Thinks::No, false).push(&frame, &mut Vec::new()).is_err());
}

#[test]
fn completions_of_the_older_kind_are_read() {
    let frames = [
        ("completion", json!({"type": "completion", "completion": " H", "stop_reason": null})),
        ("ping", json!({"type": "ping"})),
        ("completion", json!({"type": "completion", "completion": "i", "stop_reason": null})),
        ("completion", json!({"type": "completion", "completion": "", "stop_reason": "stop_sequence"})),
    ];
    let told = events(Thinks::No, &frames);
    assert_eq!(text(&told), " Hi");
    assert!(told.contains(&Event::Finish { choice: 0, reason: Finish::StopSequence(None) }), "{told:?}");
    assert_eq!(told.last(), Some(&Event::Done));
    let cut = events(Thinks::No, &frames[..3]);
    assert!(!cut.contains(&Event::Done), "{cut:?}");
    let failure = json!({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}});
    let failed = events(Thinks::No, &[frames[0].clone(), ("error", failure)]);
    assert!(matches!(failed.last(), Some(Event::Error(error)) if error.message() == "busy"), "{failed:?}");
}

#[test]
fn a_wire_without_a_mark_of_the_end_ends_with_its_body() {
    let silent = |frames: &[&str]| {
        let (mut decoder, mut events) = (Decoder::new(Thinks::No, true), Vec::new());
        for data in frames {
            let frame = Frame { event: "".into(), data: (*data).to_owned().into() };
            decoder.push(&frame, &mut events).unwrap();
        }
        decoder.finish(&mut events);
        events
    };
    let told =
        silent(&[r#"{"model_name":"m","text_output":"H"}"#, r#"data: {"generated_text":"i"}"#, "[DONE]"]);
    assert_eq!(text(&told), "Hi");
    assert_eq!(told.last(), Some(&Event::Done));
    assert_eq!(silent(&[]), [], "nothing came: that is no answer");
    let failed = silent(&[r#"{"text_output":"H"}"#, r#"{"error":"out of memory"}"#]);
    assert!(matches!(failed.last(), Some(Event::Error(_))), "{failed:?}");
}
