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

pub(crate) use glance::control_of;
pub(in crate::dialects) use request::SHOWN_BY_TOOLS;
pub(in crate::dialects) use request::options_of;
pub(super) use request::{Fate, Judge, Said, effort_of};
pub(in crate::dialects::openai) use stream::error_frame;
pub(super) use usage::read as read_usage;
pub(in crate::dialects::openai) use usage::write as write_usage;
pub(in crate::dialects) use wire::DIALECT;
pub(in crate::dialects::openai) use wire::finish_word;
pub(super) use wire::{DIALECT as NATIVE, audio_mime, data_uri, media_url};

use bytes::Bytes;

use super::error;
use crate::dialect::{Dialect, Glance};
use crate::media::MediaKind;
use crate::{Amendment, Target, scan};

/// The dialect.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenaiChat;

impl Dialect for OpenaiChat {
    by_files!(OpenaiChat, Sse);

    fn takes_url(&self, kind: MediaKind, _url: &str, target: &Target) -> bool {
        // `file` and `input_audio` have no member for a URL.
        match kind {
            MediaKind::Document => target.spec.quirks.files_as_given,
            MediaKind::Audio => false,
            MediaKind::Image | MediaKind::Video => !target.spec.quirks.no_media_urls,
        }
    }

    fn may_name_media(&self, body: &[u8], glance: &Glance, target: &Target) -> bool {
        // LiteLLM's callers give the URLs of documents as `file_id`.
        let quirks = &target.spec.quirks;
        let names = |name: &str| {
            glance.may_hold(name)
                && memchr::memmem::find(body, &scan::quoted(name))
                    .is_some_and(|at| memchr::memmem::find(&body[at..], b"http").is_some())
        };
        (!quirks.files_as_given && names("file_id")) || (quirks.no_media_urls && names("url"))
    }

    fn rewrites(&self, body: &[u8], glance: &Glance, target: &Target) -> bool {
        // The reply must be read: the call of the tool that stands in for the schema is the answer.
        target.spec.quirks.amend.contains(&Amendment::SchemaByTool)
            && glance.may_hold("response_format")
            && memchr::memmem::find(body, b"json_schema").is_some()
    }

    fn mended_reply(&self, body: &Bytes) -> Option<Bytes> {
        ids::filled(body, None)
    }
}
