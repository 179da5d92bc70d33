//! `POST /v1/messages/count_tokens`: the request written for a provider, its answer read, an estimate
//! where there is no provider to ask.
//!
//! Vendor's page: `api/messages-count-tokens`.

use bytes::Bytes;
use llm_types::{Error, ErrorKind, Result};
use serde_json::{Map, Value, json};

use super::forward;
use crate::dialect::{Encoded, Glance};
use crate::{Target, scan};

/// Where requests go, behind the target's base URL.
const PATH: &str = "/v1/messages/count_tokens";

/// Bytes of text that stand for one token in an estimate.
const BYTES_PER_TOKEN: u64 = 4;
/// What a message costs beside its text, in tokens of an estimate.
const PER_MESSAGE: u64 = 3;

/// The request for a provider of this dialect: the caller's bytes with the model's name replaced. Defaults
/// of the target concern answers and stay out.
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
        Error::new(ErrorKind::BadUpstream, "provider reply to `count_tokens` has no `input_tokens`")
    })
}

/// The answer for a caller.
#[must_use]
pub fn write(tokens: u64) -> Bytes {
    json!({ "input_tokens": tokens }).to_string().into()
}

/// An estimate without a provider: a token for every four bytes of the prompt's texts and schemas and
/// three for every message; pictures and documents in base64 are not counted.
///
/// # Errors
/// [`ErrorKind::BadRequest`] when the body is no request of this dialect.
pub fn estimate(body: &[u8]) -> Result<u64> {
    super::request::decode(body)?;
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let members = ["system", "messages", "tools"];
    let bytes: u64 = members.iter().filter_map(|name| value.get(*name)).map(texts).sum();
    let messages = value.get("messages").and_then(Value::as_array).map_or(0, Vec::len) as u64;
    Ok(estimated(bytes, messages))
}

/// An estimate of the tokens of texts in so many messages, whichever dialect they are in.
#[must_use]
pub fn estimated_tokens<'v>(values: impl Iterator<Item = &'v Value>, messages: usize) -> u64 {
    estimated(values.map(texts).sum(), messages as u64)
}

/// The tokens that so many bytes of text in so many messages are likely to be.
pub(in crate::dialects) fn estimated(bytes: u64, messages: u64) -> u64 {
    bytes.div_ceil(BYTES_PER_TOKEN) + PER_MESSAGE * messages
}

/// Bytes of text in a value; names of members are text where they are a schema's.
pub(in crate::dialects) fn texts(value: &Value) -> u64 {
    match value {
        Value::String(text) => text.len() as u64,
        Value::Array(list) => list.iter().map(texts).sum(),
        Value::Object(map) => {
            let is_data = map.get("type").is_some_and(|kind| kind == "base64");
            let length = |(name, value): (&String, &Value)| match name.as_str() {
                "type" | "role" | "cache_control" | "signature" => 0,
                "data" if is_data => 0,
                name => name.len() as u64 + texts(value),
            };
            map.iter().map(length).sum()
        }
        Value::Null => 0,
        Value::Bool(_) | Value::Number(_) => 1,
    }
}

#[cfg(test)]
mod tests;
