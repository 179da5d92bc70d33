//! Hosts that complete a prompt, the provider's side: each [`Wire`] is a family of models with its own names
//! for parameters and its own [`Template`] for conversations.
//!
//! Vendors' documentation: <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html>, and the
//! page each [`Wire`] names.
//!
//! What a prompt cannot hold: tools, media, structured output, reasoning on request; such parameters are
//! refused or dropped by policy. Calls of the past are written where the family has a form for them.
//!
//! Nobody calls in this dialect: callers who send prompts speak OpenAI's Completions, and the caller's side
//! is that dialect's.

mod error;
pub mod own;
mod prediction;
mod reply;
mod request;
mod stream;
mod template;
mod think;
mod wire;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use llm_types::{ChatRequest, ChatResponse, Error, Result};
use serde_json::Value;

pub use own::OwnTemplate;
pub(crate) use reply::METRICS;
pub use template::{Speaker, Template, Turn};
pub use wire::Wire;

use super::OPENAI_TEXT;
use crate::dialect::{
    Dialect, Encoded, Framing, Glance, Relay, ReplyContext, ReplyFacts, StreamDecoder, StreamEncoder,
};
use crate::media::MediaKind;
use crate::{DialectId, Target};

/// The dialect on one wire.
#[derive(Debug, Clone, Copy)]
pub struct Prompt(Wire);

impl Prompt {
    /// The dialect of a wire.
    #[must_use]
    pub fn on(wire: Wire) -> &'static dyn Dialect {
        match wire {
            Wire::Titan => &Self(Wire::Titan),
            Wire::Llama => &Self(Wire::Llama),
            Wire::OwnLlama => &Self(Wire::OwnLlama),
            Wire::Mistral => &Self(Wire::Mistral),
            Wire::Command => &Self(Wire::Command),
            Wire::Jurassic => &Self(Wire::Jurassic),
            Wire::OwnDeepseek => &Self(Wire::OwnDeepseek),
            Wire::OwnQwen => &Self(Wire::OwnQwen),
            Wire::Complete => &Self(Wire::Complete),
            Wire::Generation => &Self(Wire::Generation),
            Wire::TextGeneration => &Self(Wire::TextGeneration),
            Wire::Lorax => &Self(Wire::Lorax),
            Wire::Triton => &Self(Wire::Triton),
            Wire::Prediction => &Self(Wire::Prediction),
            Wire::Watsonx => &Self(Wire::Watsonx),
        }
    }
}

impl Dialect for Prompt {
    fn id(&self) -> DialectId {
        DialectId::Prompt(self.0)
    }

    fn glance(&self, body: &[u8]) -> Result<Glance> {
        OPENAI_TEXT.glance(body)
    }

    fn decode_request(&self, body: &[u8]) -> Result<ChatRequest> {
        OPENAI_TEXT.decode_request(body)
    }

    fn encode_response(&self, response: &ChatResponse, cx: &ReplyContext) -> Result<Bytes> {
        OPENAI_TEXT.encode_response(response, cx)
    }

    fn stream_encoder(&self, cx: ReplyContext) -> Box<dyn StreamEncoder> {
        OPENAI_TEXT.stream_encoder(cx)
    }

    fn encode_error(&self, error: &Error) -> (StatusCode, Bytes) {
        OPENAI_TEXT.encode_error(error)
    }

    fn encode_request(&self, request: &ChatRequest, target: &Target) -> Result<Encoded> {
        request::encode(request, target, self.0)
    }

    fn takes_url(&self, _kind: MediaKind, _url: &str, _target: &Target) -> bool {
        // A prompt holds no media: they are refused as such.
        true
    }

    fn decode_response(&self, body: &[u8]) -> Result<ChatResponse> {
        reply::decode(body, self.0.thinks())
    }

    fn answers_later(&self) -> bool {
        self.0 == Wire::Prediction
    }

    fn later(&self, body: &[u8]) -> Option<String> {
        if self.answers_later() { prediction::later(body) } else { None }
    }

    fn framing(&self) -> Framing {
        self.0.framing()
    }

    fn stream_decoder(&self) -> Box<dyn StreamDecoder> {
        match self.0 {
            Wire::Prediction => Box::<prediction::Decoder>::default(),
            wire => Box::new(stream::Decoder::new(wire.thinks(), wire.form().ends_silently)),
        }
    }

    fn decode_error(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        error::decode(status, headers, body, self.0)
    }

    fn forward_request(&self, body: &Bytes, glance: &Glance, target: &Target) -> Result<Encoded> {
        OPENAI_TEXT.forward_request(body, glance, target)
    }

    fn reply_facts(&self, body: &[u8]) -> ReplyFacts {
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        ReplyFacts { usage: reply::usage(&value), error: reply::stated(&value), ..ReplyFacts::default() }
    }

    fn relay(&self, show_usage: bool) -> Box<dyn Relay> {
        OPENAI_TEXT.relay(show_usage)
    }
}

#[cfg(test)]
mod tests;
