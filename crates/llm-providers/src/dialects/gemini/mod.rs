//! Gemini `generateContent`, both ways.
//!
//! Vendor's documentation: <https://ai.google.dev/api/generate-content> (AI Studio) and
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference> (Vertex AI). The
//! wire is protocol buffers as JSON: members are read in `camelCase` and `snake_case` and written in
//! `camelCase`.
//!
//! What a translation cannot carry: names of speakers, cache marks, the switch for parallel calls, and
//! reasoning that only another vendor can read towards providers. Parts that only this dialect has
//! (code execution, calls of tools the provider runs) travel as native parts.
//!
//! Where a request goes ([`path`]) is apart from its body, so that clouds can put their own path in
//! front.

mod content;
mod count;
mod error;
mod forward;
mod glance;
mod models;
mod relay;
mod request;
mod response;
mod schema;
mod stream;
mod usage;
mod wire;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use llm_types::{ChatRequest, ChatResponse, Error, Result};

pub use count::{CountTokens, Counted};
pub use wire::{path, take_signatures};

use crate::dialect::{
    Dialect, Encoded, Framing, Glance, Relay, ReplyContext, ReplyFacts, StreamDecoder, StreamEncoder,
};
use crate::media::MediaKind;
use crate::{DialectId, Target};

/// The dialect.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gemini;

impl Dialect for Gemini {
    fn id(&self) -> DialectId {
        DialectId::Gemini
    }

    fn glance(&self, body: &[u8]) -> Result<Glance> {
        glance::glance(body)
    }

    fn decode_request(&self, body: &[u8]) -> Result<ChatRequest> {
        request::decode(body)
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

    fn takes_url(&self, kind: MediaKind, url: &str, target: &Target) -> bool {
        content::takes_url(kind, url, target)
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
        relay::reply_facts(body)
    }

    fn relay(&self, _show_usage: bool) -> Box<dyn Relay> {
        // Usage is part of every stream of this dialect: there is nothing to hide.
        Box::new(relay::Forwarder::default())
    }
}

#[cfg(test)]
mod tests;
