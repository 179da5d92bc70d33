//! OpenAI Chat Completions, <https://platform.openai.com/docs/api-reference/chat>, both ways, with the
//! additions LiteLLM made to it (`reasoning_content`, `thinking_blocks`, `cache_control`, `thinking`).
//!
//! Lost on the way through the canonical form: which of `max_tokens` and `max_completion_tokens` was
//! sent, null members, and signatures of reasoning towards providers (the dialect has no place for
//! them).

mod amend;
mod forward;
mod glance;
mod ids;
mod models;
mod relay;
mod request;
mod response;
mod stream;
mod usage;
mod wire;

pub(in crate::dialects) use glance::control_of;
pub(in crate::dialects) use request::SHOWN_BY_TOOLS;
pub(in crate::dialects) use request::options_of;
pub(super) use request::{Fate, Judge, Said, effort_of};
pub(in crate::dialects::openai) use stream::{cut, error_frame};
pub(super) use usage::read as read_usage;
pub(in crate::dialects::openai) use usage::write as write_usage;
pub(in crate::dialects) use wire::DIALECT;
pub(in crate::dialects::openai) use wire::finish_word;
pub(super) use wire::{DIALECT as NATIVE, audio_mime, data_uri, media_url};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use llm_types::{ChatRequest, ChatResponse, Error, Result};

use super::error;
use crate::dialect::{
    Dialect, Encoded, Framing, Glance, Relay, ReplyContext, ReplyFacts, StreamDecoder, StreamEncoder,
};
use crate::media::MediaKind;
use crate::{DialectId, Target};

/// The dialect.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenaiChat;

impl Dialect for OpenaiChat {
    fn id(&self) -> DialectId {
        DialectId::OpenaiChat
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

    fn takes_url(&self, kind: MediaKind, _url: &str, target: &Target) -> bool {
        // `file` and `input_audio` have no member for a URL.
        match kind {
            MediaKind::Document | MediaKind::Audio => false,
            MediaKind::Image | MediaKind::Video => !target.spec.quirks.no_media_urls,
        }
    }

    fn may_name_media(&self, body: &[u8], glance: &Glance, target: &Target) -> bool {
        // LiteLLM's callers give the URLs of documents as `file_id`.
        let named =
            glance.may_hold("file_id") || (target.spec.quirks.no_media_urls && glance.may_hold("url"));
        let names = |name: &[u8]| {
            memchr::memmem::find(body, name)
                .is_some_and(|at| memchr::memmem::find(&body[at..], b"http").is_some())
        };
        named && (names(br#""file_id""#) || (target.spec.quirks.no_media_urls && names(br#""url""#)))
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

    fn mended_reply(&self, body: &Bytes) -> Option<Bytes> {
        ids::filled(body, None)
    }

    fn relay(&self, show_usage: bool) -> Box<dyn Relay> {
        Box::new(relay::Forwarded::new(show_usage))
    }
}
