//! Forwarded streams: bytes as they came, facts, and the three things that change.

use bytes::Bytes;
use llm_types::{Error, ErrorKind, Finish, Usage};
use proptest::prelude::*;
use serde_json::Value;

use super::{Forwarder, Seen};
use crate::dialect::InvokedTools;
use crate::dialect::{Relay, ReplyFacts};

const CHUNKS: [&str; 4] = [
    r#"data: {"id":"i","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}"#,
    r#"data: {"id":"i","model":"m","choices":[{"index":0,"delta":{"content":"a \"usage\":{} \u00e9"},"finish_reason":null}],"usage":null}"#,
    r#"data: {"id":"i","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]},"finish_reason":null}]}"#,
    r#"data: {"id":"i","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}"#,
];
const USAGE: &str = r#"data: {"id":"i","model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#;
const DONE: &str = "data: [DONE]";

fn stream(frames: &[&str]) -> String {
    frames.iter().map(|frame| format!("{frame}\n\n")).collect()
}

/// Relays a body cut at the given places.
fn relay(body: &[u8], cuts: &[usize], show_usage: bool, cut_by: Option<&Error>) -> (String, ReplyFacts) {
    let mut relay = Forwarder::new(show_usage);
    let mut out = Vec::new();
    let body = Bytes::copy_from_slice(body);
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (body.len() + 1)).chain([0, body.len()]).collect();
    cuts.sort_unstable();
    for pair in cuts.windows(2) {
        relay.push(body.slice(pair[0]..pair[1]), &mut out);
    }
    relay.finish(cut_by, &mut out);
    (String::from_utf8(out.concat()).unwrap(), relay.facts().clone())
}

fn whole() -> String {
    stream(&[CHUNKS[0], CHUNKS[1], ": keep-alive", CHUNKS[2], CHUNKS[3], USAGE, DONE])
}

#[test]
fn a_whole_stream_passes_as_it_came() {
    let (out, facts) = relay(whole().as_bytes(), &[], true, None);
    assert_eq!(out, whole());
    assert_eq!(
        facts,
        ReplyFacts {
            id: Some("i".into()),
            model: Some("m".into()),
            usage: Some(Usage { input_tokens: 3, output_tokens: 2, ..Usage::default() }),
            finish: Some(Finish::Stop),
            answer_bytes: 21 + 2,
            tools: InvokedTools::default(),
            error: None,
            complete: true,
        }
    );
}

#[test]
fn one_piece_of_whole_frames_is_forwarded_without_a_copy() {
    let mut relay = Forwarder::new(true);
    let body = Bytes::from(stream(&CHUNKS));
    let mut out = Vec::new();
    relay.push(body.clone(), &mut out);
    assert_eq!((out.len(), out[0].as_ptr(), out[0].len()), (1, body.as_ptr(), body.len()));
}

#[test]
fn the_usage_frame_is_for_those_who_asked() {
    let (out, facts) = relay(whole().as_bytes(), &[], false, None);
    assert_eq!(out, whole().replace(&format!("{USAGE}\n\n"), ""));
    assert!(facts.usage.is_some());
}

#[test]
fn a_stream_without_done_is_complete_if_its_answers_ended() {
    let (out, facts) = relay(stream(&CHUNKS).as_bytes(), &[], true, None);
    assert_eq!((out, facts.complete), (stream(&[CHUNKS[0], CHUNKS[1], CHUNKS[2], CHUNKS[3], DONE]), true));
    let second = r#"data: {"id":"i","choices":[{"index":1,"delta":{"content":"b"}}]}"#;
    for frames in [&CHUNKS[..3], &[CHUNKS[0], second, CHUNKS[3]], &[]] {
        let (out, facts) = relay(stream(frames).as_bytes(), &[], true, None);
        let last = out.trim_end().rsplit("\n\n").next().unwrap();
        let error: Value = serde_json::from_str(last.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(error["error"]["message"], "the provider's stream ended before the answer was complete");
        assert!(!facts.complete && facts.error.is_some());
    }
}

#[test]
fn a_cut_is_told_with_its_cause_even_behind_the_finish() {
    let late = Error::new(ErrorKind::Timeout, "provider was silent for 30 s");
    let (out, facts) = relay(stream(&CHUNKS).as_bytes(), &[], true, Some(&late));
    assert!(out.ends_with("\"provider was silent for 30 s\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"408\"}}\n\n"), "{out}");
    assert_eq!((facts.complete, facts.error), (false, Some(late)));
}

#[test]
fn a_cut_behind_done_is_no_cut() {
    let late = Error::new(ErrorKind::Unreachable, "connection reset");
    let (out, facts) = relay(whole().as_bytes(), &[], true, Some(&late));
    assert_eq!((out, facts.complete, facts.error), (whole(), true, None));
}

#[test]
fn an_error_inside_is_shown_in_our_form_and_nothing_follows() {
    for stated in [
        r#"data: {"error":{"message":"boom","code":502,"type":"x"}}"#,
        r#"data: {"id":"i","choices":[{"index":0,"delta":{},"finish_reason":"error"}],"error":{"message":"boom","code":502}}"#,
        r#"data: {"id":"i","choices":[{"index":0,"delta":{},"finish_reason":"error","error":{"message":"boom","code":502}}]}"#,
    ] {
        let (out, facts) = relay(stream(&[CHUNKS[0], stated, CHUNKS[1], DONE]).as_bytes(), &[], true, None);
        let error =
            r#"data: {"error":{"message":"boom","type":"internal_server_error","param":null,"code":"502"}}"#;
        assert_eq!(out, stream(&[CHUNKS[0], error]));
        let error = facts.error.unwrap();
        assert_eq!((error.message(), facts.complete), ("boom", false));
    }
}

#[test]
fn an_end_in_error_without_words_is_no_clean_end() {
    let bad = CHUNKS[3].replace("\"stop\"", "\"error\"");
    let (out, facts) = relay(stream(&[CHUNKS[0], &bad, DONE]).as_bytes(), &[], true, None);
    assert!(out.starts_with(&stream(&CHUNKS[..1])) && out.contains("finish reason `error`"), "{out}");
    assert!(!out.contains("[DONE]") && !facts.complete && facts.error.is_some());
}

#[test]
fn a_last_frame_without_its_blank_line_counts() {
    let body = whole();
    let (out, facts) = relay(body.trim_end().as_bytes(), &[], true, None);
    assert_eq!((out, facts.complete), (body, true));
    let half = &stream(&CHUNKS[..2])[..200];
    let (out, facts) = relay(half.as_bytes(), &[], true, None);
    assert!(!facts.complete);
    assert!(out.starts_with(&stream(&CHUNKS[..1])) && out.contains("before the answer was complete"));
}

#[test]
fn a_json_error_in_place_of_a_stream_is_told() {
    let (out, facts) =
        relay(br#"{"error":{"message":"no stream","type":"invalid_request_error"}}"#, &[], true, None);
    assert!(out.starts_with("data: {\"error\":{\"message\":\"no stream\""), "{out}");
    assert_eq!(facts.error.unwrap().kind(), ErrorKind::BadRequest);
}

#[test]
fn words_in_an_answer_are_no_keys() {
    let seen = Seen::of(&CHUNKS[1].as_bytes()[6..]);
    assert_eq!(seen, Seen { answer_bytes: 21, worth_reading: false, empty_id: false });
    assert!(
        !Seen::of(br#"{"delta":{"content":"usage"},"finish_reason":null,"usage":null,"error":null}"#)
            .worth_reading
    );
    assert!(Seen::of(br#"{"finish_reason": "stop"}"#).worth_reading);
    assert!(Seen::of(br#"{"usage" : {"prompt_tokens":1}}"#).worth_reading);
    assert!(Seen::of(br#"{"error":{"message":"x"}}"#).worth_reading);
    for broken in [r#"{"content":"abc"#, r#"{"content":"abc\"#, r#"{"content""#, r#"{"content":"#, "\""] {
        assert!(!Seen::of(broken.as_bytes()).worth_reading, "{broken}");
    }
}

/// Found by the property below: the frame was withheld and the line feed behind it was not.
#[test]
fn a_withheld_frame_takes_its_late_line_feed_along() {
    let body = whole().replace('\n', "\r\n");
    let cut = body.find("data: [DONE]").unwrap() - 1;
    assert_eq!(relay(body.as_bytes(), &[cut], false, None), relay(body.as_bytes(), &[], false, None));
}

#[test]
fn the_line_feed_behind_the_last_carriage_return_is_not_lost() {
    let body = whole().replace('\n', "\r\n");
    let (out, facts) = relay(body.as_bytes(), &[body.len() - 1], true, None);
    assert_eq!((out, facts.complete), (body, true));
}

proptest! {
    #[test]
    fn any_split_gives_the_same_output_and_facts(
        cuts in prop::collection::vec(any::<usize>(), 0..12), show: bool, end in any::<prop::sample::Index>(), crlf: bool,
    ) {
        let mut body = whole();
        if crlf {
            body = body.replace('\n', "\r\n");
        }
        let body = &body.as_bytes()[..=end.index(body.len())];
        prop_assert_eq!(relay(body, &cuts, show, None), relay(body, &[], show, None));
    }
}
