//! Prompts and answers as rows keep them.

use bytes::Bytes;
use gateway_db::JsonMap;
use llm_providers::{DialectId, dialects};
use serde_json::{Value, json};

use super::{MOST, asked, streamed, whole};

fn kept(body: &Value, longest: usize) -> JsonMap {
    let mut row = JsonMap::new();
    asked(body.to_string().as_bytes(), longest, &mut row);
    row
}

#[test]
fn a_prompt_stands_apart_from_what_else_was_asked() {
    let body =
        json!({ "model": "m", "system": "Be brief.", "messages": [{ "role": "user", "content": "Hi" }] });
    let row = kept(&body, 100);
    let first = json!({ "role": "system", "content": "Be brief." });
    assert_eq!(row["messages"], json!([first, { "role": "user", "content": "Hi" }]));
    assert_eq!(row["proxy_server_request"], json!({ "model": "m" }));
    let row = kept(&json!({ "model": "m", "input": "Hi" }), 100);
    assert_eq!(row["messages"], "Hi");
    let mut none = JsonMap::new();
    asked(b"--boundary\r\n", 100, &mut none);
    assert!(none.is_empty());
}

#[test]
fn secrets_are_masked_by_name_and_by_look() {
    let secret = "sk-0123456789abcdefghij";
    let body = json!({
        "messages": [{ "role": "user", "content": format!("my key ({secret}), and risk-averse people") }],
        "extra_headers": { "x-any": "plain-but-ours" }, "metadata": { "db_password": "hunter2", "team": "a" },
    });
    let row = Value::Object(kept(&body, 2048));
    let text = row.to_string();
    assert!(
        !text.contains(secret) && !text.contains("plain-but-ours") && !text.contains("hunter2"),
        "{text}"
    );
    assert_eq!(row["messages"][0]["content"], "my key (****), and risk-averse people");
    assert_eq!(row["proxy_server_request"]["metadata"], json!({ "db_password": "****", "team": "a" }));
}

#[test]
fn what_is_long_is_cut_and_always_fits() {
    let row = kept(&json!({ "prompt": "abcdefghij".repeat(3) }), 9);
    assert_eq!(row["messages"], "abc ... 21 characters left out ... efghij");
    let turns: Vec<Value> =
        (0..400).map(|_| json!({ "role": "user", "content": "é".repeat(1_000) })).collect();
    let row = kept(&json!({ "messages": turns }), 2_048);
    let size = row["messages"].to_string().len();
    assert!(size <= MOST && row["messages"].as_array().is_some_and(|turns| turns.len() == 400), "{size}");
    let vast = json!({ "data": vec![vec![1; 600]; 600] }).to_string();
    assert!(whole(vast.as_bytes(), 2_048).unwrap().to_string().len() <= MOST);
    assert_eq!(whole(b"RIFF", 2_048), None);
}

#[test]
fn a_stream_is_kept_as_one_answer() {
    let frames = [
        json!({ "id": "c1", "model": "m", "choices": [{ "index": 0, "delta": { "role": "assistant", "content": "Hel" } }] }),
        json!({ "id": "c1", "model": "m", "choices": [{ "index": 0, "delta": { "content": "lo" } }] }),
        json!({ "id": "c1", "model": "m", "choices": [{ "index": 0, "delta": { "tool_calls": [
            { "index": 0, "id": "t1", "type": "function", "function": { "name": "look", "arguments": "{\"a\"" } }] } }] }),
        json!({ "id": "c1", "model": "m", "choices": [{ "index": 0, "delta": { "tool_calls": [
            { "index": 0, "function": { "arguments": ":1}" } }] } }] }),
    ];
    let pieces: Vec<Bytes> = frames.iter().map(|frame| Bytes::from(format!("data: {frame}\n\n"))).collect();
    let told = streamed(dialects::dialect(DialectId::OpenaiChat), &pieces, 2_048).unwrap();
    let message = &told["choices"][0]["message"];
    assert_eq!((&message["content"], &told["id"]), (&json!("Hello"), &json!("c1")));
    let function = &message["tool_calls"][0]["function"];
    assert_eq!(*function, json!({ "name": "look", "arguments": "{\"a\":1}" }));
    assert_eq!(streamed(dialects::dialect(DialectId::OpenaiChat), &[], 2_048), None);
}
