//! Counting: cache reads and writes are inside our prompt, beside the wire's.

use llm_types::Usage;
use serde_json::{Value, json};

use super::{WireUsage, add_details, write};
use crate::write as json_writer;

fn read(usage: Value) -> Option<Usage> {
    serde_json::from_value::<WireUsage>(usage).unwrap().canonical()
}

fn written(usage: &Usage) -> Value {
    let mut out = Vec::new();
    json_writer::object(&mut out, |body| write(body, usage));
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn the_cache_is_part_of_the_prompt() {
    let wire = json!({
        "inputTokens": 433, "outputTokens": 16, "totalTokens": 3201, "cacheReadInputTokens": 2752,
        "cacheWriteInputTokens": 0, "serverToolUsage": {},
    });
    let usage = read(wire.clone()).unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.total_tokens), (3185, 16, None));
    assert_eq!((usage.cache_read_tokens, usage.cache_write_tokens), (Some(2752), Some(0)));
    let mut expected = wire;
    expected.as_object_mut().unwrap().remove("serverToolUsage");
    assert_eq!(written(&usage), expected);
}

#[test]
fn lifetimes_of_what_was_written_are_kept_apart() {
    let wire = json!({
        "inputTokens": 1, "outputTokens": 2, "totalTokens": 33, "cacheWriteInputTokens": 30,
        "cacheDetails": [{ "ttl": "1h", "inputTokens": 10 }, { "ttl": "5m", "inputTokens": 20 }],
    });
    let usage = read(wire.clone()).unwrap();
    assert_eq!((usage.cache_write_1h_tokens, usage.cache_write_5m_tokens), (Some(10), Some(20)));
    assert_eq!(written(&usage), wire);
}

#[test]
fn a_total_of_its_own_is_kept() {
    let usage = read(json!({ "inputTokens": 3, "outputTokens": 4, "totalTokens": 9 })).unwrap();
    assert_eq!(usage.total(), 9);
    assert_eq!(read(json!({})), None);
}

#[test]
fn claude_tells_how_much_was_thinking() {
    let mut usage = Usage::default();
    add_details(&mut usage, &json!({ "usage": { "output_tokens_details": { "thinking_tokens": 12 } } }));
    assert_eq!(usage.reasoning_tokens, Some(12));
    add_details(&mut usage, &Value::Null);
    assert_eq!(usage.reasoning_tokens, Some(12));
}
