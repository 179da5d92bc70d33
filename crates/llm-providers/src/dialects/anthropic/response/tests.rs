//! Whole replies, beyond what the recordings show.

use llm_types::{ErrorKind, ToolCall};
use serde_json::{Value, json};

use super::*;

fn read(reply: &Value) -> ChatResponse {
    decode(reply.to_string().as_bytes()).unwrap()
}

fn reply(content: &Value, reason: &str) -> Value {
    json!({ "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "content": content,
        "stop_reason": reason, "stop_sequence": null, "usage": { "input_tokens": 10, "output_tokens": 5 } })
}

#[test]
fn reasons_go_both_ways() {
    let check = |reason: &str, sequence: Option<&str>, finish: Finish| {
        assert_eq!(super::finish(reason, sequence.map(str::to_owned)), finish);
        assert_eq!(stop_reason(Some(&finish), false), (reason, sequence));
    };
    check("end_turn", None, Finish::Stop);
    check("stop_sequence", Some("END"), Finish::StopSequence(Some("END".to_owned())));
    check("max_tokens", None, Finish::Length);
    check("model_context_window_exceeded", None, Finish::ContextWindow);
    check("tool_use", None, Finish::ToolCalls);
    check("refusal", None, Finish::Refusal);
    check("pause_turn", None, Finish::Pause);
    check("compaction", None, Finish::Other("compaction".to_owned()));
}

#[test]
fn other_vendors_reasons_become_the_nearest() {
    let shown = |finish: Finish, calls| stop_reason(Some(&finish), calls).0;
    assert_eq!(shown(Finish::Stop, true), "tool_use");
    assert_eq!(shown(Finish::StopSequence(None), false), "end_turn");
    assert_eq!(shown(Finish::ContentFilter, false), "refusal");
    assert_eq!(shown(Finish::Other("MALFORMED".to_owned()), false), "end_turn");
    assert_eq!(stop_reason(None, false).0, "end_turn");
}

#[test]
fn the_answer_tool_is_the_answer() {
    let call = json!({ "type": "tool_use", "id": "t", "name": "json_tool_call", "input": { "values": [1] } });
    let response = read(&reply(&json!([call]), "tool_use"));
    assert_eq!(response.choices[0].message.parts, [Part::text("{\"values\":[1]}")]);
    assert_eq!(response.choices[0].finish, Some(Finish::Stop));

    let other = json!({ "type": "tool_use", "id": "u", "name": "other", "input": {} });
    let response = read(&reply(&json!([call, other]), "tool_use"));
    assert_eq!(response.choices[0].finish, Some(Finish::ToolCalls));
}

#[test]
fn an_error_with_a_success_status_is_that_error() {
    let error = decode(br#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#)
        .unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Overloaded, "Overloaded"));
}

#[test]
fn says_what_is_not_a_message() {
    let check = |body: &str, message: &str| {
        let error = decode(body.as_bytes()).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::BadUpstream, message));
    };
    check("<html>", "provider reply is not JSON");
    check(
        r#"{"choices":[]}"#,
        "provider reply is not a message: missing required parameter `content`: expected content blocks",
    );
    check(
        r#"{"content":[{"type":"text"}]}"#,
        "provider reply is not a message: missing required parameter `content[0].text`: expected a string",
    );
}

#[test]
fn writes_answers_of_other_vendors() {
    let call =
        ToolCall { id: "call_1".to_owned(), name: "t".to_owned(), arguments: String::new(), custom: false };
    let parts = vec![
        Part::reasoning("hm", None),
        Part::text(""),
        Part::text("Hi"),
        Part::new(PartKind::ToolCall(call)),
    ];
    let message = Message::new(Role::Assistant, parts);
    let choice =
        Choice { index: 0, message, finish: Some(Finish::Stop), logprobs: None, extra: Extra::default() };
    let response = ChatResponse { choices: vec![choice], ..ChatResponse::default() };
    let cx = ReplyContext { id: "msg_made".to_owned(), model: "gpt".to_owned(), ..ReplyContext::default() };
    let written: Value = serde_json::from_slice(&encode(&response, &cx)).unwrap();
    assert_eq!(
        written,
        json!({
            "id": "msg_made", "type": "message", "role": "assistant", "model": "gpt",
            "content": [
                { "type": "thinking", "thinking": "hm", "signature": "" },
                { "type": "text", "text": "Hi" },
                { "type": "tool_use", "id": "call_1", "name": "t", "input": {} },
            ],
            "stop_reason": "tool_use", "stop_sequence": null,
            "usage": { "input_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 0 },
        })
    );
}
