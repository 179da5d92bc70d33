//! Forwarded bodies differ where they must and nowhere else.

use serde_json::json;

use super::super::glance::glance;
use super::super::tests::target;
use super::*;

fn check(body: &'static str, target: &Target, expect: &str) {
    let body = Bytes::from_static(body.as_bytes());
    let encoded = forward(&body, &glance(&body).unwrap(), target).unwrap();
    assert_eq!(encoded.body, expect);
    assert_eq!(encoded.path, "/v1/messages");
    assert_eq!(encoded.headers[VERSION_HEADER], "2023-06-01");
}

#[test]
fn an_unchanged_body_is_the_same_bytes() {
    let body = Bytes::from_static(br#"{ "model" : "m", "messages": [], "thinking": {"type": "new"} }"#);
    let encoded = forward(&body, &glance(&body).unwrap(), &target("m")).unwrap();
    assert_eq!(encoded.body.as_ptr(), body.as_ptr());
    assert_eq!(encoded.body, body);
}

#[test]
fn only_the_models_name_changes() {
    check(r#"{ "model" : "a", "x": 1.0 }"#, &target("claude"), r#"{ "model" : "claude", "x": 1.0 }"#);
    check(r#"{"x":1}"#, &target("claude"), r#"{"x":1,"model":"claude"}"#);
}

#[test]
fn members_for_the_gateway_go_no_further() {
    check(
        r#"{"litellm_metadata":{"a":1},"model":"m","metadata":{"user_id":"u"},"user":"v","num_retries":2}"#,
        &target("m"),
        r#"{"model":"m","metadata":{"user_id":"u"}}"#,
    );
}

#[test]
fn the_targets_settings_fill_gaps_and_drop() {
    let mut target = target("m");
    target.defaults.insert("max_tokens".to_owned(), json!(5));
    target.defaults.insert("temperature".to_owned(), json!(0.5));
    target.policy.always_drop = vec!["top_k".to_owned()];
    check(
        r#"{"model":"m","top_k":3,"temperature":1}"#,
        &target,
        r#"{"model":"m","temperature":1,"max_tokens":5}"#,
    );
}

#[test]
fn the_version_of_october_2026_takes_no_sampling_defaults() {
    let refused = |version: &'static str| {
        let mut caller = HeaderMap::new();
        caller.insert(VERSION_HEADER, http::HeaderValue::from_static(version));
        refused_defaults(&caller)
    };
    assert!(refused_defaults(&HeaderMap::new()).is_empty());
    assert!(refused("2023-06-01").is_empty());
    assert_eq!(refused("2026-10-21"), ["temperature", "top_k", "top_p"]);
}
