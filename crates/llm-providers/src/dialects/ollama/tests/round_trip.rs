//! A caller's request read, and written for a provider of this dialect, says all it said.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::target;
use crate::dialect::Dialect;
use crate::dialects::ollama::Ollama;

fn words() -> impl Strategy<Value = String> {
    "[a-zA-Zäß\"\\\\ ]{0,8}[a-z]"
}

fn asked() -> impl Strategy<Value = Value> {
    prop_oneof![
        words().prop_map(|text| json!({ "role": "user", "content": text })),
        words().prop_map(|text| json!({ "role": "system", "content": text })),
        words().prop_map(|text| json!({ "role": "user", "content": text, "images": ["iVBO", "/9j/"] })),
        Just(json!({ "role": "user", "content": "", "images": ["iVBO"] })),
        Just(json!({ "role": "user", "content": "" })),
    ]
}

/// An answer, and the results of the tools it calls: with ids, or with tools' names, or with neither.
fn answered() -> impl Strategy<Value = Vec<Value>> {
    (words(), prop::option::of(words()), 0..3_usize, 0..3_u8).prop_map(|(text, thought, calls, form)| {
        let mut answer = json!({ "role": "assistant", "content": text });
        if let Some(thought) = thought {
            answer["thinking"] = thought.into();
        }
        let mut turns = Vec::new();
        let mut list = Vec::new();
        for number in 0..calls {
            let mut call =
                json!({ "function": { "name": format!("t{number}"), "arguments": { "a": [number] } } });
            let mut result = json!({ "role": "tool", "content": "r" });
            if form == 0 {
                call["id"] = format!("id{number}").into();
                result["tool_call_id"] = format!("id{number}").into();
            } else if form == 1 {
                result["tool_name"] = format!("t{number}").into();
            }
            list.push(call);
            turns.push(result);
        }
        if calls > 0 {
            answer["tool_calls"] = list.into();
        }
        turns.insert(0, answer);
        turns
    })
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
    let options = json!({ "num_predict": 99, "temperature": 0.25, "top_p": 0.5, "top_k": 7, "stop": ["\n", "END"],
        "seed": 11, "frequency_penalty": 0.5, "presence_penalty": 0.25, "num_ctx": 4096, "mirostat": 1, "min_p": 0.5 });
    let all = [
        ("options", options),
        ("format", json!({ "type": "object", "properties": { "a": { "type": "string" } } })),
        ("think", json!(true)),
        ("keep_alive", json!("5m")),
        ("logprobs", json!(true)),
        ("top_logprobs", json!(3)),
        ("new_member", json!({ "a": 1 })),
        (
            "tools",
            json!([{ "type": "function", "function": { "name": "t0", "description": "d",
            "parameters": { "type": "object", "properties": { "a": { "type": "array" } } } } }]),
        ),
    ];
    prop::sample::subsequence(all.to_vec(), 0..=all.len())
        .prop_map(|some| some.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

proptest! {
    #[test]
    fn nothing_is_lost(messages in messages(), members in members(), stream in any::<bool>(), word in prop::sample::select(vec!["json", ""]), level in prop::sample::select(vec!["low", "high", "max"])) {
        let mut body = Map::new();
        body.insert("model".to_owned(), json!("m"));
        body.insert("messages".to_owned(), json!(messages));
        body.insert("stream".to_owned(), json!(stream));
        body.extend(members);
        if !body.contains_key("format") && !word.is_empty() {
            body.insert("format".to_owned(), json!(word));
        }
        if !body.contains_key("think") {
            body.insert("think".to_owned(), json!(level));
        }
        body.entry("options").or_insert_with(|| json!({}));
        let body = Value::Object(body);
        let request = Ollama.decode_request(body.to_string().as_bytes()).unwrap();
        let sent = Ollama.encode_request(&request, &target("ollama_chat", "m")).unwrap();
        let sent: Value = serde_json::from_slice(&sent.body).unwrap();
        prop_assert_eq!(sent, body);
    }
}
