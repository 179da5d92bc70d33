//! Ollama's chat (`POST /api/chat`), both ways.
//!
//! Vendor's documentation: <https://docs.ollama.com/api/chat>, <https://docs.ollama.com/api/generate>.
//!
//! A record may ask for conversations without tools to be written as one prompt for `/api/generate`
//! ([`crate::Quirks::as_prompt`]); replies of either endpoint are read. What a translation cannot carry:
//! the order of texts, thoughts, pictures and calls within one message, pictures by URL, files that are no
//! text, sound, films, answers beyond the first, the choice of a tool, citations, signatures of reasoning.

mod error;
mod forward;
mod glance;
mod relay;
mod request;
mod response;
mod stream;
mod time;
mod usage;
mod wire;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use llm_types::{ChatRequest, ChatResponse, Error, Result};

use crate::dialect::{
    Dialect, Encoded, Framing, Glance, Relay, ReplyContext, ReplyFacts, StreamDecoder, StreamEncoder,
};
use crate::media::MediaKind;
use crate::{DialectId, Target};

/// The dialect.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ollama;

impl Dialect for Ollama {
    fn id(&self) -> DialectId {
        DialectId::Ollama
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

    fn takes_url(&self, kind: MediaKind, _url: &str, _target: &Target) -> bool {
        // The server fetches nothing, and has a place for pictures alone.
        kind != MediaKind::Image
    }

    fn decode_response(&self, body: &[u8]) -> Result<ChatResponse> {
        response::decode(body)
    }

    fn framing(&self) -> Framing {
        Framing::Ndjson
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
        // Usage is part of every stream of this dialect: there is nothing to hide.
        Box::new(relay::Forwarder::default())
    }
}

#[cfg(test)]
mod tests;
