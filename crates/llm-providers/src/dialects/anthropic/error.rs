//! Errors: a provider's into ours, ours for a caller.
//!
//! Vendor's page: `api/errors`. What is beyond it follows LiteLLM surface §5.3, "Other providers".

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use llm_types::{Error, ErrorKind, Origin, Retry};
use serde_json::Value;

use crate::dialects::refusal::{retry_after, unreadable};
use crate::write::{self, Object};

/// The status the vendor gives when it has no capacity.
const OVERLOADED: u16 = 529;
/// Reads a reply with an error status.
pub(super) fn decode(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let (vendor_type, message) = match words(&value) {
        Some((vendor_type, message)) => (vendor_type, message.to_owned()),
        None => (None, unreadable(status, body)),
    };
    let kind = by_message(&message).unwrap_or_else(|| by_status(status, vendor_type));
    let mut error = born(kind, vendor_type, message).with_status(status);
    if let Some(wait) = retry_after(headers)
        && matches!(kind, ErrorKind::RateLimited | ErrorKind::Overloaded | ErrorKind::BadUpstream)
    {
        error = error.with_retry(Retry::After(wait));
    }
    error
}

/// The error a body with a success status states, if it does.
pub(super) fn stated(value: &Value) -> Option<Error> {
    let is_error = value.get("type").and_then(Value::as_str) == Some("error")
        || (value.get("error").is_some_and(|error| !error.is_null()) && value.get("content").is_none());
    is_error.then(|| in_stream(value))
}

/// The error of an `error` event: the type has to stand in for the status.
pub(in crate::dialects) fn in_stream(value: &Value) -> Error {
    let (vendor_type, message) = words(value).unwrap_or((None, "provider stated an error without words"));
    let status = vendor_type.and_then(status_of_type);
    let kind = by_message(message).unwrap_or_else(|| match status {
        Some(status) => by_status(status, vendor_type),
        None => ErrorKind::BadUpstream,
    });
    let error = born(kind, vendor_type, message.to_owned());
    match status {
        Some(status) => error.with_status(status),
        None => error,
    }
}

/// An error of the provider. What is wrong with the operator's key or the model's name at this
/// provider may be right at another.
fn born(kind: ErrorKind, vendor_type: Option<&str>, message: String) -> Error {
    let mut error = Error::new(kind, message);
    if matches!(kind, ErrorKind::Unauthenticated | ErrorKind::Forbidden | ErrorKind::NotFound) {
        error = error.with_origin(Origin::Upstream).with_retry(Retry::Elsewhere);
    }
    match vendor_type {
        Some(vendor_type) => error.with_vendor_type(vendor_type),
        None => error,
    }
}

/// The type and message of an error body: the vendor's form and those of gateways before it.
fn words(value: &Value) -> Option<(Option<&str>, &str)> {
    let text = |value: &Value| -> Option<()> { value.is_string().then_some(()) };
    let inner = value.get("error").unwrap_or(value);
    if text(inner).is_some() {
        return inner.as_str().map(|message| (None, message));
    }
    let message = inner.get("message").or_else(|| inner.get("detail")).and_then(Value::as_str)?;
    Some((inner.get("type").and_then(Value::as_str), message))
}

/// Kinds the vendor has no type for.
fn by_message(message: &str) -> Option<ErrorKind> {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&["prompt is too long", "prompt: length", "exceed context limit", "input is too long"]) {
        return Some(ErrorKind::ContextTooLong);
    }
    if says(&["credit balance is too low", "api usage limits", "plans & billing"]) {
        return Some(ErrorKind::QuotaExceeded);
    }
    if says(&["content filtering policy", "content filter"]) {
        return Some(ErrorKind::ContentFiltered);
    }
    None
}

fn by_status(status: StatusCode, vendor_type: Option<&str>) -> ErrorKind {
    match (status.as_u16(), vendor_type) {
        (_, Some("overloaded_error")) | (OVERLOADED | 503, _) => ErrorKind::Overloaded,
        (_, Some("billing_error")) | (402, _) => ErrorKind::QuotaExceeded,
        (_, Some("rate_limit_error")) | (429, _) => ErrorKind::RateLimited,
        (401, _) => ErrorKind::Unauthenticated,
        (403, _) => ErrorKind::Forbidden,
        (404, _) => ErrorKind::NotFound,
        (413, _) => ErrorKind::TooLarge,
        (408 | 504, _) => ErrorKind::Timeout,
        (400..=499, _) => ErrorKind::BadRequest,
        _ => ErrorKind::BadUpstream,
    }
}

/// The status that goes with one of the vendor's types.
fn status_of_type(vendor_type: &str) -> Option<StatusCode> {
    let code = match vendor_type {
        "invalid_request_error" => 400,
        "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" => 404,
        "request_too_large" => 413,
        "rate_limit_error" => 429,
        "api_error" => 500,
        "timeout_error" => 504,
        "overloaded_error" => OVERLOADED,
        _ => return None,
    };
    StatusCode::from_u16(code).ok()
}

/// The status and type a caller gets.
fn shown(error: &Error) -> (u16, &'static str) {
    let upstream = error.status().map_or(0, |status| status.as_u16());
    match error.kind() {
        ErrorKind::BadRequest | ErrorKind::Unsupported => {
            (if (400..500).contains(&upstream) { upstream } else { 400 }, "invalid_request_error")
        }
        ErrorKind::ContextTooLong | ErrorKind::ContentFiltered => (400, "invalid_request_error"),
        ErrorKind::TooLarge => (413, "request_too_large"),
        ErrorKind::Unauthenticated => (401, "authentication_error"),
        ErrorKind::Forbidden => (403, "permission_error"),
        ErrorKind::NotFound => (404, "not_found_error"),
        ErrorKind::RateLimited => (429, "rate_limit_error"),
        ErrorKind::QuotaExceeded => (402, "billing_error"),
        // LiteLLM's status for a spent budget (surface §4.7).
        ErrorKind::BudgetExceeded => (422, "billing_error"),
        ErrorKind::Overloaded => (OVERLOADED, "overloaded_error"),
        ErrorKind::Timeout => (504, "timeout_error"),
        ErrorKind::BadUpstream | ErrorKind::Unreachable => {
            (if (500..600).contains(&upstream) { upstream } else { 502 }, "api_error")
        }
        ErrorKind::Internal => (500, "api_error"),
    }
}

/// Writes an error for a caller: its status and body.
pub(super) fn encode(error: &Error) -> (StatusCode, Bytes) {
    let (status, _) = shown(error);
    (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body(error).into())
}

/// The body of an error, also the data of an `error` event.
pub(super) fn body(error: &Error) -> Vec<u8> {
    let (_, kind) = shown(error);
    let mut out = Vec::with_capacity(96 + error.message().len());
    write::object(&mut out, |body: &mut Object<'_>| {
        body.text("type", "error");
        body.object("error", |inner| {
            inner.text("type", kind);
            inner.text("message", error.message());
        });
    });
    out
}

#[cfg(test)]
mod tests;
