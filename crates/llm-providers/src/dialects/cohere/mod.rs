//! Cohere Chat, version 2 (`POST /v2/chat`), both ways.
//!
//! Vendor's documentation: <https://docs.cohere.com/v2/reference/chat> and
//! <https://docs.cohere.com/v2/reference/chat-stream>.
//!
//! `documents` travel as document parts of the last user message, a tool plan as reasoning marked as one.
//! What a translation cannot carry: answers beyond the first, alternatives of log-probabilities, sound,
//! films and files that are no text, a switch of parallel calls, signatures of reasoning. A citation of
//! several sources becomes one with the first source that has an address.

mod citation;
mod content;
mod error;
mod forward;
mod glance;
mod logprobs;
mod models;
mod relay;
mod request;
mod response;
mod stream;
mod usage;
mod v1;
mod wire;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use llm_types::{ChatRequest, ChatResponse, Error, Result};

use crate::dialect::{
    Dialect, Encoded, Framing, Glance, Relay, ReplyContext, ReplyFacts, StreamDecoder, StreamEncoder,
};
use crate::{DialectId, Target};

pub use v1::CohereV1;

/// The dialect.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cohere;

impl Dialect for Cohere {
    fn id(&self) -> DialectId {
        DialectId::Cohere
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
        // Usage is part of every stream of this dialect: there is nothing to hide.
        Box::new(relay::Forwarder::default())
    }
}

#[cfg(test)]
mod tests;
