//! A caller's request read, and written for a provider of this dialect, says all it said.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{CLAUDE, target, without_nulls};
use crate::dialect::Dialect;
use crate::dialects::converse::Converse;

fn words() -> impl Strategy<Value = String> {
    "[a-zA-Zäß\"\\\\ ]{0,8}[a-z]"
}

/// A block and, sometimes, a cache point behind it.
fn marked(block: impl Strategy<Value = Value>) -> impl Strategy<Value = Vec<Value>> {
    let points = vec![
        json!({ "cachePoint": { "type": "default" } }),
        json!({ "cachePoint": { "type": "default", "ttl": "5m" } }),
        json!({ "cachePoint": { "type": "default", "ttl": "1h" } }),
    ];
    (block, prop::option::of(prop::sample::select(points)))
        .prop_map(|(block, point)| [block].into_iter().chain(point).collect())
}

fn text() -> impl Strategy<Value = Value> {
    words().prop_map(|text| json!({ "text": text }))
}

fn media() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!({ "image": { "format": "png", "source": { "bytes": "iVBO" } } }),
        json!({ "image": { "format": "jpeg", "source": { "s3Location": { "uri": "s3://b/a.jpg", "bucketOwner": "123456789012" } } } }),
        json!({ "document": { "format": "pdf", "name": "A paper", "source": { "bytes": "JVBERi0" }, "context": "c",
            "citations": { "enabled": true } } }),
        json!({ "document": { "format": "txt", "name": "n", "source": { "text": "plain" } } }),
        json!({ "document": { "format": "txt", "name": "n", "source": { "content": [{ "text": "a" }, { "text": "b" }] } } }),
        json!({ "document": { "format": "xlsx", "name": "n", "source": { "bytes": "AAAA" } } }),
        json!({ "video": { "format": "three_gp", "source": { "s3Location": { "uri": "s3://b/a.3gp" } } } }),
        json!({ "video": { "format": "mkv", "source": { "bytes": "AAAA" } } }),
        json!({ "guardContent": { "text": { "text": "g", "qualifiers": ["query"] } } }),
        json!({ "searchResult": { "source": "s", "title": "t", "content": [{ "text": "x" }] } }),
    ])
}

fn said_by_model() -> impl Strategy<Value = Value> {
    prop_oneof![
        text(),
        words().prop_map(|text| json!({ "reasoningContent": { "reasoningText": { "text": text, "signature": "sig" } } })),
        Just(json!({ "reasoningContent": { "redactedContent": "eHg=" } })),
        words().prop_map(|text| json!({ "toolUse": { "toolUseId": "t_1", "name": "n", "input": { "a": text, "n": [1, null, 2.5] } } })),
        Just(json!({ "toolUse": { "toolUseId": "s", "name": "nova_grounding", "input": {}, "type": "server_tool_use" } })),
        words().prop_map(|text| json!({ "citationsContent": { "content": [{ "text": text }],
            "citations": [{ "title": "t", "location": { "web": { "url": "https://e.org" } } }] } })),
    ]
}

fn result() -> impl Strategy<Value = Value> {
    let status = prop::option::of(prop::sample::select(vec!["success", "error"]));
    (prop::collection::vec(prop_oneof![text(), media()], 1..3), status).prop_map(|(content, status)| {
        json!({ "toolResult": { "toolUseId": "t_1", "content": content, "status": status } })
    })
}

/// Turns that alternate, results before all else.
fn messages() -> impl Strategy<Value = Vec<Value>> {
    let user = (
        prop::collection::vec(marked(result()), 0..3),
        prop::collection::vec(marked(prop_oneof![text(), media()]), 1..4),
    );
    let model = (prop::collection::vec(marked(said_by_model()), 1..4), text());
    let turn = (user, model).prop_map(|((results, more), (said, last))| {
        let user: Vec<Value> = results.into_iter().chain(more).flatten().collect();
        let model: Vec<Value> = said.into_iter().flatten().chain([last]).collect();
        [json!({ "role": "user", "content": user }), json!({ "role": "assistant", "content": model })]
    });
    prop::collection::vec(turn, 1..4).prop_map(|turns| turns.into_iter().flatten().collect())
}

/// Top-level members, each there or not.
fn members() -> impl Strategy<Value = Map<String, Value>> {
    let all = [
        ("system", json!([{ "text": "s" }, { "cachePoint": { "type": "default" } }, { "text": "t" }])),
        ("additionalModelRequestFields", json!({ "top_k": 7, "anthropic_beta": ["b"], "new": { "a": 1 } })),
        (
            "guardrailConfig",
            json!({ "guardrailIdentifier": "g", "guardrailVersion": "1", "trace": "enabled" }),
        ),
        ("performanceConfig", json!({ "latency": "optimized" })),
        ("promptVariables", json!({ "v": { "text": "x" } })),
        ("requestMetadata", json!({ "team": "a b", "cost:centre": "42" })),
        ("serviceTier", json!({ "type": "flex" })),
        ("outputConfig", json!({ "effort": "high" })),
        ("additionalModelResponseFieldPaths", json!(["/stop_sequence"])),
        ("fieldOfNextYear", json!([1, { "a": 2 }])),
    ];
    prop::collection::vec(any::<bool>(), all.len()).prop_map(move |chosen| {
        let chosen = all.iter().zip(chosen).filter(|(_, chosen)| *chosen);
        chosen.map(|((name, value), _)| ((*name).to_owned(), value.clone())).collect()
    })
}

fn tools() -> Value {
    json!({
        "tools": [
            { "toolSpec": { "name": "n", "description": "d", "strict": true,
                "inputSchema": { "json": { "type": "object", "properties": { "a": { "type": "string" } } } } } },
            { "cachePoint": { "type": "default" } },
            { "systemTool": { "name": "nova_grounding" } },
        ],
        "toolChoice": { "tool": { "name": "n" } },
    })
}

/// What asking Claude for an effort adds.
fn without_effort(value: &Value) -> Value {
    let mut value = without_nulls(value);
    let map = value.as_object_mut().unwrap();
    if let Some(Value::Object(added)) = map.get_mut("additionalModelRequestFields") {
        added.remove("thinking");
        if added.is_empty() {
            map.remove("additionalModelRequestFields");
        }
    }
    map.remove("additionalModelResponseFieldPaths");
    map.get_mut("inferenceConfig").unwrap().as_object_mut().unwrap().remove("maxTokens");
    map["toolConfig"].as_object_mut().unwrap().remove("toolChoice");
    value
}

proptest! {
    #[test]
    fn nothing_is_lost(messages in messages(), mut body in members()) {
        body.insert("inferenceConfig".to_owned(), json!({ "maxTokens": 2000, "temperature": 0.25, "topP": 0.5, "stopSequences": ["\n", "END"] }));
        body.insert("toolConfig".to_owned(), tools());
        body.insert("messages".to_owned(), Value::Array(messages));
        let has_effort = body.contains_key("outputConfig");
        let body = Value::Object(body);
        let request = Converse.decode_request(body.to_string().as_bytes()).unwrap();
        let encoded = Converse.encode_request(&request, &target(CLAUDE)).unwrap();
        let written: Value = serde_json::from_slice(&encoded.body).unwrap();
        if has_effort {
            prop_assert_eq!(without_effort(&written), without_effort(&body));
        } else {
            prop_assert_eq!(without_nulls(&written), without_nulls(&body));
        }
    }
}
