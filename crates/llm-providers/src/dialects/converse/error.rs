//! Errors: a provider's into ours, ours for a caller.
//!
//! Vendor's page: API reference of Converse and ConverseStream, "Errors", and "Common Error Types". The
//! type stands in the header `x-amzn-ErrorType`, or in the body's `__type`, or names a stream's frame.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use llm_types::{Error, ErrorKind, Origin, Retry};
use serde_json::Value;

use crate::dialects::refusal::{self, retry_after, unreadable};
use crate::write::{self, Object};

/// Names the type of an error.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
/// The vendor's types: name, status, kind.
const TYPES: &[(&str, u16, ErrorKind)] = &[
    ("AccessDeniedException", 403, ErrorKind::Forbidden),
    ("ExpiredTokenException", 403, ErrorKind::Unauthenticated),
    ("IncompleteSignature", 400, ErrorKind::Unauthenticated),
    ("IncompleteSignatureException", 400, ErrorKind::Unauthenticated),
    ("InternalFailure", 500, ErrorKind::BadUpstream),
    ("InternalServerException", 500, ErrorKind::BadUpstream),
    ("InvalidSignatureException", 403, ErrorKind::Unauthenticated),
    ("MissingAuthenticationTokenException", 403, ErrorKind::Unauthenticated),
    ("ModelErrorException", 424, ErrorKind::BadUpstream),
    ("ModelNotReadyException", 429, ErrorKind::Overloaded),
    ("ModelStreamErrorException", 424, ErrorKind::BadUpstream),
    ("ModelTimeoutException", 408, ErrorKind::Timeout),
    ("ResourceNotFoundException", 404, ErrorKind::NotFound),
    ("ServiceQuotaExceededException", 400, ErrorKind::QuotaExceeded),
    ("ServiceUnavailableException", 503, ErrorKind::Overloaded),
    ("ThrottlingException", 429, ErrorKind::RateLimited),
    ("UnrecognizedClientException", 403, ErrorKind::Unauthenticated),
    ("ValidationException", 400, ErrorKind::BadRequest),
];

/// Reads a reply with an error status.
pub(in crate::dialects) fn decode(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let header = headers.get(ERROR_TYPE).and_then(|value| value.to_str().ok());
    let name = header.or_else(|| value.get("__type").and_then(Value::as_str)).map(short_type);
    let message = message(&value).map_or_else(|| unreadable(status, body), str::to_owned);
    let kind = by_message(&message).or_else(|| by_type(name)).unwrap_or_else(|| by_status(status));
    let mut error = born(kind, name, message).with_status(status);
    if let Some(wait) = retry_after(headers)
        && matches!(kind, ErrorKind::RateLimited | ErrorKind::Overloaded | ErrorKind::BadUpstream)
    {
        error = error.with_retry(Retry::After(wait));
    }
    error
}

/// The error a body with a success status states, if it does.
pub(super) fn stated(value: &Value) -> Option<Error> {
    if value.get("output").is_some() {
        return None;
    }
    let name = value.get("__type").and_then(Value::as_str).map(short_type);
    Some(told(name, message(value)?.to_owned()))
}

/// The error of a stream's exception frame.
pub(super) fn in_stream(name: &str, payload: &[u8]) -> Error {
    let value: Value = serde_json::from_slice(payload).unwrap_or_default();
    let said = message(&value).map(str::to_owned);
    let original = value.get("originalMessage").and_then(Value::as_str).filter(|words| !words.is_empty());
    let words = match (said, original) {
        (Some(said), Some(original)) if !said.contains(original) => format!("{said}: {original}"),
        (Some(said), _) => said,
        (None, Some(original)) => original.to_owned(),
        (None, None) => format!("provider ended the stream with `{name}`"),
    };
    told(Some(name), words)
}

fn told(name: Option<&str>, message: String) -> Error {
    let known = name.and_then(of_type);
    let kind = by_message(&message).or(known.map(|(_, _, kind)| *kind)).unwrap_or(ErrorKind::BadUpstream);
    let error = born(kind, known.map(|(name, _, _)| *name).or(name), message);
    match known.and_then(|(_, status, _)| StatusCode::from_u16(*status).ok()) {
        Some(status) => error.with_status(status),
        None => error,
    }
}

/// An error of the provider. What is wrong with the operator's sign-in or the model's name at this
/// provider may be right at another.
fn born(kind: ErrorKind, name: Option<&str>, message: String) -> Error {
    let mut error = Error::new(kind, message);
    if matches!(kind, ErrorKind::Unauthenticated | ErrorKind::Forbidden | ErrorKind::NotFound) {
        error = error.with_origin(Origin::Upstream).with_retry(Retry::Elsewhere);
    }
    match name {
        Some(name) => error.with_vendor_type(name),
        None => error,
    }
}

fn message(value: &Value) -> Option<&str> {
    // Gateways in between answer in OpenAI's shape.
    let inner = value.get("error").filter(|inner| inner.is_object()).unwrap_or(value);
    ["message", "Message", "detail"].iter().find_map(|name| inner.get(name)?.as_str())
}

/// `ValidationException` of `aws.protocoltests#ValidationException:http://…`.
fn short_type(name: &str) -> &str {
    let name = name.split(':').next().unwrap_or(name);
    name.rsplit('#').next().unwrap_or(name)
}

/// What is known of a type; frames of streams write it with a small first letter.
fn of_type(name: &str) -> Option<&'static (&'static str, u16, ErrorKind)> {
    TYPES.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name))
}

fn by_type(name: Option<&str>) -> Option<ErrorKind> {
    name.and_then(of_type).map(|(_, _, kind)| *kind)
}

/// Kinds the vendor has no type for.
fn by_message(message: &str) -> Option<ErrorKind> {
    const TOO_LONG: &[&str] = &[
        "input is too long",
        "prompt is too long",
        "prompt: length",
        "too many input tokens",
        "too many tokens",
        "exceeds the maximum number of input tokens",
        "expected maxlength",
        "context length",
        "exceed context limit",
    ];
    let message = message.to_ascii_lowercase();
    // A rate limit says "too many tokens", too, and that one passes.
    let waits =
        message.contains("please wait") || message.contains("per day") || message.contains("per minute");
    (!waits && TOO_LONG.iter().any(|words| message.contains(words))).then_some(ErrorKind::ContextTooLong)
}

fn by_status(status: StatusCode) -> ErrorKind {
    // The model behind the wire failed.
    if status == 424 { ErrorKind::BadUpstream } else { refusal::by_status(status) }
}

/// The type a caller gets.
fn shown(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::BadRequest
        | ErrorKind::Unsupported
        | ErrorKind::ContextTooLong
        | ErrorKind::ContentFiltered
        | ErrorKind::TooLarge => "ValidationException",
        ErrorKind::Unauthenticated => "UnrecognizedClientException",
        ErrorKind::Forbidden => "AccessDeniedException",
        ErrorKind::NotFound => "ResourceNotFoundException",
        ErrorKind::RateLimited => "ThrottlingException",
        ErrorKind::QuotaExceeded | ErrorKind::BudgetExceeded => "ServiceQuotaExceededException",
        ErrorKind::Overloaded => "ServiceUnavailableException",
        ErrorKind::Timeout => "ModelTimeoutException",
        ErrorKind::BadUpstream if error.status().is_some_and(|status| status.as_u16() == 424) => {
            "ModelErrorException"
        }
        ErrorKind::BadUpstream | ErrorKind::Unreachable | ErrorKind::Internal => "InternalServerException",
    }
}

/// Writes an error for a caller: its status and body.
pub(super) fn encode(error: &Error) -> (StatusCode, Bytes) {
    let status = match error.kind() {
        ErrorKind::TooLarge => 413,
        // Amazon's own status is 403; LiteLLM's callers know a refused key by 401, and SDKs by the type.
        ErrorKind::Unauthenticated => 401,
        _ => of_type(shown(error)).map_or(500, |(_, status, _)| *status),
    };
    (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body(error).into())
}

/// The header SDKs read the type from.
pub(super) fn headers(error: &Error) -> HeaderMap {
    HeaderMap::from_iter([(ERROR_TYPE, HeaderValue::from_static(shown(error)))])
}

fn body(error: &Error) -> Vec<u8> {
    let mut out = Vec::with_capacity(32 + error.message().len());
    write::object(&mut out, |body: &mut Object<'_>| body.text("message", error.message()));
    out
}

/// The exception that ends a stream: its type and payload. Streams know five types only.
pub(super) fn exception(error: &Error) -> (&'static str, Vec<u8>) {
    let name = match error.kind() {
        ErrorKind::RateLimited | ErrorKind::QuotaExceeded | ErrorKind::BudgetExceeded => {
            "throttlingException"
        }
        ErrorKind::Overloaded => "serviceUnavailableException",
        ErrorKind::Internal => "internalServerException",
        ErrorKind::BadUpstream | ErrorKind::Unreachable | ErrorKind::Timeout => "modelStreamErrorException",
        _ => "validationException",
    };
    (name, body(error))
}

#[cfg(test)]
mod tests;
