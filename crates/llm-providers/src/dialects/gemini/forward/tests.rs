//! The caller's bytes, patched only where it must be.

use bytes::Bytes;
use serde_json::{Value, json};

use super::forward;
use crate::dialect::Dialect;
use crate::dialects::gemini::Gemini;
use crate::dialects::gemini::tests::target;

fn sent(body: &'static str, change: impl FnOnce(&mut crate::Target)) -> String {
    let body = Bytes::from_static(body.as_bytes());
    let mut target = target("gemini-2.5-flash");
    change(&mut target);
    let glance = Gemini.glance(&body).unwrap();
    String::from_utf8(forward(&body, &glance, &target).unwrap().body.to_vec()).unwrap()
}

#[test]
fn bytes_stay_as_they_are() {
    let body = r#"{ "contents": [{"parts":[{"text":"Hi"}]}], "generation_config": {"top_k": 1.0}, "x": {} }"#;
    assert_eq!(sent(body, |_| {}), body);
}

#[test]
fn the_gateways_members_go_and_the_model_is_the_targets() {
    let body = r#"{"model":"models/any","contents":[],"tags":["a"],"litellm_metadata":{"b":1}}"#;
    assert_eq!(sent(body, |_| {}), r#"{"model":"models/gemini-2.5-flash","contents":[]}"#);
}

#[test]
fn defaults_fill_in_what_is_not_said() {
    let defaults = json!({ "temperature": 0.2, "max_tokens": 50, "safety_settings": [] });
    let with = |target: &mut crate::Target| {
        target.defaults = defaults.as_object().unwrap().clone();
        target.policy.always_drop.push("top_k".to_owned());
    };
    let said = sent(r#"{"contents":[],"generationConfig":{"max_output_tokens":7,"topK":3}}"#, with);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["generationConfig"], json!({ "max_output_tokens": 7, "temperature": 0.2 }));
    assert_eq!(said["safety_settings"], json!([]));
    let said: Value = serde_json::from_str(&sent(r#"{"contents":[]}"#, with)).unwrap();
    assert_eq!(said["generationConfig"], json!({ "temperature": 0.2, "maxOutputTokens": 50 }));
}
