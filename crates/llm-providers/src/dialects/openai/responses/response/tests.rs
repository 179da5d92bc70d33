//! Replies shown to callers: items, states, what is repeated of the request.

use llm_types::{
    ChatResponse, Choice, Citation, Extra, Finish, Message, Part, PartKind, Role, ToolCall, Usage,
};
use serde_json::{Value, json};

use super::super::tests::{DIALECT, cx};
use crate::dialect::Dialect;

fn reply(parts: Vec<Part>, finish: Finish) -> ChatResponse {
    ChatResponse {
        id: "msg_theirs".into(),
        model: "theirs".into(),
        choices: vec![Choice {
            index: 0,
            message: Message::new(Role::Assistant, parts),
            finish: Some(finish),
            logprobs: None,
            extra: Extra::default(),
        }],
        usage: Some(Usage {
            input_tokens: 7,
            output_tokens: 5,
            reasoning_tokens: Some(2),
            ..Usage::default()
        }),
        ..ChatResponse::default()
    }
}

fn shown(response: &ChatResponse) -> Value {
    serde_json::from_slice(&DIALECT.encode_response(response, &cx()).unwrap()).unwrap()
}

#[test]
fn thoughts_words_and_calls_are_items_in_order() {
    let call = ToolCall { id: "call_1".into(), name: "see".into(), arguments: "{}".into(), custom: false };
    let parts = vec![
        Part::reasoning("Hm.", None),
        Part::text("One."),
        Part::new(PartKind::Refusal { text: "No.".into() }),
        Part::new(PartKind::ToolCall(call)),
    ];
    let body = shown(&reply(parts, Finish::ToolCalls));
    assert_eq!(
        body["output"],
        json!([
            {"id": "rs_700", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
            {"id": "msg_701", "type": "message", "status": "completed", "role": "assistant", "content": [
                {"type": "output_text", "text": "One.", "annotations": [], "logprobs": []},
                {"type": "refusal", "refusal": "No."},
            ]},
            {"id": "fc_702", "type": "function_call", "status": "completed", "call_id": "call_1", "name": "see", "arguments": "{}"},
        ])
    );
    assert_eq!(body["id"], "resp_7", "the id is the gateway's");
    assert_eq!(body["model"], "theirs");
    assert_eq!(body["status"], "completed");
    assert_eq!(
        body["usage"],
        json!({
            "input_tokens": 7, "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 12,
        })
    );
}

#[test]
fn ends_become_states() {
    for (finish, status, reason) in [
        (Finish::Stop, "completed", None),
        (Finish::ToolCalls, "completed", None),
        (Finish::StopSequence(None), "completed", None),
        (Finish::Length, "incomplete", Some("max_output_tokens")),
        (Finish::ContextWindow, "incomplete", Some("max_output_tokens")),
        (Finish::ContentFilter, "incomplete", Some("content_filter")),
        (Finish::Refusal, "incomplete", Some("content_filter")),
    ] {
        let body = shown(&reply(vec![Part::text("x")], finish.clone()));
        assert_eq!(body["status"], status, "{finish:?}");
        assert_eq!(body["incomplete_details"]["reason"].as_str(), reason, "{finish:?}");
    }
    let said = vec![Part::new(PartKind::Refusal { text: "No.".into() })];
    assert_eq!(
        shown(&reply(said, Finish::Refusal))["status"],
        "completed",
        "a refusal in words is an answer"
    );
}

#[test]
fn the_request_is_repeated_and_defaults_fill_the_rest() {
    let body = br#"{"model":"m","input":"secret","temperature":0.5,"tools":[{"type":"function","name":"f"}],"metadata":null}"#;
    let cx = crate::ReplyContext { echo: DIALECT.echo(body), ..cx() };
    let reply = reply(vec![Part::text("x")], Finish::Stop);
    let shown: Value = serde_json::from_slice(&DIALECT.encode_response(&reply, &cx).unwrap()).unwrap();
    assert_eq!(shown["temperature"], 0.5);
    assert_eq!(shown["tools"], json!([{"type": "function", "name": "f"}]));
    assert_eq!(shown["metadata"], json!({}));
    assert_eq!(shown["tool_choice"], "auto");
    assert_eq!(shown["instructions"], Value::Null);
    assert!(shown.get("input").is_none(), "input is not repeated");
}

#[test]
fn sources_become_annotations_of_every_form() {
    let citations = vec![
        Citation {
            url: Some("https://a".into()),
            title: Some("A".into()),
            span: Some((1, 2)),
            ..Citation::default()
        },
        Citation {
            dialect: Some("openai".into()),
            native: Some(
                json!({"type": "url_citation", "url_citation": {"url": "https://b", "title": "B", "start_index": 0, "end_index": 1}}),
            ),
            ..Citation::default()
        },
        Citation {
            document: Some(0),
            title: Some("Doc".into()),
            cited_text: Some("t".into()),
            ..Citation::default()
        },
    ];
    let part = Part::new(PartKind::Text { text: "x".into(), citations });
    let body = shown(&reply(vec![part], Finish::Stop));
    let annotations = body.pointer("/output/0/content/0/annotations").unwrap();
    assert_eq!(
        *annotations,
        json!([
            {"type": "url_citation", "start_index": 1, "end_index": 2, "url": "https://a", "title": "A"},
            {"url": "https://b", "title": "B", "start_index": 0, "end_index": 1, "type": "url_citation"},
            {"type": "file_citation", "file_id": "", "filename": "Doc", "index": 0, "quote": "t"},
        ])
    );
}

#[test]
fn log_probabilities_stand_at_the_text() {
    let mut response = reply(vec![Part::text("x")], Finish::Stop);
    response.choices[0].logprobs = Some(json!({"content": [{"token": "x", "logprob": -0.1}]}));
    let body = shown(&response);
    assert_eq!(*body.pointer("/output/0/content/0/logprobs/0/token").unwrap(), "x");
}

#[test]
fn replies_that_are_none_are_errors() {
    let facts = |body: &Value| DIALECT.reply_facts(&serde_json::to_vec(body).unwrap());
    for body in [json!({"choices": []}), json!([1]), json!({"error": {"message": "no"}})] {
        assert!(facts(&body).error.is_some(), "{body}");
        assert!(DIALECT.decode_response(&serde_json::to_vec(&body).unwrap()).is_err(), "{body}");
    }
    let failed = json!({"status": "failed", "output": [], "error": {"code": "server_error", "message": "boom"},
        "usage": {"input_tokens": 4, "output_tokens": 1}});
    let error = facts(&failed).error.unwrap();
    assert_eq!(error.message(), "boom");
    assert_eq!(error.usage().unwrap().input_tokens, 4, "what was used is billed");
}

#[test]
fn searches_are_counted_for_the_price() {
    let body = json!({"id": "r", "status": "completed", "model": "m", "output": [
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"type": "web_search_call", "id": "ws_2", "status": "completed"},
    ], "usage": {"input_tokens": 1, "output_tokens": 1}});
    let facts = DIALECT.reply_facts(&serde_json::to_vec(&body).unwrap());
    assert_eq!(facts.usage.unwrap().web_searches, Some(2));
}
