//! A caller's request read, and written for a provider of this dialect, says all it said.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::target;
use crate::dialect::Dialect;
use crate::dialects::cohere::Cohere;

fn words() -> impl Strategy<Value = String> {
    "[a-zA-Zäß\"\\\\ ]{0,8}[a-z]"
}

fn text_block() -> impl Strategy<Value = Value> {
    words().prop_map(|text| json!({ "type": "text", "text": text }))
}

fn asked() -> impl Strategy<Value = Value> {
    let picture = json!({ "type": "image_url", "image_url": { "url": "data:image/png;base64,iVBO", "detail": "high" } });
    let block = prop_oneof![text_block(), Just(picture), Just(json!({ "type": "new_block", "x": 1 }))];
    prop_oneof![
        words().prop_map(|text| json!({ "role": "user", "content": text })),
        prop::collection::vec(block, 2..4).prop_map(|blocks| json!({ "role": "user", "content": blocks })),
        words().prop_map(|text| json!({ "role": "system", "content": text })),
    ]
}

fn answered() -> impl Strategy<Value = Vec<Value>> {
    let thought = words().prop_map(|text| json!({ "type": "thinking", "thinking": text }));
    let said = (thought, text_block()).prop_map(|(thought, text)| {
        vec![json!({ "role": "assistant", "content": [thought, text], "citations": [
            { "start": 0, "end": 1, "text": "a", "sources": [{ "type": "tool", "id": "t:0", "tool_output": { "a": 1 } }] }] })]
    });
    let document = json!({ "type": "document", "document": { "id": "d", "data": { "text": "x", "n": 1 } } });
    let called = (words(), text_block()).prop_map(move |(plan, text)| {
        let call = json!({ "id": "c_1", "type": "function", "function": { "name": "n", "arguments": "{\"a\": 1.50}" } });
        vec![
            json!({ "role": "assistant", "tool_plan": plan, "tool_calls": [call] }),
            json!({ "role": "tool", "tool_call_id": "c_1", "content": [text, document] }),
        ]
    });
    prop_oneof![said, called]
}

fn messages() -> impl Strategy<Value = Vec<Value>> {
    let turn = (asked(), prop::option::of(answered())).prop_map(|(asked, answered)| {
        let mut turn = vec![asked];
        turn.extend(answered.into_iter().flatten());
        turn
    });
    (prop::collection::vec(turn, 1..4), words()).prop_map(|(turns, last)| {
        let mut messages: Vec<Value> = turns.into_iter().flatten().collect();
        messages.push(json!({ "role": "user", "content": last }));
        messages
    })
}

/// Top-level members, each there or not.
fn members() -> impl Strategy<Value = Map<String, Value>> {
    let all = [
        (
            "documents",
            json!([{ "id": "a", "data": { "text": "x", "year": 1999 } }, { "data": { "k": [1] } }]),
        ),
        ("strict_tools", json!(true)),
        ("tool_choice", json!("REQUIRED")),
        ("response_format", json!({ "type": "json_object", "json_schema": { "type": "object" } })),
        ("max_tokens", json!(99)),
        ("temperature", json!(0.25)),
        ("p", json!(0.5)),
        ("k", json!(7)),
        ("stop_sequences", json!(["\n", "END"])),
        ("seed", json!(11)),
        ("frequency_penalty", json!(0.5)),
        ("presence_penalty", json!(0.25)),
        ("logprobs", json!(true)),
        ("thinking", json!({ "type": "enabled", "token_budget": 1024 })),
        ("citation_options", json!({ "mode": "FAST" })),
        ("safety_mode", json!("STRICT")),
        ("priority", json!(3)),
        ("raw_prompting", json!(false)),
        ("stream", json!(true)),
    ];
    prop::sample::subsequence(all.to_vec(), 0..=all.len())
        .prop_map(|some| some.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// What says the same in two ways, in one.
fn normal(body: &Value) -> Value {
    let mut body = body.clone();
    for message in body["messages"].as_array_mut().unwrap() {
        let only = match message["content"].as_array().map(Vec::as_slice) {
            Some([only]) if only["type"] == "text" => Some(only["text"].clone()),
            _ => None,
        };
        if let Some(text) = only {
            message["content"] = text;
        }
    }
    let number = |document: &mut Value, at: usize| {
        // A document without an id is given one.
        document["id"] = document.get("id").cloned().unwrap_or_else(|| json!(at));
    };
    for (at, document) in
        body.get_mut("documents").and_then(Value::as_array_mut).into_iter().flatten().enumerate()
    {
        number(document, at);
    }
    body
}

proptest! {
    #[test]
    fn nothing_is_lost(messages in messages(), members in members(), model in prop::sample::select(vec!["command-a-03-2025", "command-a-reasoning-08-2025"])) {
        let mut body = Map::new();
        body.insert("model".to_owned(), json!(model));
        body.insert("messages".to_owned(), json!(messages));
        body.insert("tools".to_owned(), json!([{ "type": "function", "function": {
            "name": "n", "description": "d", "parameters": { "type": "object", "properties": { "a": { "type": "number" } } } } }]));
        body.extend(members);
        let body = Value::Object(body);
        let request = Cohere.decode_request(&serde_json::to_vec(&body).unwrap()).unwrap();
        let sent = Cohere.encode_request(&request, &target(model)).unwrap();
        let sent: Value = serde_json::from_slice(&sent.body).unwrap();
        prop_assert_eq!(normal(&sent), normal(&body));
    }
}
