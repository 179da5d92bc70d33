//! What settlement learns from forwarded replies.

use bytes::Bytes;
use llm_types::{Error, ErrorKind, Finish};
use serde_json::json;

use super::{Forwarder, reply_facts};
use crate::dialect::Relay;
use crate::dialects::converse::tests::{frames, stream};

#[test]
fn a_whole_reply_tells_usage_finish_and_size() {
    let body = json!({
        "output": { "message": { "role": "assistant", "content": [
            { "reasoningContent": { "reasoningText": { "text": "abc" } } }, { "text": "de" },
            { "citationsContent": { "content": [{ "text": "f" }] } },
            { "toolUse": { "toolUseId": "t", "name": "n", "input": { "a": 1 } } },
        ] } },
        "stopReason": "tool_use", "usage": { "inputTokens": 4, "outputTokens": 5, "totalTokens": 9 },
        "serviceTier": { "type": "flex" },
    });
    let facts = reply_facts(body.to_string().as_bytes());
    assert_eq!((facts.answer_bytes, facts.complete, facts.finish), (6 + 7, true, Some(Finish::ToolCalls)));
    let usage = facts.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.service_tier.as_deref()), (4, Some("flex")));
}

#[test]
fn what_is_no_reply_is_an_error() {
    let error = |body: &[u8]| reply_facts(body).error.unwrap();
    assert_eq!(error(b"<html>").kind(), ErrorKind::BadUpstream);
    assert_eq!(error(br#"{"a":1}"#).kind(), ErrorKind::BadUpstream);
    assert_eq!(error(br#"{"__type":"ThrottlingException","message":"m"}"#).kind(), ErrorKind::RateLimited);
}

#[test]
fn an_exception_goes_on_as_it_came_and_is_known() {
    let body = stream(&[
        ("messageStart", json!({ "role": "assistant" })),
        ("serviceUnavailableException", json!({ "message": "busy" })),
    ]);
    let (mut relay, mut out) = (Forwarder::default(), Vec::new());
    relay.push(body.clone(), &mut out);
    relay.finish(None, &mut out);
    assert_eq!(out.concat(), body);
    assert_eq!(relay.facts().error.as_ref().unwrap().kind(), ErrorKind::Overloaded);
}

#[test]
fn a_broken_frame_ends_the_stream_with_an_exception() {
    let whole = stream(&[("messageStart", json!({ "role": "assistant" }))]);
    let mut damaged = stream(&[("contentBlockDelta", json!({ "delta": { "text": "a" } }))]).to_vec();
    let last = damaged.len() - 5;
    damaged[last] ^= 1;
    let (mut relay, mut out) = (Forwarder::default(), Vec::new());
    relay.push(Bytes::from([&whole[..], &damaged].concat()), &mut out);
    relay.push(whole, &mut out);
    relay.finish(None, &mut out);
    let names: Vec<String> = frames(&out.concat().into()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["messageStart", "exception:modelStreamErrorException"]);
    assert!(relay.facts().error.as_ref().unwrap().message().contains("checksum"));
}

#[test]
fn a_body_that_fails_after_the_answer_stopped_is_not_complete() {
    let body = stream(&[
        ("messageStart", json!({ "role": "assistant" })),
        ("messageStop", json!({ "stopReason": "end_turn" })),
    ]);
    let cut = Error::new(ErrorKind::Unreachable, "reset");
    for (cut_by, complete) in [(None, true), (Some(&cut), false)] {
        let (mut relay, mut out) = (Forwarder::default(), Vec::new());
        relay.push(body.clone(), &mut out);
        relay.finish(cut_by, &mut out);
        assert_eq!(relay.facts().complete, complete);
        assert_eq!(out.concat().len() > body.len(), !complete);
    }
}
