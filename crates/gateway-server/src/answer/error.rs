//! Errors become answers: the one place where an [`Error`] meets HTTP.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use llm_providers::{Dialect, DialectId, dialects};
use llm_router::MODEL_LIMIT;
use llm_types::{Error, ErrorKind, Origin, Retry};
use serde_json::{Value, json};

use super::{ReplyBody, names, text};
use crate::clock::now_ms;

/// LiteLLM's answer to its own limits always names this wait, in seconds (surface §4.9).
const OWN_LIMIT_WAIT: HeaderValue = HeaderValue::from_static("60");
const PROVIDER_RETRY_AFTER: HeaderName = HeaderName::from_static("llm_provider-retry-after");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");

/// An error in the caller's dialect.
pub(crate) fn error_response(error: &Error, dialect: &'static dyn Dialect) -> Response<ReplyBody> {
    log_inner(error);
    let (status, body) = dialect.encode_error(error);
    let mut response = respond(status, body);
    response.headers_mut().extend(dialect.error_headers(error));
    if error.kind() == ErrorKind::RateLimited && error.origin() == Origin::Gateway {
        own_limit(error, response.headers_mut());
    } else if let Retry::After(wait) = error.retry() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    }
    response
}

/// What LiteLLM says in headers of its own limits.
fn own_limit(error: &Error, headers: &mut HeaderMap) {
    headers.insert(RETRY_AFTER, OWN_LIMIT_WAIT);
    match error.code() {
        // A deployment's limit: LiteLLM's answer looks as if the provider had asked for the wait.
        Some(MODEL_LIMIT) => drop(headers.insert(PROVIDER_RETRY_AFTER, OWN_LIMIT_WAIT)),
        Some(kind) => drop(headers.insert(names::LIMIT_TYPE, text(kind))),
        None => {}
    }
    if let Retry::After(wait) = error.retry() {
        let at = now_ms().saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        headers.insert(names::RESET_AT, HeaderValue::from(at / 1_000));
    }
}

/// An error of a management route, which speaks OpenAI's error shape.
pub(crate) fn openai_error(error: &Error) -> Response<ReplyBody> {
    error_response(error, dialects::dialect(DialectId::OpenaiChat))
}

/// An error body with the call's id in it (`include_call_id_in_error_body`).
pub(crate) fn with_call_id(response: Response<ReplyBody>, id: &str) -> Response<ReplyBody> {
    let (mut head, body) = response.into_parts();
    let ReplyBody::Full(bytes) = body else { return Response::from_parts(head, body) };
    let told = serde_json::from_slice::<Value>(&bytes).ok().and_then(|mut value| {
        value.get_mut("error")?.as_object_mut()?.insert("litellm_call_id".to_owned(), id.into());
        Some(Bytes::from(value.to_string()))
    });
    let bytes = told.unwrap_or(bytes);
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    Response::from_parts(head, ReplyBody::full(bytes))
}

/// The `{"detail": …}` shape of denials that LiteLLM's framework makes (surface §4.4, §5.1).
pub(crate) fn detail(status: StatusCode, detail: impl Into<Value>) -> Response<ReplyBody> {
    json_response(status, &json!({ "detail": detail.into() }))
}

/// Any JSON.
pub(crate) fn json_response(status: StatusCode, value: &Value) -> Response<ReplyBody> {
    respond(status, Bytes::from(value.to_string()))
}

/// JSON that is written already.
pub(crate) fn json_written(status: StatusCode, body: Vec<u8>) -> Response<ReplyBody> {
    respond(status, Bytes::from(body))
}

/// A status without a body.
pub(crate) fn empty(status: StatusCode) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::full(Bytes::new()));
    *response.status_mut() = status;
    response
}

/// A stream of events.
pub(crate) fn event_stream(body: ReplyBody) -> Response<ReplyBody> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, EVENT_STREAM);
    response.headers_mut().insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn respond(status: StatusCode, body: Bytes) -> Response<ReplyBody> {
    let length = body.len();
    let mut response = Response::new(ReplyBody::full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// Faults of ours are logged with their cause; callers see only the message.
fn log_inner(error: &Error) {
    if error.kind() == ErrorKind::Internal {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::error!(%error, cause, "a request failed inside the gateway");
    }
}
