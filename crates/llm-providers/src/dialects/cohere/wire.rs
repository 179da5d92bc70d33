//! The vendor's words: names of members, finish reasons and what they mean.
//!
//! Vendor's page: `v2/reference/chat`, "finish_reason". `ERROR_TOXIC` and `ERROR_LIMIT` are words of its
//! first version that models behind clouds still say.

use llm_types::{Error, ErrorKind, Finish};

/// The dialect's name in native parts, fields and citations.
pub(super) const NATIVE: &str = "cohere";

/// Where requests go, behind the target's base URL.
pub(super) const PATH: &str = "/v2/chat";

/// Marks reasoning that was a `tool_plan`.
pub(super) const TOOL_PLAN: &str = "tool_plan";

/// Where a document part keeps the vendor's form of it: `id` and `data`.
pub(super) const DOCUMENT: &str = "cohere_document";

/// The dialect's name of a parameter that OpenAI names otherwise.
pub(super) fn own_name(name: &str) -> &str {
    match name {
        "max_completion_tokens" => "max_tokens",
        "stop" => "stop_sequences",
        "top_k" => "k",
        "top_p" => "p",
        other => other,
    }
}

/// The meaning of a finish reason that is no failure.
pub(super) fn finish(word: &str) -> Finish {
    match word {
        "COMPLETE" => Finish::Stop,
        "STOP_SEQUENCE" => Finish::StopSequence(None),
        "MAX_TOKENS" => Finish::Length,
        "TOOL_CALL" => Finish::ToolCalls,
        "ERROR_TOXIC" => Finish::ContentFilter,
        "ERROR_LIMIT" => Finish::ContextWindow,
        other => Finish::Other(other.to_owned()),
    }
}

/// The error that a finish reason stands for, with the words that came with it.
pub(super) fn failure(word: &str, said: Option<&str>) -> Option<Error> {
    let (kind, usual) = match word {
        "ERROR" => (ErrorKind::BadUpstream, "the provider ended the answer with an error"),
        "TIMEOUT" => (ErrorKind::Timeout, "the provider took too long and ended the answer"),
        _ => return None,
    };
    Some(Error::new(kind, said.filter(|said| !said.is_empty()).unwrap_or(usual)).with_vendor_type(word))
}

/// The finish reason of an answer. An unknown word of another vendor is no clean end.
pub(super) fn finish_word(finish: Option<&Finish>, has_calls: bool) -> &'static str {
    match finish {
        Some(Finish::ToolCalls) => "TOOL_CALL",
        None | Some(Finish::Stop) if has_calls => "TOOL_CALL",
        None | Some(Finish::Stop | Finish::Pause) => "COMPLETE",
        Some(Finish::StopSequence(_)) => "STOP_SEQUENCE",
        Some(Finish::Length) => "MAX_TOKENS",
        Some(Finish::ContextWindow) => "ERROR_LIMIT",
        Some(Finish::ContentFilter | Finish::Refusal) => "ERROR_TOXIC",
        Some(Finish::Other(_)) => "ERROR",
    }
}
