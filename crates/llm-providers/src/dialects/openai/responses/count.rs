//! `POST /v1/responses/input_tokens`: the request for a provider of this API, its answer read, an estimate
//! where there is no provider to ask.
//!
//! Source: OpenAI API reference, `TokenCountsBody` and `TokenCountsResource`.

use bytes::Bytes;
use llm_types::{Error, ErrorKind, Result};
use serde_json::{Map, Value, json};

use super::forward;
use crate::Target;
use crate::dialect::{Encoded, Glance};
use crate::dialects::anthropic::count::{estimated, texts};
use crate::scan;

/// Where requests go, behind the target's base URL.
const PATH: &str = "/responses/input_tokens";

/// The request for a provider: the caller's bytes with the model's name replaced. Defaults of the target
/// concern answers and stay out.
///
/// # Errors
/// As [`crate::Dialect::forward_request`].
pub fn encode(body: &Bytes, glance: &Glance, target: &Target) -> Result<Encoded> {
    let bare = Target { defaults: Map::new(), ..target.clone() };
    let forwarded = forward::forward(body, glance, &bare)?;
    Ok(Encoded { path: PATH.to_owned(), ..forwarded })
}

/// The tokens that a provider's answer states.
///
/// # Errors
/// [`ErrorKind::BadUpstream`] when it states none.
pub fn read(body: &[u8]) -> Result<u64> {
    let stated = scan::value(body).ok().and_then(|answer| answer.member("input_tokens")?.as_u64());
    stated.ok_or_else(|| {
        Error::new(ErrorKind::BadUpstream, "provider reply to `input_tokens` has no `input_tokens`")
    })
}

/// The answer for a caller.
#[must_use]
pub fn write(tokens: u64) -> Bytes {
    json!({"object": "response.input_tokens", "input_tokens": tokens}).to_string().into()
}

/// An estimate without a provider, as Anthropic's callers get one.
///
/// # Errors
/// [`ErrorKind::BadRequest`] when the body is no request of this dialect.
pub fn estimate(body: &[u8]) -> Result<u64> {
    super::request::decode(body)?;
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let bytes =
        ["instructions", "input", "tools"].iter().filter_map(|name| value.get(*name)).map(texts).sum();
    let items = value.get("input").and_then(Value::as_array).map_or(1, Vec::len) as u64;
    Ok(estimated(bytes, items))
}

#[cfg(test)]
mod tests;
