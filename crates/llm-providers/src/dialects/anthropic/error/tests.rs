//! Tables: what a provider's error is, and what a caller gets of each kind.

use std::time::Duration;

use http::header::RETRY_AFTER;
use serde_json::json;

use super::*;

fn check(status: u16, vendor_type: &str, message: &str, kind: ErrorKind) {
    let body = json!({ "type": "error", "error": { "type": vendor_type, "message": message } });
    let status = StatusCode::from_u16(status).unwrap();
    let error = decode(status, &HeaderMap::new(), body.to_string().as_bytes());
    assert_eq!(error.kind(), kind, "{status} {vendor_type}: {message}");
    assert_eq!((error.message(), error.status()), (message, Some(status)));
    assert_eq!(error.vendor_type(), Some(vendor_type));
}

#[test]
fn understands_the_vendors_errors() {
    check(400, "invalid_request_error", "max_tokens: Field required", ErrorKind::BadRequest);
    check(
        400,
        "invalid_request_error",
        "prompt is too long: 210000 tokens > 200000 maximum",
        ErrorKind::ContextTooLong,
    );
    check(
        400,
        "invalid_request_error",
        "input length and `max_tokens` exceed context limit: 1 + 2 > 2",
        ErrorKind::ContextTooLong,
    );
    check(
        400,
        "invalid_request_error",
        "Your credit balance is too low to access the API.",
        ErrorKind::QuotaExceeded,
    );
    check(
        400,
        "invalid_request_error",
        "Output blocked by content filtering policy",
        ErrorKind::ContentFiltered,
    );
    check(401, "authentication_error", "invalid x-api-key", ErrorKind::Unauthenticated);
    check(402, "billing_error", "pay", ErrorKind::QuotaExceeded);
    check(403, "permission_error", "no", ErrorKind::Forbidden);
    check(404, "not_found_error", "model: x", ErrorKind::NotFound);
    check(413, "request_too_large", "big", ErrorKind::TooLarge);
    check(422, "invalid_request_error", "bad", ErrorKind::BadRequest);
    check(429, "rate_limit_error", "slow down", ErrorKind::RateLimited);
    check(500, "api_error", "oops", ErrorKind::BadUpstream);
    check(503, "api_error", "later", ErrorKind::Overloaded);
    check(504, "timeout_error", "late", ErrorKind::Timeout);
    check(529, "overloaded_error", "Overloaded", ErrorKind::Overloaded);
    check(500, "overloaded_error", "Overloaded", ErrorKind::Overloaded);
}

#[test]
fn the_operators_key_or_model_may_be_right_elsewhere() {
    for status in [401, 403, 404] {
        let error = decode(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), b"{}");
        assert_eq!((error.retry(), error.origin()), (Retry::Elsewhere, Origin::Upstream), "{status}");
    }
}

#[test]
fn waits_as_long_as_the_provider_says() {
    let headers = HeaderMap::from_iter([(RETRY_AFTER, "7".parse().unwrap())]);
    let body = br#"{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}"#;
    let error = decode(StatusCode::TOO_MANY_REQUESTS, &headers, body);
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(7)));
    let error = decode(StatusCode::BAD_REQUEST, &headers, b"{}");
    assert_eq!(error.retry(), Retry::Never);
}

#[test]
fn reads_what_stands_before_the_vendor() {
    let read = |body: &[u8]| decode(StatusCode::BAD_GATEWAY, &HeaderMap::new(), body).message().to_owned();
    assert_eq!(read(b"<html>bad gateway</html>"), "provider answered status 502: <html>bad gateway</html>");
    assert_eq!(read(b""), "provider answered status 502 without a message");
    assert_eq!(read(br#"{"message":"no route"}"#), "no route");
    assert_eq!(read(br#"{"error":"no route"}"#), "no route");
    assert_eq!(read(br#"{"detail":"no route"}"#), "no route");
    let long = "ü".repeat(600);
    assert!(read(long.as_bytes()).len() < 600, "long pages are cut");
}

#[test]
fn an_error_in_a_stream_has_its_types_status() {
    let error = in_stream(
        &json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } }),
    );
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Overloaded, 529));
    let error = in_stream(&json!({ "type": "error", "error": { "type": "new_error", "message": "?" } }));
    assert_eq!((error.kind(), error.status()), (ErrorKind::BadUpstream, None));
}

#[test]
fn only_bodies_that_state_an_error_are_errors() {
    assert!(stated(&json!({ "type": "message", "content": [], "error": null })).is_none());
    assert!(stated(&json!({ "type": "error", "error": { "type": "api_error", "message": "m" } })).is_some());
    assert!(stated(&json!({ "error": { "message": "m" } })).is_some());
}

#[test]
fn every_kind_has_its_status_and_type() {
    let table = [
        (ErrorKind::BadRequest, 400, "invalid_request_error"),
        (ErrorKind::TooLarge, 413, "request_too_large"),
        (ErrorKind::ContextTooLong, 400, "invalid_request_error"),
        (ErrorKind::Unauthenticated, 401, "authentication_error"),
        (ErrorKind::Forbidden, 403, "permission_error"),
        (ErrorKind::NotFound, 404, "not_found_error"),
        (ErrorKind::Unsupported, 400, "invalid_request_error"),
        (ErrorKind::RateLimited, 429, "rate_limit_error"),
        (ErrorKind::QuotaExceeded, 402, "billing_error"),
        (ErrorKind::BudgetExceeded, 422, "billing_error"),
        (ErrorKind::ContentFiltered, 400, "invalid_request_error"),
        (ErrorKind::Overloaded, 529, "overloaded_error"),
        (ErrorKind::Timeout, 504, "timeout_error"),
        (ErrorKind::Unreachable, 502, "api_error"),
        (ErrorKind::BadUpstream, 502, "api_error"),
        (ErrorKind::Internal, 500, "api_error"),
    ];
    for (kind, status, name) in table {
        let (shown, body) = encode(&Error::new(kind, "what \"happened\""));
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(shown.as_u16(), status, "{kind:?}");
        assert_eq!(
            body,
            json!({ "type": "error", "error": { "type": name, "message": "what \"happened\"" } })
        );
    }
}

#[test]
fn a_providers_status_is_kept_where_it_says_more() {
    let status = |kind, status| {
        let error = Error::new(kind, "m").with_status(StatusCode::from_u16(status).unwrap());
        encode(&error).0.as_u16()
    };
    assert_eq!(status(ErrorKind::BadRequest, 422), 422);
    assert_eq!(status(ErrorKind::BadUpstream, 500), 500);
    assert_eq!(status(ErrorKind::BadUpstream, 200), 502);
    assert_eq!(status(ErrorKind::RateLimited, 400), 429);
}
