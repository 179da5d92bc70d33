//! Errors of the wires: those of the cloud they stand in, or of the server that runs the model.

use http::{HeaderMap, StatusCode};
use llm_types::{Error, ErrorKind, Origin, Retry};
use serde_json::Value;

use super::wire::Wire;
use crate::dialects::refusal::{by_status, retry_after, unreadable};
use crate::dialects::{ANTHROPIC, converse};

/// Where servers put their words (JSON pointers).
const WORDS: &[&str] = &["/error/message", "/error", "/detail", "/message", "/title"];

/// Reads a reply with an error status.
pub(super) fn decode(status: StatusCode, headers: &HeaderMap, body: &[u8], wire: Wire) -> Error {
    match wire {
        Wire::Complete => ANTHROPIC.decode_error(status, headers, body),
        Wire::Generation | Wire::Lorax | Wire::Triton | Wire::Prediction => server(status, headers, body),
        // A server behind a cloud: the cloud's words around the server's.
        Wire::TextGeneration => converse::decode_error(status, headers, &original(body)),
        _ => converse::decode_error(status, headers, body),
    }
}

/// The error of a server that runs models.
fn server(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let words = WORDS.iter().find_map(|at| value.pointer(at)?.as_str());
    let message = words.map_or_else(|| unreadable(status, body), str::to_owned);
    let too_long = status.is_client_error() && is_too_long(&message);
    let kind = if too_long { ErrorKind::ContextTooLong } else { by_status(status) };
    let mut error = Error::new(kind, message).with_status(status);
    if let Some(name) = value.get("error_type").and_then(Value::as_str) {
        error = error.with_vendor_type(name);
    }
    if matches!(kind, ErrorKind::Unauthenticated | ErrorKind::Forbidden | ErrorKind::NotFound) {
        error = error.with_origin(Origin::Upstream).with_retry(Retry::Elsewhere);
    }
    match retry_after(headers) {
        Some(wait) if matches!(error.retry(), Retry::Same) => error.with_retry(Retry::After(wait)),
        _ => error,
    }
}

/// Text Generation Inference: "`inputs` tokens + `max_new_tokens` must be <= 4096", "`inputs` must have less
/// than 4095 tokens".
fn is_too_long(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("tokens") && (message.contains("must be <=") || message.contains("must have less than"))
}

/// The body with the words of the server behind the cloud: `SageMaker` has them as `OriginalMessage`, beside a
/// message that only says where the logs are.
fn original(body: &[u8]) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(body).unwrap_or_default();
    let words = value.get("OriginalMessage").and_then(Value::as_str).map(|words| {
        let inner: Value = serde_json::from_str(words).unwrap_or_default();
        WORDS.iter().find_map(|at| inner.pointer(at)?.as_str()).unwrap_or(words).to_owned()
    });
    match words.filter(|words| !words.is_empty()) {
        Some(words) => {
            value["message"] = words.into();
            value.to_string().into_bytes()
        }
        None => body.to_vec(),
    }
}

#[cfg(test)]
mod tests;
