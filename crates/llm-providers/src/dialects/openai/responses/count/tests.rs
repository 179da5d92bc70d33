//! Counts are asked for, read and estimated.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{encode, estimate, read, write};
use crate::Quirks;
use crate::dialect::Dialect;
use crate::dialects::openai::responses::tests::{DIALECT, target};

#[test]
fn a_provider_is_asked_with_the_callers_bytes() {
    let body = Bytes::from_static(br#"{ "model": "mine", "input": "hi" }"#);
    let glance = DIALECT.glance(&body).unwrap();
    let sent = encode(&body, &glance, &target("theirs", Quirks::NONE)).unwrap();
    assert_eq!(sent.path, "/responses/input_tokens");
    assert_eq!(sent.body, br#"{ "model": "theirs", "input": "hi" }"#.as_slice());
}

#[test]
fn answers_are_read_and_written() {
    assert_eq!(read(br#"{"object":"response.input_tokens","input_tokens":7}"#).unwrap(), 7);
    assert!(read(b"{}").is_err() && read(b"x").is_err());
    let shown: Value = serde_json::from_slice(&write(7)).unwrap();
    assert_eq!(shown, json!({"object": "response.input_tokens", "input_tokens": 7}));
}

#[test]
fn an_estimate_grows_with_what_is_said() {
    let of = |body: Value| estimate(&serde_json::to_vec(&body).unwrap());
    let short = of(json!({"model": "m", "input": "hi"})).unwrap();
    let long =
        of(json!({"model": "m", "input": "hi there, how are you?", "instructions": "Be brief."})).unwrap();
    assert!(0 < short && short < long, "{short} {long}");
    assert!(of(json!({"model": "m", "input": 7})).is_err());
}
