//! Whole replies.

use llm_types::{ErrorKind, Finish, PartKind};
use serde_json::{Value, json};

use super::{decode, encode, stop_reason};
use crate::ReplyContext;

#[expect(clippy::needless_pass_by_value, reason = "callers build it in place")]
fn reply(content: Value, reason: &str) -> Value {
    json!({
        "output": { "message": { "role": "assistant", "content": content } },
        "stopReason": reason,
        "usage": { "inputTokens": 1, "outputTokens": 2, "totalTokens": 3 },
        "metrics": { "latencyMs": 7 },
    })
}

fn again(reply: &Value) -> Value {
    let response = decode(reply.to_string().as_bytes()).unwrap();
    let cx = ReplyContext { elapsed_ms: 7, ..ReplyContext::default() };
    serde_json::from_slice(&encode(&response, &cx)).unwrap()
}

#[test]
fn every_kind_of_block_comes_back() {
    let content = json!([
        { "reasoningContent": { "reasoningText": { "text": "hm", "signature": "s" } } },
        { "reasoningContent": { "redactedContent": "eHg=" } },
        { "text": "hello" },
        { "citationsContent": { "content": [{ "text": "c" }], "citations": [{ "title": "t" }] } },
        { "image": { "format": "png", "source": { "bytes": "AAAA" } } },
        { "toolUse": { "toolUseId": "t", "name": "n", "input": { "a": 1.50 } } },
        { "toolUse": { "toolUseId": "u", "name": "nova_grounding", "input": {}, "type": "server_tool_use" } },
    ]);
    let mut wire = reply(content, "tool_use");
    wire["serviceTier"] = json!({ "type": "priority" });
    wire["trace"] = json!({ "guardrail": { "inputAssessment": {} } });
    wire["performanceConfig"] = json!({ "latency": "optimized" });
    assert_eq!(again(&wire), wire);
}

#[test]
fn the_answer_tool_is_the_answer() {
    let content = json!([{ "toolUse": { "toolUseId": "t", "name": "json_tool_call", "input": { "a": 1 } } }]);
    let response = decode(reply(content, "tool_use").to_string().as_bytes()).unwrap();
    assert_eq!(response.choices[0].message.text(), r#"{"a":1}"#);
    assert_eq!(response.choices[0].finish, Some(Finish::Stop));
}

#[test]
fn reasons_go_both_ways() {
    let cases = [
        ("end_turn", Finish::Stop),
        ("tool_use", Finish::ToolCalls),
        ("max_tokens", Finish::Length),
        ("stop_sequence", Finish::StopSequence(None)),
        ("content_filtered", Finish::ContentFilter),
        ("model_context_window_exceeded", Finish::ContextWindow),
        ("malformed_tool_use", Finish::Other("malformed_tool_use".into())),
    ];
    for (word, finish) in cases {
        assert_eq!(super::finish(word, None), finish);
        assert_eq!(stop_reason(Some(&finish), false), (word, None));
    }
    assert_eq!(super::finish("guardrail_intervened", None), Finish::ContentFilter);
    assert_eq!(stop_reason(Some(&Finish::Refusal), false).0, "content_filtered");
    assert_eq!(stop_reason(Some(&Finish::Other("eos".into())), false).0, "end_turn");
    assert_eq!(stop_reason(None, true).0, "tool_use");
}

#[test]
fn claude_states_stop_text_and_thinking() {
    let mut wire = reply(json!([{ "text": "a" }]), "stop_sequence");
    wire["additionalModelResponseFields"] =
        json!({ "stop_sequence": "END", "usage": { "output_tokens_details": { "thinking_tokens": 2 } } });
    let response = decode(wire.to_string().as_bytes()).unwrap();
    assert_eq!(response.choices[0].finish, Some(Finish::StopSequence(Some("END".into()))));
    assert_eq!(response.usage.unwrap().reasoning_tokens, Some(2));
}

#[test]
fn what_is_no_reply_is_an_error() {
    let error = decode(br#"{"message":"Input is too long"}"#).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ContextTooLong);
    let error = decode(br#"{"output":{"message":{"role":"assistant"}}}"#).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadUpstream);
    assert!(error.message().contains("`output.message.content`"), "{error}");
    assert_eq!(decode(b"<html>").unwrap_err().kind(), ErrorKind::BadUpstream);
}

#[test]
fn results_given_as_json_are_read_as_text() {
    let content =
        json!([{ "toolResult": { "toolUseId": "t", "content": [{ "json": { "a": 1 } }, { "json": "x" }] } }]);
    let response = decode(reply(content, "end_turn").to_string().as_bytes()).unwrap();
    let PartKind::ToolResult(result) = &response.choices[0].message.parts[0].kind else { panic!("a result") };
    let texts: Vec<String> = result.parts.iter().map(|part| format!("{:?}", part.kind)).collect();
    assert!(texts[0].contains(r#"{\"a\":1}"#) && texts[1].contains("\"x\""), "{texts:?}");
}
