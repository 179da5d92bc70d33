//! Cohere Chat, version 1 (`POST /v1/chat`), the provider's side: models that version 2 does not serve are
//! called by it, with names that begin with `v1/`. Its callers' side is version 2's.
//!
//! Vendor's documentation: <https://docs.cohere.com/v1/reference/chat>.
//!
//! What a translation cannot carry: pictures, the choice of a tool, log-probabilities, thinking, ids of
//! calls. A schema of arguments that is more than types and descriptions is told in the descriptions.

mod request;
mod response;
mod stream;
mod tools;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use llm_types::{ChatRequest, ChatResponse, Error, Result};

use super::{Cohere, error};
use crate::dialect::{
    Dialect, Encoded, Framing, Glance, Relay, ReplyContext, ReplyFacts, StreamDecoder, StreamEncoder,
};
use crate::{DialectId, Target};

/// The dialect.
#[derive(Debug, Clone, Copy, Default)]
pub struct CohereV1;

impl Dialect for CohereV1 {
    fn id(&self) -> DialectId {
        DialectId::CohereV1
    }

    fn glance(&self, body: &[u8]) -> Result<Glance> {
        Cohere.glance(body)
    }

    fn decode_request(&self, body: &[u8]) -> Result<ChatRequest> {
        Cohere.decode_request(body)
    }

    fn encode_response(&self, response: &ChatResponse, cx: &ReplyContext) -> Result<Bytes> {
        Cohere.encode_response(response, cx)
    }

    fn stream_encoder(&self, cx: ReplyContext) -> Box<dyn StreamEncoder> {
        Cohere.stream_encoder(cx)
    }

    fn encode_error(&self, error: &Error) -> (StatusCode, Bytes) {
        Cohere.encode_error(error)
    }

    fn encode_request(&self, request: &ChatRequest, target: &Target) -> Result<Encoded> {
        request::encode(request, target)
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

    fn forward_request(&self, body: &Bytes, _glance: &Glance, target: &Target) -> Result<Encoded> {
        request::encode(&self.decode_request(body)?, target)
    }

    fn reply_facts(&self, body: &[u8]) -> ReplyFacts {
        Cohere.reply_facts(body)
    }

    fn relay(&self, show_usage: bool) -> Box<dyn Relay> {
        Cohere.relay(show_usage)
    }
}

#[cfg(test)]
mod tests;
