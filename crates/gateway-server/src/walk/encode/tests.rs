//! What a fallback sets stands in the body, and the rest stays.

use bytes::Bytes;
use serde_json::{Value, json};

use super::overlaid;

fn with(body: &str, params: &Value) -> String {
    let body = overlaid(&Bytes::copy_from_slice(body.as_bytes()), params.as_object().unwrap()).unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

#[test]
fn members_are_replaced_and_added() {
    let body =
        with(r#"{"model":"a","temperature":1.0,"x":[1]}"#, &json!({ "temperature": 0.5, "top_p": 0.9 }));
    assert_eq!(body, r#"{"model":"a","temperature":0.5,"x":[1],"top_p":0.9}"#);
}

#[test]
fn a_fallback_cannot_turn_a_whole_answer_into_a_stream() {
    assert_eq!(with(r#"{"model":"a"}"#, &json!({ "stream": true })), r#"{"model":"a"}"#);
    assert_eq!(with(r#"{"stream":true}"#, &json!({ "stream": false })), r#"{"stream":true}"#);
}

#[test]
fn what_is_no_object_is_refused() {
    let error = overlaid(&Bytes::from_static(b"[]"), &serde_json::Map::new()).unwrap_err();
    assert_eq!(error.kind(), llm_types::ErrorKind::BadRequest);
}
