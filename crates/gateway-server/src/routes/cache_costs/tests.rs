//! The marked beginning of a request.

use serde_json::{Map, Value, json};

use super::marked;

fn request(parts: &Value) -> Map<String, Value> {
    let body =
        json!({ "messages": [{ "role": "user", "content": parts }, { "role": "user", "content": "more" }] });
    body.as_object().expect("an object").clone()
}

#[test]
fn the_beginning_ends_at_the_last_mark() {
    let long = "x".repeat(4_000);
    let parts = json!([
        { "type": "text", "text": long, "cache_control": { "type": "ephemeral" } },
        { "type": "text", "text": long, "cache_control": { "type": "ephemeral", "ttl": "1h" } },
        { "type": "text", "text": long },
    ]);
    let found = marked(&request(&parts), "group").expect("a request").expect("a mark");
    assert_eq!((found.tokens, found.all_tokens, found.an_hour), (2_000, 3_001, true));
    assert_eq!(found.request.model, "group");
    let plain = json!([{ "type": "text", "text": "hi" }]);
    assert!(marked(&request(&plain), "group").expect("a request").is_none());
}
