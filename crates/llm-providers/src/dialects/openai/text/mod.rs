//! OpenAI's legacy Completions, <https://platform.openai.com/docs/api-reference/completions>, both ways.
//!
//! A prompt is the words of a user and an answer the words of the model; all else is Chat Completions'. For
//! a model that chats several prompts are [taken apart](apart); `echo`, `suffix`, `best_of` and prompts of token ids are
//! refused there, because a chat cannot say them. Providers with completions of their own get the caller's
//! bytes. Lost towards callers: reasoning, calls of tools, pictures.

mod convert;
mod glance;
mod logprobs;
mod request;
mod several;
mod stream;
mod write;

pub use several::{apart, together};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use llm_types::{ChatRequest, ChatResponse, Error, Result};

use super::chat::OpenaiChat;
use super::error;
use crate::dialect::{
    Dialect, Encoded, Framing, Glance, Relay, ReplyContext, ReplyFacts, StreamDecoder, StreamEncoder,
};
use crate::{DialectId, Target};

/// The path of the operation, behind the base URL.
const PATH: &str = "/completions";

/// The dialect.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenaiText;

/// Whether a model of OpenAI's own completes texts: those that chat refuse to.
#[must_use]
pub fn completes(model: &str) -> bool {
    let base = model.strip_prefix("ft:").unwrap_or(model);
    base.contains("-instruct") || base.starts_with("davinci") || base.starts_with("babbage")
}

impl Dialect for OpenaiText {
    fn id(&self) -> DialectId {
        DialectId::OpenaiText
    }

    fn glance(&self, body: &[u8]) -> Result<Glance> {
        glance::glance(body)
    }

    fn decode_request(&self, body: &[u8]) -> Result<ChatRequest> {
        request::decode(body)
    }

    fn encode_response(&self, response: &ChatResponse, cx: &ReplyContext) -> Result<Bytes> {
        Ok(write::encode(response, cx))
    }

    fn stream_encoder(&self, cx: ReplyContext) -> Box<dyn StreamEncoder> {
        Box::new(write::Encoder::new(cx))
    }

    fn encode_error(&self, error: &Error) -> (StatusCode, Bytes) {
        error::encode(error)
    }

    fn encode_request(&self, request: &ChatRequest, target: &Target) -> Result<Encoded> {
        request::encode(request, target)
    }

    fn decode_response(&self, body: &[u8]) -> Result<ChatResponse> {
        OpenaiChat.decode_response(&convert::reply(body))
    }

    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn stream_decoder(&self) -> Box<dyn StreamDecoder> {
        Box::new(stream::Decoder::new(OpenaiChat.stream_decoder()))
    }

    fn decode_error(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        error::decode(status, headers, body)
    }

    fn forward_request(&self, body: &Bytes, glance: &Glance, target: &Target) -> Result<Encoded> {
        let forwarded = OpenaiChat.forward_request(body, glance, target)?;
        Ok(Encoded { path: PATH.to_owned(), ..forwarded })
    }

    fn reply_facts(&self, body: &[u8]) -> ReplyFacts {
        OpenaiChat.reply_facts(&convert::reply(body))
    }

    fn relay(&self, show_usage: bool) -> Box<dyn Relay> {
        // Frames differ in where the text stands only, and its name is known there.
        OpenaiChat.relay(show_usage)
    }
}

#[cfg(test)]
mod tests;
