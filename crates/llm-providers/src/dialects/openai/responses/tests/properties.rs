//! Any caller's request read, and written for a provider of this dialect, says all it said.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{DIALECT, target};
use crate::Quirks;
use crate::dialect::Dialect;

fn words() -> impl Strategy<Value = String> {
    "[a-zA-Zäß\"\\\\ ]{0,8}[a-z]"
}

fn block() -> impl Strategy<Value = Value> {
    prop_oneof![
        words().prop_map(|text| json!({ "type": "input_text", "text": text })),
        Just(json!({ "type": "input_image", "image_url": "https://e.org/a.png", "detail": "high" })),
        Just(json!({ "type": "input_image", "image_url": "data:image/png;base64,iVBO", "detail": "auto" })),
        Just(json!({ "type": "input_file", "file_id": "file-1" })),
        Just(
            json!({ "type": "input_file", "file_data": "data:application/pdf;base64,JVBE", "filename": "a.pdf" })
        ),
    ]
}

fn asked() -> impl Strategy<Value = Value> {
    let said = |role: &'static str| {
        words().prop_map(move |text| json!({ "type": "message", "role": role, "content": text }))
    };
    prop_oneof![
        said("user"),
        said("developer"),
        prop::collection::vec(block(), 2..4)
            .prop_map(|blocks| json!({ "type": "message", "role": "user", "content": blocks })),
    ]
}

fn answered() -> impl Strategy<Value = Vec<Value>> {
    prop_oneof![
        words().prop_map(|text| vec![json!({ "type": "message", "role": "assistant", "content": text })]),
        (1..4_usize, words()).prop_map(|(calls, result)| {
            let call = |number: usize| {
                json!({ "type": "function_call", "call_id": format!("call_{number}"), "name": "n",
                    "arguments": format!("{{\"a\":{number}}}") })
            };
            let output = |number: usize| {
                json!({ "type": "function_call_output", "call_id": format!("call_{number}"), "output": result })
            };
            (0..calls).map(call).chain((0..calls).map(output)).collect()
        }),
    ]
}

fn input() -> impl Strategy<Value = Vec<Value>> {
    (prop::collection::vec((asked(), answered()), 0..3), asked()).prop_map(|(turns, last)| {
        let mut items: Vec<Value> =
            turns.into_iter().flat_map(|(asked, answered)| std::iter::once(asked).chain(answered)).collect();
        items.push(last);
        items
    })
}

/// Top-level members, each there or not.
fn members() -> impl Strategy<Value = Map<String, Value>> {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "number" } } });
    let tools = json!([
        { "type": "function", "name": "n", "parameters": schema, "strict": true, "description": "d" },
        { "type": "web_search", "search_context_size": "low" },
    ]);
    let text = json!({ "format": { "type": "json_schema", "name": "s", "schema": schema, "strict": true }, "verbosity": "low" });
    let all = [
        ("instructions", json!("Be brief.")),
        ("tools", tools),
        ("parallel_tool_calls", json!(false)),
        ("max_output_tokens", json!(300)),
        ("temperature", json!(0.25)),
        ("top_p", json!(0.5)),
        ("service_tier", json!("flex")),
        ("user", json!("u")),
        ("prompt_cache_key", json!("k")),
        ("safety_identifier", json!("s")),
        ("store", json!(true)),
        ("metadata", json!({ "a": "b" })),
        ("text", text),
        ("reasoning", json!({ "effort": "high", "summary": "auto" })),
        ("truncation", json!("auto")),
        ("include", json!(["web_search_call.action.sources"])),
        ("max_tool_calls", json!(3)),
        ("previous_response_id", json!("resp_1")),
        ("new_member", json!({ "a": [1] })),
        ("stream", json!(true)),
    ];
    prop::sample::subsequence(all.to_vec(), 0..=all.len())
        .prop_map(|some| some.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

proptest! {
    #[test]
    fn nothing_is_lost(input in input(), members in members()) {
        let mut body = Map::new();
        body.insert("model".to_owned(), json!("m"));
        body.insert("input".to_owned(), json!(input));
        body.extend(members);
        if !body.contains_key("store") {
            // Labels belong to what is kept.
            body.shift_remove("metadata");
        }
        if !body.contains_key("tools") {
            body.shift_remove("parallel_tool_calls");
        }
        let body = Value::Object(body);
        let request = DIALECT.decode_request(body.to_string().as_bytes()).unwrap();
        let sent = DIALECT.encode_request(&request, &target("m", Quirks::NONE)).unwrap();
        let mut sent: Value = serde_json::from_slice(&sent.body).unwrap();
        if body.get("store").is_none() {
            // Nothing is kept unless that is asked for.
            sent.as_object_mut().unwrap().shift_remove("store");
        }
        if body.get("include").is_none() {
            // What is not kept must be told whole.
            sent.as_object_mut().unwrap().shift_remove("include");
        }
        prop_assert_eq!(sent, body);
    }
}
