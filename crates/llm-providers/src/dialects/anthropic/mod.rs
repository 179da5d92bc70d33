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
pub(crate) mod models;
mod relay;
mod request;
mod response;
mod stream;
mod usage;

pub(in crate::dialects) use content::NATIVE;
pub(in crate::dialects) use error::in_stream;
pub(in crate::dialects) use models::Traits;
pub(in crate::dialects) use request::{BETA_HEADER, Features, ThinkingPlan, add_extra, exact};

use http::HeaderMap;

use crate::Target;
use crate::dialect::{Dialect, Glance};
use crate::media::MediaKind;

/// The dialect.
#[derive(Debug, Clone, Copy, Default)]
pub struct Anthropic;

impl Dialect for Anthropic {
    by_files!(Anthropic, Sse);

    fn refused_defaults(&self, caller: &HeaderMap) -> &'static [&'static str] {
        forward::refused_defaults(caller)
    }

    fn takes_url(&self, kind: MediaKind, url: &str, target: &Target) -> bool {
        // The vendor fetches `https` only; for sound and film there is no block at all.
        let has_block = matches!(kind, MediaKind::Image | MediaKind::Document);
        !has_block || (url.starts_with("https://") && !target.spec.quirks.no_media_urls)
    }

    fn may_name_media(&self, body: &[u8], _glance: &Glance, target: &Target) -> bool {
        target.spec.quirks.no_media_urls && memchr::memmem::find(body, br#""url""#).is_some()
    }
}

#[cfg(test)]
mod tests;
