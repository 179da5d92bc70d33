//! Errors: a provider's into ours, ours for a caller. The wire's form is `{"error": "…"}`.
//!
//! Vendor's page: <https://docs.ollama.com/api/errors>.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use llm_types::{Error, ErrorKind, Origin, Retry};
use serde_json::Value;

use crate::{error_table, write};

/// The longest part of an unreadable answer shown in a message, in characters.
const SHOWN: usize = 500;

/// Reads a reply with an error status.
pub(super) fn decode(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let message = words(&value).map_or_else(|| unreadable(status, body), str::to_owned);
    let kind = by_message(&message).filter(|_| status.is_client_error() || status == 500);
    let kind = kind.unwrap_or_else(|| by_status(status));
    let mut error = Error::new(kind, message).with_status(status);
    if matches!(kind, ErrorKind::Unauthenticated | ErrorKind::Forbidden | ErrorKind::NotFound) {
        // A model that is not pulled here may be there on another server.
        error = error.with_origin(Origin::Upstream).with_retry(Retry::Elsewhere);
    }
    let wait = headers.get(http::header::RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.parse().ok());
    match wait.map(std::time::Duration::from_secs) {
        Some(wait) if matches!(error.retry(), Retry::Same) => error.with_retry(Retry::After(wait)),
        _ => error,
    }
}

/// The error that a reply or a line of a stream states.
pub(super) fn stated(said: &Value) -> Error {
    let message = said.as_str().or_else(|| said.get("message").and_then(Value::as_str));
    let message = message.map_or_else(|| said.to_string(), str::to_owned);
    Error::new(by_message(&message).unwrap_or(ErrorKind::BadUpstream), message)
}

/// The words of an error body: the vendor's and those of gateways before it.
fn words(value: &Value) -> Option<&str> {
    let error = value.get("error")?;
    error.as_str().or_else(|| error.get("message").and_then(Value::as_str))
}

fn unreadable(status: StatusCode, body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    let shown: String = body.trim().chars().take(SHOWN).collect();
    match shown.as_str() {
        "" => format!("provider answered status {} without a message", status.as_u16()),
        shown => format!("provider answered status {}: {shown}", status.as_u16()),
    }
}

/// Kinds the vendor has no status for.
fn by_message(message: &str) -> Option<ErrorKind> {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&["exceeds the available context", "context length", "input length exceeds", "prompt too long"]) {
        return Some(ErrorKind::ContextTooLong);
    }
    if says(&["server busy", "maximum pending requests"]) {
        return Some(ErrorKind::Overloaded);
    }
    None
}

fn by_status(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        401 => ErrorKind::Unauthenticated,
        402 => ErrorKind::QuotaExceeded,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        408 | 504 => ErrorKind::Timeout,
        413 => ErrorKind::TooLarge,
        429 => ErrorKind::RateLimited,
        503 => ErrorKind::Overloaded,
        400..=499 => ErrorKind::BadRequest,
        _ => ErrorKind::BadUpstream,
    }
}

/// Writes an error for a caller: its status and body.
pub(super) fn encode(error: &Error) -> (StatusCode, Bytes) {
    (error_table::status(error), body(error).into())
}

fn body(error: &Error) -> Vec<u8> {
    let mut body = Vec::with_capacity(16 + error.message().len());
    write::object(&mut body, |out| out.text("error", error.message()));
    body
}

/// Writes the line that ends a stream that failed.
pub(super) fn line(out: &mut BytesMut, error: &Error) {
    out.extend_from_slice(&body(error));
    out.extend_from_slice(b"\n");
}

/// The error of a stream that ended before it said so.
pub(super) fn cut() -> Error {
    Error::new(ErrorKind::BadUpstream, "the provider's stream ended before the answer was complete")
}
