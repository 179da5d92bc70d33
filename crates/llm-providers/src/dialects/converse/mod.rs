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

use http::HeaderMap;
use llm_types::Error;

pub(in crate::dialects) use error::decode as decode_error;
pub use nova::Nova;

use crate::Target;
use crate::dialect::Dialect;
use crate::media::MediaKind;

/// The dialect.
#[derive(Debug, Clone, Copy, Default)]
pub struct Converse;

impl Dialect for Converse {
    by_files!(Converse, EventStream);

    fn error_headers(&self, error: &Error) -> HeaderMap {
        error::headers(error)
    }

    fn takes_url(&self, kind: MediaKind, _url: &str, target: &Target) -> bool {
        // Nothing is fetched but objects in S3. Sound that the model cannot hear is refused as such.
        kind == MediaKind::Audio && !models::Model::of(target.family()).audio
    }
}

#[cfg(test)]
mod tests;
