//! A caller's request read, and written for a provider of this dialect, says all it said.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::tests::target;
use super::{decode, encode};
use crate::Quirks;

fn words() -> impl Strategy<Value = String> {
    "[a-zA-Zäß\"\\\\ ]{0,8}[a-z]"
}

fn block() -> impl Strategy<Value = Value> {
    prop_oneof![
        words().prop_map(|text| json!({ "type": "text", "text": text })),
        Just(
            json!({ "type": "image_url", "image_url": { "url": "data:image/png;base64,iVBO", "detail": "high" } })
        ),
        Just(json!({ "type": "image_url", "image_url": { "url": "https://e.org/a.png" } })),
        Just(json!({ "type": "input_audio", "input_audio": { "data": "UklG", "format": "wav" } })),
        Just(json!({ "type": "file", "file": { "file_id": "file-1" } })),
        Just(
            json!({ "type": "file", "file": { "file_data": "data:application/pdf;base64,JVBE", "filename": "a.pdf" } })
        ),
    ]
}

fn asked() -> impl Strategy<Value = Value> {
    prop_oneof![
        words().prop_map(|text| json!({ "role": "user", "content": text })),
        (words(), words()).prop_map(|(text, name)| json!({ "role": "user", "content": text, "name": name })),
        prop::collection::vec(block(), 2..4).prop_map(|blocks| json!({ "role": "user", "content": blocks })),
        words().prop_map(|text| json!({ "role": "system", "content": text })),
        words().prop_map(|text| json!({ "role": "developer", "content": text })),
    ]
}

fn answered() -> impl Strategy<Value = Vec<Value>> {
    prop_oneof![
        words().prop_map(|text| vec![json!({ "role": "assistant", "content": text })]),
        words().prop_map(|text| vec![json!({ "role": "assistant", "refusal": text })]),
        (prop::option::of(words()), 1..4_usize, words()).prop_map(|(text, calls, result)| {
            let call = |number| {
                json!({ "id": format!("call_{number}"), "type": "function",
                    "function": { "name": "n", "arguments": format!("{{\"a\": {number}}}") } })
            };
            let calls: Vec<Value> = (0..calls).map(call).collect();
            let answers =
                |call: &Value| json!({ "role": "tool", "tool_call_id": call["id"], "content": result });
            let mut turns: Vec<Value> = calls.iter().map(answers).collect();
            let mut answer = json!({ "role": "assistant", "tool_calls": calls });
            if let Some(text) = text {
                answer["content"] = text.into();
            }
            turns.insert(0, answer);
            turns
        }),
    ]
}

fn messages() -> impl Strategy<Value = Vec<Value>> {
    (prop::collection::vec((asked(), answered()), 0..3), asked()).prop_map(|(turns, last)| {
        let mut messages: Vec<Value> =
            turns.into_iter().flat_map(|(asked, answered)| std::iter::once(asked).chain(answered)).collect();
        messages.push(last);
        messages
    })
}

/// Top-level members, each there or not.
fn members() -> impl Strategy<Value = Map<String, Value>> {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "number" } } });
    let tools = json!([
        { "type": "function", "function": { "name": "n", "description": "d", "parameters": schema, "strict": true } },
        { "type": "custom", "custom": { "name": "c", "description": "d" } },
    ]);
    let format =
        json!({ "type": "json_schema", "json_schema": { "name": "s", "schema": schema, "strict": true } });
    let all = [
        ("tools", tools),
        ("tool_choice", json!({ "type": "function", "function": { "name": "n" } })),
        ("parallel_tool_calls", json!(false)),
        ("response_format", format),
        ("max_tokens", json!(99)),
        ("temperature", json!(0.25)),
        ("top_p", json!(0.5)),
        ("stop", json!(["\n", "END"])),
        ("seed", json!(11)),
        ("n", json!(2)),
        ("frequency_penalty", json!(0.5)),
        ("presence_penalty", json!(0.25)),
        ("logit_bias", json!({ "5": -1 })),
        ("logprobs", json!(true)),
        ("top_logprobs", json!(3)),
        ("reasoning_effort", json!("low")),
        ("modalities", json!(["text", "audio"])),
        ("audio", json!({ "voice": "alloy", "format": "wav" })),
        ("prediction", json!({ "type": "content", "content": "x" })),
        ("verbosity", json!("low")),
        ("service_tier", json!("flex")),
        ("user", json!("u")),
        ("store", json!(true)),
        ("prompt_cache_key", json!("k")),
        ("safety_identifier", json!("s")),
        ("web_search_options", json!({ "search_context_size": "low" })),
        ("new_member", json!({ "a": [1] })),
        ("stream", json!(true)),
    ];
    prop::sample::subsequence(all.to_vec(), 0..=all.len())
        .prop_map(|some| some.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// What says the same in two ways, in one: an answer of calls alone has no words.
fn normal(body: &Value) -> Value {
    let mut body = body.clone();
    let members = body.as_object_mut().unwrap();
    // Usage of streams is always asked for.
    members.shift_remove("stream_options");
    members["model"] = json!("m");
    for message in members["messages"].as_array_mut().unwrap() {
        let message = message.as_object_mut().unwrap();
        message.retain(|name, value| !(name == "content" && value.is_null()));
    }
    body
}

proptest! {
    #[test]
    fn nothing_is_lost(messages in messages(), members in members()) {
        let mut body = Map::new();
        body.insert("model".to_owned(), json!("m"));
        body.insert("messages".to_owned(), json!(messages));
        body.extend(members);
        if !body.contains_key("tools") {
            body.shift_remove("tool_choice");
            body.shift_remove("parallel_tool_calls");
        }
        let body = Value::Object(body);
        let request = decode(body.to_string().as_bytes()).unwrap();
        let sent = encode(&request, &target(Quirks::NONE)).unwrap();
        let sent: Value = serde_json::from_slice(&sent.body).unwrap();
        prop_assert_eq!(normal(&sent), normal(&body));
    }
}
