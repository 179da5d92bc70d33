//! Errors: a provider's into ours, ours for a caller.
//!
//! The shape is `google.rpc.Status` under `error`:
//! <https://cloud.google.com/apis/design/errors#error_model>. Kinds follow from the status; where the
//! words say more they decide.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use llm_types::{Error, ErrorKind, Origin, Retry};
use serde_json::{Value, json};

use crate::dialects::refusal::{retry_after, unreadable};
use crate::error_table;

/// Reads a reply with an error status.
pub(super) fn decode(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = Said::of(&value);
    let message = said.message.map_or_else(|| unreadable(status, body), str::to_owned);
    let wait = said.wait().or_else(|| retry_after(headers));
    said.born(status, message, wait)
}

/// The error that a reply with a success status states, if it does.
pub(super) fn stated(value: &Value) -> Option<Error> {
    let first = value.as_array().and_then(|list| list.first()).unwrap_or(value);
    first.get("error").filter(|error| !error.is_null())?;
    Some(in_stream(first))
}

/// The error a frame states.
pub(super) fn in_stream(value: &Value) -> Error {
    let said = Said::of(value);
    let status = said.code.or_else(|| said.status.and_then(code_of)).unwrap_or(500);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let message = said.message.unwrap_or("the provider reported an error without a message").to_owned();
    said.born(status, message, said.wait())
}

/// What an error body says.
#[derive(Debug, Clone, Copy, Default)]
struct Said<'v> {
    code: Option<u16>,
    message: Option<&'v str>,
    status: Option<&'v str>,
    details: Option<&'v Vec<Value>>,
}

impl<'v> Said<'v> {
    /// Known shapes: `{"error":{…}}`, the same in a list (streams asked for without `alt=sse`), and
    /// OpenAI's, of gateways in between.
    fn of(value: &'v Value) -> Self {
        let value = value.as_array().and_then(|list| list.first()).unwrap_or(value);
        let inner = value.get("error").unwrap_or(value);
        if let Some(message) = inner.as_str() {
            return Self { message: Some(message), ..Self::default() };
        }
        let code = inner
            .get("code")
            .and_then(|code| code.as_u64().or_else(|| code.as_str().and_then(|text| text.parse().ok())));
        Self {
            code: code.and_then(|code| u16::try_from(code).ok()).filter(|code| (400..600).contains(code)),
            message: inner.get("message").and_then(Value::as_str),
            status: inner.get("status").and_then(Value::as_str),
            details: inner.get("details").and_then(Value::as_array),
        }
    }

    fn detail(&self, kind: &str) -> Option<&'v Value> {
        let named = |detail: &&Value| {
            detail.get("@type").and_then(Value::as_str).is_some_and(|name| name.ends_with(kind))
        };
        self.details?.iter().find(named)
    }

    /// `google.rpc.RetryInfo`: a duration such as `17s` or `3.5s`.
    fn wait(&self) -> Option<Duration> {
        let delay = self.detail("google.rpc.RetryInfo")?.get("retryDelay")?.as_str()?;
        Duration::try_from_secs_f64(delay.strip_suffix('s')?.parse().ok()?).ok()
    }

    /// What is wrong with the operator's key or the model's name at this provider may be right at
    /// another.
    fn born(&self, status: StatusCode, message: String, wait: Option<Duration>) -> Error {
        let kind = self.kind(status, &message);
        let mut error = Error::new(kind, message).with_status(status);
        if matches!(kind, ErrorKind::Unauthenticated | ErrorKind::Forbidden | ErrorKind::NotFound) {
            error = error.with_origin(Origin::Upstream).with_retry(Retry::Elsewhere);
        }
        if let Some(wait) = wait.filter(|_| matches!(error.retry(), Retry::Same)) {
            error = error.with_retry(Retry::After(wait));
        }
        match self.status {
            Some(word) => error.with_vendor_type(word),
            None => error,
        }
    }

    fn kind(&self, status: StatusCode, message: &str) -> ErrorKind {
        let lower = message.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        let reason = self.detail("google.rpc.ErrorInfo").and_then(|info| info.get("reason"));
        match status.as_u16() {
            400 if lower.contains("token count") && has(&["exceed", "maximum number of tokens"]) => {
                ErrorKind::ContextTooLong
            }
            400 if reason.and_then(Value::as_str) == Some("API_KEY_INVALID") => ErrorKind::Unauthenticated,
            401 => ErrorKind::Unauthenticated,
            402 => ErrorKind::QuotaExceeded,
            403 => ErrorKind::Forbidden,
            404 => ErrorKind::NotFound,
            408 | 504 => ErrorKind::Timeout,
            413 => ErrorKind::TooLarge,
            429 => ErrorKind::RateLimited,
            400..=499 => ErrorKind::BadRequest,
            503 | 529 => ErrorKind::Overloaded,
            _ => ErrorKind::BadUpstream,
        }
    }
}

/// `google.rpc.Code` and the HTTP status it is mapped to.
const CODES: &[(&str, u16)] = &[
    ("INVALID_ARGUMENT", 400),
    ("FAILED_PRECONDITION", 400),
    ("OUT_OF_RANGE", 400),
    ("UNAUTHENTICATED", 401),
    ("PERMISSION_DENIED", 403),
    ("NOT_FOUND", 404),
    ("ABORTED", 409),
    ("ALREADY_EXISTS", 409),
    ("RESOURCE_EXHAUSTED", 429),
    ("CANCELLED", 499),
    ("INTERNAL", 500),
    ("DATA_LOSS", 500),
    ("UNKNOWN", 500),
    ("UNIMPLEMENTED", 501),
    ("UNAVAILABLE", 503),
    ("DEADLINE_EXCEEDED", 504),
];

fn code_of(word: &str) -> Option<u16> {
    CODES.iter().find(|(name, _)| *name == word).map(|(_, code)| *code)
}

/// The word for a status: the first that is mapped to it, else that of its class.
fn word_of(status: u16) -> &'static str {
    let exact = CODES.iter().find(|(_, code)| *code == status).map(|(name, _)| *name);
    exact.unwrap_or(match status {
        408 => "DEADLINE_EXCEEDED",
        502 => "UNAVAILABLE",
        400..=499 => "INVALID_ARGUMENT",
        _ => "INTERNAL",
    })
}

/// Writes an error for a caller: its status and body.
pub(super) fn encode(error: &Error) -> (StatusCode, Bytes) {
    (error_table::status(error), body(error).into())
}

/// The body of an error, also the data of an error's frame.
pub(super) fn body(error: &Error) -> Vec<u8> {
    let status = error_table::status(error).as_u16();
    let mut details = Vec::new();
    if let Some(param) = error.param() {
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{ "field": param, "description": error.message() }],
        }));
    }
    if let Retry::After(wait) = error.retry() {
        let delay = format!("{}s", wait.as_secs_f64());
        details.push(json!({ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay }));
    }
    let mut inner = json!({ "code": status, "message": error.message(), "status": word_of(status) });
    if !details.is_empty() {
        inner["details"] = Value::Array(details);
    }
    json!({ "error": inner }).to_string().into_bytes()
}

#[cfg(test)]
mod tests;
