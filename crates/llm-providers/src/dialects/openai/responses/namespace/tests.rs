//! Tools in namespaces reach providers without them, and calls come back into their namespaces.

use std::sync::Arc;

use llm_types::{ChatResponse, Choice, Event, Message, Part, PartKind, Role, Start, ToolCall};
use serde_json::{Value, json};

use crate::dialect::{Dialect, ReplyContext};
use crate::dialects::openai::responses::tests::{DIALECT, cx, data};

fn body() -> Value {
    json!({
        "model": "m", "client_metadata": {"turn": "1"},
        "input": [
            {"role": "user", "content": "Find Bo."},
            {"type": "function_call", "call_id": "c1", "name": "find", "namespace": "crm", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "none"},
        ],
        "tools": [
            {"type": "function", "name": "find", "parameters": {"type": "object"}},
            {"type": "namespace", "name": "crm", "description": "Customers.", "tools": [
                {"type": "function", "name": "find", "parameters": {"type": "object"}},
            ]},
            {"type": "web_search", "external_web_access": true},
        ],
    })
}

fn asked() -> ReplyContext {
    let echo = DIALECT.echo(&serde_json::to_vec(&body()).unwrap());
    ReplyContext { echo: echo.map(|said| Arc::new((*said).clone())), ..cx() }
}

#[test]
fn the_canonical_request_has_plain_names() {
    let request = DIALECT.decode_request(&serde_json::to_vec(&body()).unwrap()).unwrap();
    let names: Vec<&str> = request.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["find", "crm__find"]);
    assert!(request.options.web_search.is_some(), "a search of the live web is a plain one");
    let PartKind::ToolCall(call) = &request.messages[1].parts[0].kind else { panic!("{request:?}") };
    assert_eq!(call.name, "crm__find");
    assert_eq!(
        request.native.map(|native| native.needed),
        Some(Vec::new()),
        "what a client counts changes no answer"
    );
}

#[test]
fn a_call_is_shown_in_its_namespace() {
    let call =
        |name: &str| ToolCall { id: "c".into(), name: name.into(), arguments: "{}".into(), custom: false };
    for (name, namespace, shown) in [
        ("crm__find", json!("crm"), "find"),
        ("find", Value::Null, "find"),
        ("crm__lose", Value::Null, "crm__lose"),
    ] {
        let message = Message::new(Role::Assistant, vec![Part::new(PartKind::ToolCall(call(name)))]);
        let choice =
            Choice { index: 0, message, finish: None, logprobs: None, extra: llm_types::Extra::default() };
        let reply = ChatResponse { choices: vec![choice], ..ChatResponse::default() };
        let reply: Value =
            serde_json::from_slice(&DIALECT.encode_response(&reply, &asked()).unwrap()).unwrap();
        let item = &reply["output"][0];
        assert_eq!((&item["namespace"], item["name"].as_str()), (&namespace, Some(shown)));

        let mut encoder = DIALECT.stream_encoder(asked());
        let mut out = bytes::BytesMut::new();
        let started =
            Event::ToolStart { choice: 0, index: 0, id: "c".into(), name: name.into(), custom: false };
        for event in [Event::Start(Start::default()), started, Event::Done] {
            encoder.push(&event, &mut out);
        }
        let frames = data(&out);
        let of = |kind: &str| frames.iter().find(|frame| frame["type"] == kind).unwrap().clone();
        for item in
            [&of("response.output_item.added")["item"], &of("response.completed")["response"]["output"][0]]
        {
            assert_eq!((&item["namespace"], item["name"].as_str()), (&namespace, Some(shown)));
        }
        assert_eq!(of("response.function_call_arguments.done")["name"], shown);
    }
}
