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

pub use count::{CountTokens, Counted};
pub use wire::{carries_signatures, path, take_signatures};

use crate::Target;
use crate::dialect::Dialect;
use crate::media::MediaKind;

/// The dialect.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gemini;

impl Dialect for Gemini {
    by_files!(Gemini, Sse);

    fn takes_url(&self, kind: MediaKind, url: &str, target: &Target) -> bool {
        content::takes_url(kind, url, target)
    }
}

#[cfg(test)]
mod tests;
