//! A finished reply told as a stream.

use bytes::BytesMut;
use serde_json::{Value, json};

use super::replay;

fn told(after: Option<u64>) -> Vec<Value> {
    let reply = json!({"id": "resp_1", "status": "completed", "output": [{"type": "message"}], "usage": {"input_tokens": 1}});
    let mut out = BytesMut::new();
    replay(&reply, after, &mut out);
    let text = String::from_utf8(out.to_vec()).unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

#[test]
fn a_replay_begins_tells_every_item_and_ends() {
    let events = told(None);
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["response.created", "response.output_item.added", "response.output_item.done", "response.completed"]
    );
    assert_eq!(events[0]["response"]["output"], json!([]));
    assert_eq!(events[3]["response"]["usage"]["input_tokens"], 1);
    let numbers: Vec<u64> = events.iter().map(|event| event["sequence_number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [0, 1, 2, 3]);
}

#[test]
fn a_replay_goes_on_behind_what_was_seen() {
    let events = told(Some(2));
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["sequence_number"], 3);
}
