//! Errors as each server states them.

use http::{HeaderMap, StatusCode};
use llm_types::ErrorKind;

use super::super::Wire;
use super::decode;

#[test]
fn each_servers_words_and_kind_are_read() {
    for (wire, status, body, kind, words) in [
        (
            Wire::Complete,
            401,
            r#"{"type":"error","error":{"type":"authentication_error","message":"bad key"}}"#,
            ErrorKind::Unauthenticated,
            "bad key",
        ),
        (
            Wire::Generation,
            400,
            r#"{"detail":"no such parameter"}"#,
            ErrorKind::BadRequest,
            "no such parameter",
        ),
        (
            Wire::Lorax,
            422,
            r#"{"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000","error_type":"validation"}"#,
            ErrorKind::ContextTooLong,
            "must be <= 4096",
        ),
        (
            Wire::Lorax,
            429,
            r#"{"error":"Model is overloaded","error_type":"overloaded"}"#,
            ErrorKind::RateLimited,
            "overloaded",
        ),
        (Wire::Triton, 404, r#"{"error":"Request for unknown model"}"#, ErrorKind::NotFound, "unknown model"),
        (
            Wire::Prediction,
            401,
            r#"{"title":"Unauthenticated","detail":"no token","status":401}"#,
            ErrorKind::Unauthenticated,
            "no token",
        ),
        (
            Wire::TextGeneration,
            424,
            r#"{"ErrorCode":"CLIENT_ERROR_FROM_MODEL","LogStreamArn":"a","Message":"see the logs","OriginalMessage":"{\"error\":\"out of memory\"}","OriginalStatusCode":500}"#,
            ErrorKind::BadUpstream,
            "out of memory",
        ),
        (Wire::Titan, 400, r#"{"message":"Input is too long"}"#, ErrorKind::ContextTooLong, "too long"),
        (Wire::Triton, 500, "<html>", ErrorKind::BadUpstream, "status 500: <html>"),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        let error = decode(status, &HeaderMap::new(), body.as_bytes(), wire);
        assert_eq!((error.kind(), error.status()), (kind, Some(status)), "{body}: {error}");
        assert!(error.message().contains(words), "{body}: {error}");
    }
}
