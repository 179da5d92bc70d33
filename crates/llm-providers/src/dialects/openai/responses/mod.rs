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
mod whole;
mod wire;

pub use stored::{Outline, input_items, last_reply, outline, placeholder, with_history};
pub use whole::whole;
pub use wire::DIALECT;
pub(in crate::dialects) use wire::is_sealed;

use std::sync::Arc;

use serde_json::{Map, Value};

use super::error;
use crate::Target;
use crate::dialect::Dialect;
use crate::media::MediaKind;

/// The dialect.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenaiResponses;

impl Dialect for OpenaiResponses {
    by_files!(OpenaiResponses, Sse);

    fn echo(&self, body: &[u8]) -> Option<Arc<Map<String, Value>>> {
        echo::echo(body)
    }

    fn takes_url(&self, kind: MediaKind, _url: &str, target: &Target) -> bool {
        // `input_audio` has no member for a URL.
        kind != MediaKind::Audio && !target.spec.quirks.no_media_urls
    }
}

#[cfg(test)]
mod tests;
