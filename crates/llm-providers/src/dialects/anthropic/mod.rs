//! Anthropic Messages (`POST /v1/messages`, API version 2023-06-01), both ways.
//!
//! Vendor's documentation: <https://platform.claude.com/docs/en/api/messages>.
//!
//! What a translation cannot carry: answers beyond the first, log-probabilities, audio, and the
//! signatures other vendors put on texts and calls. Blocks that only this dialect has (provider-run
//! tools and their results, search results, compaction, …) travel as native parts and come back
//! unchanged where both parties speak it; other dialects leave them out.

mod content;
pub mod count;
mod error;
mod forward;
mod glance;
mod models;
mod relay;
mod request;
mod response;
mod stream;
mod usage;

pub(in crate::dialects) use content::NATIVE;
pub(in crate::dialects) use error::in_stream;
pub(in crate::dialects) use models::Traits;
pub(in crate::dialects) use request::{BETA_HEADER, Features, ThinkingPlan, add_extra, exact};
pub(in crate::dialects) use stream::Depth;

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
pub struct Anthropic;

impl Dialect for Anthropic {
    fn id(&self) -> DialectId {
        DialectId::Anthropic
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
        // The vendor fetches `https` only; for sound and film there is no block at all.
        let has_block = matches!(kind, MediaKind::Image | MediaKind::Document);
        !has_block || (url.starts_with("https://") && !target.spec.quirks.no_media_urls)
    }

    fn may_name_media(&self, body: &[u8], _glance: &Glance, target: &Target) -> bool {
        target.spec.quirks.no_media_urls && memchr::memmem::find(body, br#""url""#).is_some()
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

    fn refused_defaults(&self, caller: &HeaderMap) -> &'static [&'static str] {
        forward::refused_defaults(caller)
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
