//! Content blocks of the wire and the parts they stand for; used by requests, replies and streams.

mod read;
mod write;

pub(super) use read::{bad_reply, block, blocks, cache_mark, citation};
pub(super) use write::{
    KEPT, Wanted, cache, citation_json, is_named_file, part, tool_result_first, wanted, without_name,
};

/// The dialect's name in [`llm_types::PartKind::Native`] and citations.
pub(in crate::dialects) const NATIVE: &str = "anthropic";

/// The tool that stands in for a JSON schema on models that take none (the name LiteLLM uses, so that
/// replies read the same): its input is the answer. See [`super::request`].
pub(super) const ANSWER_TOOL: &str = "json_tool_call";

#[cfg(test)]
mod tests;
