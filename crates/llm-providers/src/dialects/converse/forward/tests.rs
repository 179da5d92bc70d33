//! The caller's bytes, patched only where they must be.

use bytes::Bytes;
use serde_json::{Value, json};

use super::forward;
use crate::dialect::Dialect;
use crate::dialects::converse::Converse;
use crate::dialects::converse::tests::target;
use crate::{Encoded, Target};

const BODY: &str = r#"{ "messages":[{"role":"user","content":[{"text":"é\u00e9"}]}],
  "inferenceConfig" : {"temperature":0.50} , "new":1.0 }"#;

fn forwarded(body: &str, stream: bool, target: &Target) -> Encoded {
    let body = Bytes::copy_from_slice(body.as_bytes());
    let mut glance = Converse.glance(&body).unwrap();
    glance.stream = stream;
    forward(&body, &glance, target).unwrap()
}

#[test]
fn without_settings_the_bytes_are_the_same() {
    let encoded = forwarded(BODY, false, &target("us.amazon.nova-pro-v1:0"));
    assert_eq!(encoded.body, BODY);
    assert_eq!(encoded.path, "/model/us.amazon.nova-pro-v1%3A0/converse");
    assert!(encoded.headers.is_empty());
}

#[test]
fn the_path_holds_the_model_and_the_stream() {
    let arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/ab.c_d~e";
    assert_eq!(
        forwarded(BODY, true, &target(arn)).path,
        "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fab.c_d~e\
         /converse-stream"
    );
}

#[test]
fn members_for_the_gateway_are_removed() {
    let body = r#"{"tags":["a"],"messages":[],"num_retries":3}"#;
    assert_eq!(forwarded(body, false, &target("m")).body, r#"{"messages":[]}"#);
}

#[test]
fn defaults_go_where_the_dialect_has_them_and_the_rest_stays() {
    let mut target = target("m");
    let defaults = json!({
        "temperature": 0.9, "max_tokens": 50, "stop": "X", "top_k": 5, "service_tier": "flex",
        "guardrailConfig": { "guardrailIdentifier": "g" }, "additionalModelRequestFields": { "a": 1 },
        "messages": [], "stream": true,
    });
    target.defaults = defaults.as_object().unwrap().clone();
    let encoded = forwarded(BODY, false, &target);
    let text = String::from_utf8(encoded.body.to_vec()).unwrap();
    assert!(text.contains(r#"[{"text":"é\u00e9"}]"#) && text.contains(r#""new":1.0"#), "{text}");
    let body: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        body["inferenceConfig"],
        json!({ "temperature": 0.5, "maxTokens": 50, "stopSequences": ["X"] })
    );
    assert_eq!(body["additionalModelRequestFields"], json!({ "top_k": 5, "a": 1 }));
    assert_eq!(body["serviceTier"], json!({ "type": "flex" }));
    assert_eq!(body["guardrailConfig"], json!({ "guardrailIdentifier": "g" }));
    assert_eq!(body["messages"].as_array().unwrap().len(), 1);
}

#[test]
fn dropped_parameters_are_taken_out() {
    let mut target = target("m");
    target.policy.always_drop = vec!["temperature".into(), "service_tier".into(), "top_k".into()];
    let body = r#"{"messages":[],"serviceTier":{"type":"flex"},"inferenceConfig":{"temperature":1,"maxTokens":5},
        "additionalModelRequestFields":{"top_k":1,"b":2}}"#;
    let body: Value = serde_json::from_slice(&forwarded(body, false, &target).body).unwrap();
    assert_eq!(
        body,
        json!({ "messages": [], "inferenceConfig": { "maxTokens": 5 }, "additionalModelRequestFields": { "b": 2 } })
    );
}
