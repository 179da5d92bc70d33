//! Amazon Bedrock Converse (`POST /model/{id}/converse` and `/converse-stream`), both ways.
//!
//! Vendor's documentation:
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>. The model stands
//! in the path and so does whether a stream is wanted; streams are framed as AWS event streams.
//!
//! What a translation cannot carry: answers beyond the first, log-probabilities, pictures by web
//! address, the guardrail trace of a stream, and the signatures other vendors put on texts and calls.
//! Blocks that only this dialect has (guarded content, search results, provider-run tools, …) travel as
//! native parts and come back unchanged where both parties speak it; other dialects leave them out.
//! A tool result given as `json` is carried as its text.

mod content;
mod error;
mod forward;
mod glance;
mod models;
mod nova;
mod relay;
mod request;
mod response;
mod stream;
mod usage;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use llm_types::{ChatRequest, ChatResponse, Error, Result};

pub(in crate::dialects) use error::decode as decode_error;
pub use nova::Nova;

use crate::dialect::{
    Dialect, Encoded, Framing, Glance, Relay, ReplyContext, ReplyFacts, StreamDecoder, StreamEncoder,
};
use crate::media::MediaKind;
use crate::{DialectId, Target};

/// The dialect.
#[derive(Debug, Clone, Copy, Default)]
pub struct Converse;

impl Dialect for Converse {
    fn id(&self) -> DialectId {
        DialectId::Converse
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

    fn error_headers(&self, error: &Error) -> HeaderMap {
        error::headers(error)
    }

    fn encode_request(&self, request: &ChatRequest, target: &Target) -> Result<Encoded> {
        request::encode(request, target)
    }

    fn takes_url(&self, kind: MediaKind, _url: &str, target: &Target) -> bool {
        // Nothing is fetched but objects in S3. Sound that the model cannot hear is refused as such.
        kind == MediaKind::Audio && !models::Model::of(target.family()).audio
    }

    fn decode_response(&self, body: &[u8]) -> Result<ChatResponse> {
        response::decode(body)
    }

    fn framing(&self) -> Framing {
        Framing::EventStream
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
