//! What callers may add, what they may not, and whose word counts.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use llm_providers::{Auth, ParamPolicy, ProviderSpec, Registry, Target};
use llm_types::{ErrorKind, Timeouts};
use serde_json::{Map, Value, json};

use super::{Extras, FRAMING, RECKONED, SIGN_IN};

const KEY_HEADER: HeaderName = HeaderName::from_static("x-team-key");

fn headers_of(given: Value) -> llm_types::Result<Extras> {
    let mut extras = Extras::default();
    extras.read_headers(given, Some(&KEY_HEADER)).map(|()| extras)
}

fn members_of(given: Value) -> llm_types::Result<Extras> {
    let mut extras = Extras::default();
    extras.read_members(given).map(|()| extras)
}

fn target(auth: Auth) -> Target {
    let spec = Registry::built_in().all().first().unwrap().as_ref().clone();
    let mut headers = HeaderMap::new();
    headers.insert("x-front-door", HeaderValue::from_static("operator"));
    Target {
        spec: Arc::new(ProviderSpec { auth, ..spec }),
        model: "m".to_owned(),
        base_url: "https://provider.example".to_owned(),
        key: None,
        headers,
        defaults: Map::new(),
        policy: ParamPolicy::default(),
        timeouts: Timeouts::default(),
        cloud: None,
    }
}

#[test]
fn headers_that_sign_in_or_frame_are_refused_by_name() {
    let clouds = ["x-amz-security-token", "X-Goog-User-Project", "x-litellm-tags", "X-Team-Key"];
    for name in SIGN_IN.into_iter().chain(FRAMING).chain(clouds).chain(["Authorization", "HOST"]) {
        let error = headers_of(json!({"x-custom": "1", name: "v"})).unwrap_err();
        let param = format!("extra_headers.{name}");
        assert_eq!(error.kind(), ErrorKind::BadRequest);
        assert_eq!(error.message(), format!("`{param}` may not be set by callers; leave it out"));
        assert_eq!(error.param(), Some(param.as_str()));
    }
}

#[test]
fn what_is_no_header_is_refused() {
    for given in [
        json!({"x-a": 1}),
        json!({"x a": "1"}),
        json!({"x-a": "1\r\nauthorization: Bearer sk-1"}),
        json!({"x-a\r\nhost": "1"}),
        json!({":path": "/"}),
        json!(["x-a"]),
        json!("x-a"),
    ] {
        assert_eq!(headers_of(given.clone()).unwrap_err().kind(), ErrorKind::BadRequest, "{given}");
    }
    assert!(headers_of(Value::Null).unwrap().headers.is_empty());
}

#[test]
fn headers_reach_the_provider_unless_the_operator_set_them() {
    let extras =
        headers_of(json!({"X-Custom": "1", "x-front-door": "caller", "x-own-auth": "caller"})).unwrap();
    let mut sent = HeaderMap::new();
    sent.insert("x-front-door", HeaderValue::from_static("operator"));
    sent.insert("x-own-auth", HeaderValue::from_static("secret"));
    extras.add_headers(&target(Auth::Header(Cow::Borrowed("x-own-auth"))), &mut sent);
    assert_eq!(sent["x-custom"], "1");
    assert_eq!(sent["x-front-door"], "operator");
    assert_eq!(sent["x-own-auth"], "secret");
}

#[test]
fn members_that_are_reckoned_with_are_refused_by_name() {
    for name in RECKONED {
        let error = members_of(json!({"custom": 1, name: 5})).unwrap_err();
        let message = format!("`extra_body.{name}` may not be set; give `{name}` in the request itself");
        assert_eq!((error.kind(), error.message()), (ErrorKind::BadRequest, message.as_str()));
    }
    assert_eq!(members_of(json!([1])).unwrap_err().message(), "`extra_body`: expected an object");
}

#[test]
fn members_join_the_body_and_win() {
    let body = Bytes::from_static(br#"{"model":"m","seed":1,"messages":[]}"#);
    let extras = members_of(json!({"seed": 2, "custom": {"a": 1}})).unwrap();
    let sent = extras.body(body.clone()).unwrap();
    assert_eq!(sent, r#"{"model":"m","seed":2,"messages":[],"custom":{"a":1}}"#);
    let unchanged = Extras::default().body(body.clone()).unwrap();
    assert_eq!(unchanged.as_ptr(), body.as_ptr());
}
