//! OpenAI Responses, <https://platform.openai.com/docs/api-reference/responses>, both ways.
//!
//! Lost on the way through the canonical form: ids and states of a caller's items, and which of
//! `instructions` and a system message said something. Members that only this API has (`conversation`,
//! `prompt`, `include`, …) travel as native fields; those whose loss changes the answer are named in
//! [`llm_types::NativeFields::needed`]. Reasoning keeps its id and its encrypted content in the
//! signature of its part ([`is_sealed`]), so that a caller of any dialect can send it back.

pub mod count;
mod echo;
mod forward;
mod glance;
mod namespace;
mod relay;
mod request;
mod response;
mod stored;
mod stream;
mod usage;
mod wire;

pub use stored::{Outline, input_items, last_reply, outline, placeholder, with_history};
pub use wire::DIALECT;
pub(in crate::dialects) use wire::is_sealed;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use llm_types::{ChatRequest, ChatResponse, Error, Result};
use serde_json::{Map, Value};

use super::error;
use crate::dialect::{
    Dialect, Encoded, Framing, Glance, Relay, ReplyContext, ReplyFacts, StreamDecoder, StreamEncoder,
};
use crate::media::MediaKind;
use crate::{DialectId, Target};

/// The dialect.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenaiResponses;

impl Dialect for OpenaiResponses {
    fn id(&self) -> DialectId {
        DialectId::OpenaiResponses
    }

    fn glance(&self, body: &[u8]) -> Result<Glance> {
        glance::glance(body)
    }

    fn decode_request(&self, body: &[u8]) -> Result<ChatRequest> {
        request::decode(body)
    }

    fn echo(&self, body: &[u8]) -> Option<Arc<Map<String, Value>>> {
        echo::echo(body)
    }

    fn encode_response(&self, response: &ChatResponse, cx: &ReplyContext) -> Result<Bytes> {
        Ok(response::encode(response, cx))
    }

    fn stream_encoder(&self, cx: ReplyContext) -> Box<dyn StreamEncoder> {
        Box::new(stream::Encoder::new(cx))
    }

    fn encode_error(&self, error: &Error) -> (StatusCode, Bytes) {
        error::encode(error)
    }

    fn encode_request(&self, request: &ChatRequest, target: &Target) -> Result<Encoded> {
        request::encode(request, target)
    }

    fn takes_url(&self, kind: MediaKind, _url: &str, target: &Target) -> bool {
        // `input_audio` has no member for a URL.
        kind != MediaKind::Audio && !target.spec.quirks.no_media_urls
    }

    fn decode_response(&self, body: &[u8]) -> Result<ChatResponse> {
        response::decode(body)
    }

    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn stream_decoder(&self) -> Box<dyn StreamDecoder> {
        Box::new(stream::Decoder::default())
    }

    fn decode_error(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        error::decode(status, headers, body)
    }

    fn forward_request(&self, body: &Bytes, glance: &Glance, target: &Target) -> Result<Encoded> {
        forward::forward(body, glance, target)
    }

    fn reply_facts(&self, body: &[u8]) -> ReplyFacts {
        response::facts(body)
    }

    fn relay(&self, _show_usage: bool) -> Box<dyn Relay> {
        Box::new(relay::Forwarded::default())
    }
}

#[cfg(test)]
mod tests;
