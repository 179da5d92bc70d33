//! Providers' errors as they were recorded, and our own as callers see them.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue, StatusCode};
use llm_types::{Error, ErrorKind, Retry};
use serde_json::{Value, json};

use super::{date, decode, encode, wait};

fn read(status: u16, body: &str) -> Error {
    decode(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes())
}

#[test]
fn status_decides_unless_words_say_more() {
    let openai = |message: &str, kind: &str, code: &str| {
        json!({"error": {"message": message, "type": kind, "param": null, "code": code}}).to_string()
    };
    let context = "This model's maximum context length is 8192 tokens.";
    for (status, body, kind) in [
        (400, openai("bad", "invalid_request_error", ""), ErrorKind::BadRequest),
        (401, openai("no", "invalid_request_error", "invalid_api_key"), ErrorKind::Unauthenticated),
        (403, openai("no", "x", ""), ErrorKind::Forbidden),
        (404, openai("no", "x", "model_not_found"), ErrorKind::NotFound),
        (408, openai("late", "x", ""), ErrorKind::Timeout),
        (409, openai("clash", "x", ""), ErrorKind::BadRequest),
        (413, openai("big", "x", ""), ErrorKind::BadRequest),
        (422, openai("odd", "x", ""), ErrorKind::BadRequest),
        (429, openai("slow down", "x", ""), ErrorKind::RateLimited),
        (429, openai("pay", "insufficient_quota", "insufficient_quota"), ErrorKind::QuotaExceeded),
        (402, openai("pay", "x", ""), ErrorKind::QuotaExceeded),
        (500, openai("boom", "server_error", ""), ErrorKind::BadUpstream),
        (502, "<html>bad gateway</html>".to_owned(), ErrorKind::BadUpstream),
        (503, String::new(), ErrorKind::Overloaded),
        (504, String::new(), ErrorKind::Timeout),
        (529, String::new(), ErrorKind::Overloaded),
        (400, openai(context, "invalid_request_error", "context_length_exceeded"), ErrorKind::ContextTooLong),
        (400, openai("the request exceeds the available context size", "x", ""), ErrorKind::ContextTooLong),
        (
            400,
            openai("prompt too long; exceeded max context length by 11 tokens", "x", ""),
            ErrorKind::ContextTooLong,
        ),
        (400, openai("current length is 9 while limit is 8", "x", ""), ErrorKind::ContextTooLong),
        (400, openai("no", "invalid_request_error", "content_policy_violation"), ErrorKind::ContentFiltered),
        (
            400,
            openai("filtered: triggering content management policy", "x", "content_filter"),
            ErrorKind::ContentFiltered,
        ),
        (400, openai("You hit the rate limit", "x", ""), ErrorKind::RateLimited),
    ] {
        assert_eq!(read(status, &body).kind(), kind, "{status} {body}");
    }
}

/// Shapes recorded from Mistral, xAI, FastAPI servers, Gemini's OpenAI endpoint and OpenRouter.
#[test]
fn every_recorded_shape_gives_its_message_and_code() {
    for (body, message, code) in [
        (
            r#"{"object":"error","message":"Service unavailable.","type":"t","param":null,"code":"1000"}"#,
            "Service unavailable.",
            Some("1000"),
        ),
        (
            r#"{"code":"not found","error":"The model is deprecated"}"#,
            "The model is deprecated",
            Some("not found"),
        ),
        (r#"{"detail":"Not allowed"}"#, "Not allowed", None),
        (r#"{"detail":[{"loc":["body"]}]}"#, r#"[{"loc":["body"]}]"#, None),
        (
            r#"[{"error":{"code":400,"message":"API key not valid","status":"INVALID"}}]"#,
            "API key not valid",
            Some("400"),
        ),
        (
            r#"{"error":{"message":"Provider returned error","code":400,"metadata":{}}}"#,
            "Provider returned error",
            Some("400"),
        ),
        (r#"{"error":{"message":null}}"#, r#"{"error":{"message":null}}"#, None),
        ("plain words\n", "plain words", None),
        ("", "the provider answered 400 Bad Request without a body", None),
    ] {
        let error = read(400, body);
        assert_eq!((error.message(), error.code()), (message, code), "{body}");
        assert_eq!(error.status(), Some(StatusCode::BAD_REQUEST));
    }
}

#[test]
fn the_wait_is_read_in_seconds_milliseconds_and_as_a_date() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_792_567_680); // 2026-10-21 07:28:00
    for (name, value, expected) in [
        ("retry-after", "7", Some(Duration::from_secs(7))),
        ("retry-after", "0.5", Some(Duration::from_millis(500))),
        ("retry-after-ms", "250", Some(Duration::from_millis(250))),
        ("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT", Some(Duration::from_secs(30))),
        ("retry-after", "Wed, 21 Oct 2026 07:27:00 GMT", Some(Duration::ZERO)),
        ("retry-after", "soon", None),
        ("retry-after", "-1", None),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(http::HeaderName::from_static(name), HeaderValue::from_static(value));
        assert_eq!(wait(&headers, now), expected, "{name}: {value}");
    }
    assert_eq!(
        date("Thu, 29 Feb 2024 00:00:00 GMT"),
        Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_709_164_800))
    );
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", HeaderValue::from_static("3"));
    let limited = decode(StatusCode::TOO_MANY_REQUESTS, &headers, b"{}");
    assert_eq!(limited.retry(), Retry::After(Duration::from_secs(3)));
    let refused = decode(StatusCode::UNAUTHORIZED, &headers, b"{}");
    assert_eq!(refused.retry(), Retry::Never, "waiting does not make a key valid");
}

#[test]
fn errors_are_shown_with_the_status_as_a_text_code() {
    let error = Error::bad_param("messages[0].role", "`messages[0].role`: odd").with_code("inner");
    let (status, body) = encode(&error);
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(
        serde_json::from_slice::<Value>(&body).unwrap(),
        json!({"error": {"message": "`messages[0].role`: odd", "type": "invalid_request_error",
            "param": "messages[0].role", "code": "400"}})
    );
}
