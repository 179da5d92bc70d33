//! Counting tokens.

use llm_types::ErrorKind;
use serde_json::{Value, json};

use super::{CountTokens, Counted};
use crate::dialects::gemini::tests::target;

fn asked(body: &Value) -> CountTokens {
    CountTokens::read(body.to_string().as_bytes()).unwrap()
}

#[test]
fn both_forms_are_sent_with_the_targets_model() {
    let target = target("gemini-2.5-flash");
    let plain = asked(&json!({ "contents": [{ "parts": [{ "text": "Hi" }] }] })).encode(&target);
    assert_eq!(plain.path, "/models/gemini-2.5-flash:countTokens");
    let body: Value = serde_json::from_slice(&plain.body).unwrap();
    assert_eq!(body, json!({ "contents": [{ "parts": [{ "text": "Hi" }] }] }));
    let whole = asked(&json!({ "generateContentRequest": { "model": "models/any", "contents": [] } }));
    let body: Value = serde_json::from_slice(&whole.encode(&target).body).unwrap();
    assert_eq!(body["generateContentRequest"]["model"], "models/gemini-2.5-flash");
}

#[test]
fn an_estimate_counts_texts_and_says_that_it_is_one() {
    let text = "x".repeat(400);
    let counted = asked(&json!({ "contents": [{ "role": "user", "parts": [
        { "text": text }, { "inlineData": { "mimeType": "", "data": "A".repeat(9999) } }] }] }))
    .estimate();
    assert_eq!(counted, Counted { total: 100, estimated: true });
}

#[test]
fn answers_are_read_and_written() {
    let counted = Counted::read(br#"{"totalTokens": 42}"#).unwrap();
    assert_eq!(counted, Counted { total: 42, estimated: false });
    let shown: Value = serde_json::from_slice(&counted.write()).unwrap();
    assert_eq!(shown["totalTokens"], 42);
    assert_eq!(Counted::read(b"{}").unwrap_err().kind(), ErrorKind::BadUpstream);
    assert_eq!(CountTokens::read(b"{}").unwrap_err().param(), Some("contents"));
}
