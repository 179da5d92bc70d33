//! Errors, both ways.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode};
use llm_types::{Error, ErrorKind, Retry};
use serde_json::{Value, json};

use super::{decode, encode, in_stream, stated};

fn read(status: u16, body: &Value) -> Error {
    decode(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.to_string().as_bytes())
}

fn body(code: u16, status: &str, message: &str) -> Value {
    json!({ "error": { "code": code, "message": message, "status": status } })
}

#[test]
fn kinds_follow_status_and_words() {
    for (code, status, message, expected) in [
        (400, "INVALID_ARGUMENT", "bad", ErrorKind::BadRequest),
        (
            400,
            "INVALID_ARGUMENT",
            "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
            ErrorKind::ContextTooLong,
        ),
        (401, "UNAUTHENTICATED", "no", ErrorKind::Unauthenticated),
        (403, "PERMISSION_DENIED", "no", ErrorKind::Forbidden),
        (404, "NOT_FOUND", "no", ErrorKind::NotFound),
        (429, "RESOURCE_EXHAUSTED", "slow down", ErrorKind::RateLimited),
        (500, "INTERNAL", "oops", ErrorKind::BadUpstream),
        (503, "UNAVAILABLE", "busy", ErrorKind::Overloaded),
        (504, "DEADLINE_EXCEEDED", "late", ErrorKind::Timeout),
    ] {
        let error = read(code, &body(code, status, message));
        assert_eq!((error.kind(), error.message(), error.vendor_type()), (expected, message, Some(status)));
        assert_eq!(in_stream(&body(code, status, message)).kind(), expected, "{status} in a stream");
    }
}

#[test]
fn a_refused_key_is_told_by_its_reason() {
    let mut said = body(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.");
    said["error"]["details"] = json!([{ "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "API_KEY_INVALID", "domain": "googleapis.com" }]);
    let error = read(400, &said);
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unauthenticated, Retry::Elsewhere));
}

#[test]
fn the_wait_is_the_bodys_else_the_headers() {
    let mut said = body(429, "RESOURCE_EXHAUSTED", "slow down");
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", HeaderValue::from_static("9"));
    let wait = |said: &Value, headers: &HeaderMap| {
        decode(StatusCode::TOO_MANY_REQUESTS, headers, said.to_string().as_bytes()).retry()
    };
    assert_eq!(wait(&said, &headers), Retry::After(Duration::from_secs(9)));
    said["error"]["details"] =
        json!([{ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3.5s" }]);
    assert_eq!(wait(&said, &headers), Retry::After(Duration::from_millis(3500)));
}

#[test]
fn lists_and_other_shapes_are_understood() {
    let listed = json!([body(404, "NOT_FOUND", "no model")]);
    assert_eq!(read(404, &listed).message(), "no model");
    assert!(stated(&listed).is_some() && stated(&json!({ "candidates": [] })).is_none());
    let plain = decode(StatusCode::BAD_GATEWAY, &HeaderMap::new(), b"<html>");
    assert_eq!(plain.message(), "provider answered status 502: <html>");
}

#[test]
fn callers_get_a_status_with_its_details() {
    let error =
        Error::new(ErrorKind::RateLimited, "slow down").with_retry(Retry::After(Duration::from_secs(7)));
    let (status, shown) = encode(&error);
    let shown: Value = serde_json::from_slice(&shown).unwrap();
    assert_eq!(status, 429);
    assert_eq!(shown["error"]["status"], "RESOURCE_EXHAUSTED");
    assert_eq!(shown["error"]["code"], 429);
    assert_eq!(shown["error"]["details"][0]["retryDelay"], "7s");
    // What is written is read the same.
    assert_eq!(read(429, &shown).retry(), Retry::After(Duration::from_secs(7)));

    let (status, shown) = encode(&Error::bad_param("contents[0].role", "wrong role"));
    let shown: Value = serde_json::from_slice(&shown).unwrap();
    assert_eq!((status.as_u16(), &shown["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
    assert_eq!(shown["error"]["details"][0]["fieldViolations"][0]["field"], "contents[0].role");
}
