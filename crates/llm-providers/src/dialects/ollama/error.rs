//! Errors: a provider's into ours, ours for a caller. The wire's form is `{"error": "…"}`.
//!
//! Vendor's page: <https://docs.ollama.com/api/errors>.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use llm_types::{Error, ErrorKind, Origin, Retry};
use serde_json::Value;

use crate::dialects::refusal::{by_status, retry_after, unreadable};
use crate::{error_table, write};

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
    match retry_after(headers) {
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
