//! A caller's request read, and written for a provider of this dialect, says all it said.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{target, without_nulls};
use crate::dialect::Dialect;
use crate::dialects::anthropic::Anthropic;

fn mark() -> impl Strategy<Value = Option<Value>> {
    prop::option::of(prop::sample::select(vec![
        json!({ "type": "ephemeral" }),
        json!({ "type": "ephemeral", "ttl": "5m" }),
        json!({ "type": "ephemeral", "ttl": "1h" }),
    ]))
}

fn words() -> impl Strategy<Value = String> {
    "[a-zA-Zäß\"\\\\ ]{0,8}[a-z]"
}

fn marked(block: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    (block, mark()).prop_map(|(mut block, mark)| {
        if let Some(mark) = mark {
            block["cache_control"] = mark;
        }
        block
    })
}

fn text_block() -> impl Strategy<Value = Value> {
    marked(words().prop_map(|text| json!({ "type": "text", "text": text })))
}

fn media_block() -> impl Strategy<Value = Value> {
    let source = prop::sample::select(vec![
        json!({ "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "iVBO" } }),
        json!({ "type": "image", "source": { "type": "url", "url": "https://e.org/a.png" } }),
        json!({ "type": "document", "source": { "type": "file", "file_id": "file_1" }, "title": "t", "context": "c" }),
        json!({ "type": "document", "source": { "type": "text", "media_type": "text/plain", "data": "d" },
            "citations": { "enabled": true } }),
        json!({ "type": "search_result", "source": "s", "title": "t", "content": [{ "type": "text", "text": "a" }] }),
    ]);
    marked(source)
}

fn said_by_model() -> impl Strategy<Value = Value> {
    prop_oneof![
        text_block(),
        words().prop_map(|text| json!({ "type": "thinking", "thinking": text, "signature": "sig" })),
        Just(json!({ "type": "redacted_thinking", "data": "xx" })),
        Just(json!({ "type": "server_tool_use", "id": "s", "name": "web_search", "input": { "query": "q" } })),
        words().prop_map(|text| json!({ "type": "tool_use", "id": "t_1", "name": "n", "input": { "a": text, "n": [1, null, 2.5] } })),
    ]
}

fn result() -> impl Strategy<Value = Value> {
    marked((prop::collection::vec(prop_oneof![text_block(), media_block()], 2..4), prop::option::of(any::<bool>())).prop_map(
        |(content, failed)| json!({ "type": "tool_result", "tool_use_id": "t_1", "content": content, "is_error": failed }),
    ))
}

/// Turns that alternate, results before all else.
fn messages() -> impl Strategy<Value = Vec<Value>> {
    let user = (
        prop::collection::vec(result(), 0..3),
        prop::collection::vec(prop_oneof![text_block(), media_block()], 1..4),
    );
    let model = (prop::collection::vec(said_by_model(), 1..4), text_block());
    let turn = (user, model).prop_map(|((mut results, more), (mut said, last))| {
        results.extend(more);
        said.push(last);
        [json!({ "role": "user", "content": results }), json!({ "role": "assistant", "content": said })]
    });
    prop::collection::vec(turn, 1..4).prop_map(|turns| turns.into_iter().flatten().collect())
}

/// Top-level members, each there or not.
fn members() -> impl Strategy<Value = Map<String, Value>> {
    let all = [
        (
            "system",
            json!([{ "type": "text", "text": "s", "cache_control": { "type": "ephemeral" } }, { "type": "text", "text": "t" }]),
        ),
        ("temperature", json!(0.25)),
        ("top_p", json!(0.5)),
        ("top_k", json!(7)),
        ("stop_sequences", json!(["\n", "END"])),
        ("stream", json!(true)),
        ("metadata", json!({ "user_id": "u-1" })),
        ("service_tier", json!("standard_only")),
        ("tool_choice", json!({ "type": "tool", "name": "n", "disable_parallel_tool_use": true })),
        ("thinking", json!({ "type": "enabled", "budget_tokens": 1024, "display": "omitted" })),
        ("output_config", json!({ "task_budget": { "total": 5 } })),
        ("container", json!({ "skills": [{ "skill_id": "s" }] })),
        ("context_management", json!({ "edits": [{ "type": "clear_tool_uses_20250919" }] })),
        ("mcp_servers", json!([{ "type": "url", "url": "https://e.org", "name": "m" }])),
        ("cache_control", json!({ "type": "ephemeral" })),
        ("inference_geo", json!("us")),
        ("speed", json!("fast")),
        ("field_of_next_year", json!([1, { "a": 2 }])),
    ];
    prop::collection::vec(any::<bool>(), all.len()).prop_map(move |chosen| {
        let chosen = all.iter().zip(chosen).filter(|(_, chosen)| *chosen);
        chosen.map(|((name, value), _)| ((*name).to_owned(), value.clone())).collect()
    })
}

fn tools() -> Value {
    json!([
        { "name": "n", "type": "custom", "description": "d", "input_schema": { "type": "object", "properties": { "a": { "type": "string" } } },
          "strict": true, "defer_loading": true, "eager_input_streaming": false, "cache_control": { "type": "ephemeral" } },
        { "type": "web_search_20250305", "name": "web_search", "max_uses": 3 },
    ])
}

proptest! {
    #[test]
    fn nothing_is_lost(messages in messages(), mut body in members()) {
        body.insert("model".to_owned(), json!("claude-sonnet-4-5"));
        body.insert("max_tokens".to_owned(), json!(2000));
        body.insert("tools".to_owned(), tools());
        body.insert("messages".to_owned(), Value::Array(messages));
        let body = Value::Object(body);
        let request = Anthropic.decode_request(body.to_string().as_bytes()).unwrap();
        let encoded = Anthropic.encode_request(&request, &target("claude-sonnet-4-5")).unwrap();
        let written: Value = serde_json::from_slice(&encoded.body).unwrap();
        prop_assert_eq!(without_nulls(&written), without_nulls(&body));
    }
}
