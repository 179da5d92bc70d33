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

pub use v1::CohereV1;

use crate::dialect::Dialect;

/// The dialect.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cohere;

impl Dialect for Cohere {
    by_files!(Cohere, Sse);
}

#[cfg(test)]
mod tests;
