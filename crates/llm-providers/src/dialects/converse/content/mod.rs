//! Content blocks of the wire and the parts they stand for; used by requests, replies and streams.

mod cite;
mod media;
mod read;
mod write;

pub(super) use cite::{citation, citation_json};
pub(super) use media::image_mime;
pub(super) use read::{bad_reply, blocks, cache_mark, is_server_tool};
pub(super) use write::{Voice, Wanted, cache_point, part, tool_result_first, wanted};

/// The dialect's name in [`llm_types::PartKind::Native`] and citations.
pub(super) const NATIVE: &str = "converse";

/// The tool that stands in for a JSON schema on models that take none (the name LiteLLM uses, so that
/// replies read the same): its input is the answer. See [`super::request`].
pub(super) const ANSWER_TOOL: &str = "json_tool_call";

#[cfg(test)]
mod tests;
