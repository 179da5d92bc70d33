//! Errors: a provider's into ours, ours for a caller. The wire's form is `{"id": …, "message": …}`.
//!
//! Vendor's page: `v2/reference/errors`. 498 is a refused token, 499 a request its client closed.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use llm_types::{Error, ErrorKind, Origin, Retry};
use serde_json::Value;

use crate::dialects::refusal::{by_status, retry_after, unreadable};
use crate::{error_table, write};

/// Reads a reply with an error status.
pub(super) fn decode(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let message = words(&value).map_or_else(|| unreadable(status, body), str::to_owned);
    let kind = by_message(status, &message).unwrap_or_else(|| by_status(status));
    let mut error = Error::new(kind, message).with_status(status);
    if matches!(kind, ErrorKind::Unauthenticated | ErrorKind::Forbidden | ErrorKind::NotFound) {
        // What is wrong with the operator's key or the model's name here may be right elsewhere.
        error = error.with_origin(Origin::Upstream).with_retry(Retry::Elsewhere);
    }
    if let Some(kind) = value.get("error_type").and_then(Value::as_str) {
        error = error.with_vendor_type(kind);
    }
    match retry_after(headers) {
        Some(wait) if matches!(error.retry(), Retry::Same) => error.with_retry(Retry::After(wait)),
        _ => error,
    }
}

/// The error a body with a success status states: the error form where an answer should stand.
pub(super) fn stated(value: &Value) -> Option<Error> {
    let is_answer = value.get("type").is_some() || value.get("message").is_some_and(Value::is_object);
    let message = if is_answer { None } else { words(value) }?;
    let kind = by_message(StatusCode::BAD_REQUEST, message).unwrap_or(ErrorKind::BadUpstream);
    Some(Error::new(kind, message))
}

/// The words of an error body: the vendor's and those of gateways before it.
fn words(value: &Value) -> Option<&str> {
    let inner = value.get("error").filter(|error| !error.is_null()).unwrap_or(value);
    let said = inner.as_str().or_else(|| inner.get("message").and_then(Value::as_str));
    said.or_else(|| value.get("detail").and_then(Value::as_str))
}

/// Kinds the vendor has no status for.
fn by_message(status: StatusCode, message: &str) -> Option<ErrorKind> {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if !status.is_client_error() {
        return None;
    }
    if says(&["too many tokens", "exceeds the maximum context", "context length", "prompt is too long"]) {
        return Some(ErrorKind::ContextTooLong);
    }
    if says(&["blocked output", "blocked input", "safety mode", "content policy"]) && status == 400 {
        return Some(ErrorKind::ContentFiltered);
    }
    if says(&["monthly limit", "billing", "payment", "out of credit"])
        && matches!(status.as_u16(), 402 | 403 | 429)
    {
        return Some(ErrorKind::QuotaExceeded);
    }
    None
}

/// Writes an error for a caller: its status and body.
pub(super) fn encode(error: &Error) -> (StatusCode, Bytes) {
    let mut body = Vec::with_capacity(32 + error.message().len());
    write::object(&mut body, |out| out.text("message", error.message()));
    (error_table::status(error), body.into())
}
