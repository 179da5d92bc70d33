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

use crate::Target;
use crate::dialect::Dialect;
use crate::media::MediaKind;

/// The dialect.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ollama;

impl Dialect for Ollama {
    by_files!(Ollama, Ndjson);

    fn takes_url(&self, kind: MediaKind, _url: &str, _target: &Target) -> bool {
        // The server fetches nothing, and has a place for pictures alone.
        kind != MediaKind::Image
    }
}

#[cfg(test)]
mod tests;
