//! Types of errors, in headers, bodies and frames.

use http::{HeaderMap, HeaderValue, StatusCode};
use llm_types::{Error, ErrorKind, Origin, Retry};
use serde_json::{Value, json};

use super::{decode, encode, exception, headers, in_stream, stated};

fn answered(status: u16, kind: Option<&'static str>, body: &Value) -> Error {
    let mut headers = HeaderMap::new();
    if let Some(kind) = kind {
        headers.insert("x-amzn-errortype", HeaderValue::from_static(kind));
    }
    decode(StatusCode::from_u16(status).unwrap(), &headers, body.to_string().as_bytes())
}

#[test]
fn the_type_counts_more_than_the_status() {
    let cases = [
        (429, Some("ThrottlingException:http://internal.amazon.com/"), "slow down", ErrorKind::RateLimited),
        (429, Some("ModelNotReadyException"), "loading", ErrorKind::Overloaded),
        (400, Some("ValidationException"), "bad", ErrorKind::BadRequest),
        (400, Some("ServiceQuotaExceededException"), "quota", ErrorKind::QuotaExceeded),
        (403, Some("AccessDeniedException"), "no", ErrorKind::Forbidden),
        (403, Some("UnrecognizedClientException"), "no", ErrorKind::Unauthenticated),
        (404, Some("ResourceNotFoundException"), "gone", ErrorKind::NotFound),
        (408, Some("ModelTimeoutException"), "slow", ErrorKind::Timeout),
        (424, Some("ModelErrorException"), "broke", ErrorKind::BadUpstream),
        (500, None, "oops", ErrorKind::BadUpstream),
        (503, None, "busy", ErrorKind::Overloaded),
        (400, None, "Input is too long for requested model.", ErrorKind::ContextTooLong),
        (429, None, "Too many tokens, please wait before trying again.", ErrorKind::RateLimited),
    ];
    for (status, kind, message, expected) in cases {
        let error = answered(status, kind, &json!({ "message": message }));
        assert_eq!((error.kind(), error.message()), (expected, message), "{status} {kind:?}");
    }
    let error =
        answered(400, None, &json!({ "__type": "com.amazon.coral#ThrottlingException", "message": "m" }));
    assert_eq!((error.kind(), error.vendor_type()), (ErrorKind::RateLimited, Some("ThrottlingException")));
}

#[test]
fn what_is_wrong_with_the_operators_key_may_be_right_elsewhere() {
    let error = answered(403, Some("UnrecognizedClientException"), &json!({ "message": "m" }));
    assert_eq!((error.origin(), error.retry()), (Origin::Upstream, Retry::Elsewhere));
}

#[test]
fn an_answer_without_a_message_is_shown() {
    assert_eq!(answered(502, None, &Value::Null).message(), "provider answered status 502: null");
    let error = decode(StatusCode::BAD_GATEWAY, &HeaderMap::new(), b"");
    assert_eq!(error.message(), "provider answered status 502 without a message");
}

#[test]
fn frames_name_their_exception() {
    let error = in_stream("throttlingException", br#"{"message":"slow"}"#);
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::RateLimited, 429));
    let error = in_stream("modelStreamErrorException", br#"{"originalMessage":"inner","message":"outer"}"#);
    assert_eq!((error.kind(), error.message()), (ErrorKind::BadUpstream, "outer: inner"));
    let error = in_stream("newException", b"");
    assert_eq!(error.message(), "provider ended the stream with `newException`");
    assert_eq!(error.kind(), ErrorKind::BadUpstream);
}

#[test]
fn a_reply_may_be_an_error() {
    assert_eq!(stated(&json!({ "output": {}, "message": "m" })), None);
    let error = stated(&json!({ "__type": "InternalServerException", "message": "m" })).unwrap();
    assert_eq!(error.kind(), ErrorKind::BadUpstream);
}

#[test]
fn callers_get_amazons_types() {
    let cases = [
        (ErrorKind::Unsupported, 400, "ValidationException", "validationException"),
        (ErrorKind::Unauthenticated, 401, "UnrecognizedClientException", "validationException"),
        (ErrorKind::NotFound, 404, "ResourceNotFoundException", "validationException"),
        (ErrorKind::TooLarge, 413, "ValidationException", "validationException"),
        (ErrorKind::RateLimited, 429, "ThrottlingException", "throttlingException"),
        (ErrorKind::BudgetExceeded, 400, "ServiceQuotaExceededException", "throttlingException"),
        (ErrorKind::Overloaded, 503, "ServiceUnavailableException", "serviceUnavailableException"),
        (ErrorKind::Timeout, 408, "ModelTimeoutException", "modelStreamErrorException"),
        (ErrorKind::BadUpstream, 500, "InternalServerException", "modelStreamErrorException"),
        (ErrorKind::Internal, 500, "InternalServerException", "internalServerException"),
    ];
    for (kind, status, name, frame) in cases {
        let error = Error::new(kind, "a \"word\"");
        let (code, body) = encode(&error);
        assert_eq!((code.as_u16(), &*body), (status, &br#"{"message":"a \"word\""}"#[..]), "{kind:?}");
        assert_eq!(headers(&error)["x-amzn-errortype"], name, "{kind:?}");
        assert_eq!(exception(&error).0, frame, "{kind:?}");
    }
}
