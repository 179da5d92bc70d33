//! Counting is converted exactly, both ways.

use serde_json::{Value, json};

use super::*;

fn read(wire: &Value) -> Option<Usage> {
    serde_json::from_value::<WireUsage>(wire.clone()).unwrap().canonical()
}

fn written(usage: &Usage) -> Value {
    let mut out = Vec::new();
    crate::write::object(&mut out, |object| write(object, usage));
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn cached_tokens_count_as_input() {
    let wire = json!({
        "input_tokens": 3, "cache_creation_input_tokens": 100, "cache_read_input_tokens": 2000,
        "cache_creation": { "ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 40 },
        "output_tokens": 50, "output_tokens_details": { "thinking_tokens": 20 },
        "server_tool_use": { "web_search_requests": 2 },
        "service_tier": "priority", "inference_geo": "us", "speed": "fast",
    });
    let usage = read(&wire).unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (2103, 50));
    assert_eq!((usage.cache_read_tokens, usage.cache_write_tokens), (Some(2000), Some(100)));
    assert_eq!((usage.cache_write_5m_tokens, usage.cache_write_1h_tokens), (Some(60), Some(40)));
    assert_eq!((usage.reasoning_tokens, usage.web_searches), (Some(20), Some(2)));
    assert_eq!(usage.inference_geo.as_deref(), Some("us"));
    assert_eq!(written(&usage), wire);
}

#[test]
fn a_record_without_counts_is_no_usage() {
    assert_eq!(read(&json!({})), None);
    assert_eq!(read(&json!({ "service_tier": "standard", "input_tokens": null })), None);
}

#[test]
fn compaction_is_counted_although_the_totals_leave_it_out() {
    let usage = read(&json!({
        "input_tokens": 181, "cache_read_input_tokens": 0, "output_tokens": 8,
        "iterations": [
            { "type": "compaction", "input_tokens": 100, "output_tokens": 83, "cache_read_input_tokens": 55096 },
            { "type": "message", "input_tokens": 181, "output_tokens": 8 },
        ],
    }));
    let usage = usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (181 + 100 + 55096, 91));
    assert_eq!(usage.cache_read_tokens, Some(55096));
}

#[test]
fn later_records_complete_earlier_ones() {
    let mut usage: WireUsage = serde_json::from_value(json!({
        "input_tokens": 10, "cache_read_input_tokens": 7, "output_tokens": 1, "service_tier": "standard",
    }))
    .unwrap();
    usage.update(serde_json::from_value(json!({ "output_tokens": 5 })).unwrap());
    let total = usage.canonical().unwrap();
    assert_eq!((total.input_tokens, total.output_tokens, total.cache_read_tokens), (17, 5, Some(7)));
    usage.update(serde_json::from_value(json!({ "input_tokens": 0, "output_tokens": 9 })).unwrap());
    let total = usage.canonical().unwrap();
    assert_eq!((total.input_tokens, total.output_tokens), (17, 9));
    // A record that counts the prompt anew is taken as it is.
    let anew = json!({ "input_tokens": 12, "cache_read_input_tokens": 0, "output_tokens": 9 });
    usage.update(serde_json::from_value(anew).unwrap());
    assert_eq!(usage.canonical().unwrap().input_tokens, 12);
    assert_eq!(total.service_tier.as_deref(), Some("standard"));
}
