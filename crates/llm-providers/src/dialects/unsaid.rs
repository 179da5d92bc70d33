//! What callers of other dialects say and a dialect has no place for, though the answer does not hang on it:
//! it is left out, as LiteLLM leaves it out, and the caller is told ([`crate::left_out`]).

use llm_types::{ChatRequest, Part, PartKind, ResponseFormat, Tool};

use crate::left_out::note;

/// Something a dialect may have no place for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialects) enum Unsaid {
    /// The name of who speaks.
    Speaker,
    /// Marks of what is to be cached.
    CacheMark,
    /// Signatures of thoughts, which their maker alone can check.
    Signature,
    /// Thoughts that their maker alone can read.
    Redacted,
    /// Names of files.
    FileName,
    /// How closely to look at a picture.
    Detail,
    /// That arguments must follow a tool's schema.
    Strict,
    /// The name of an answer's schema.
    SchemaName,
    /// That the answer is any JSON object: the prompt has to say it.
    JsonObject,
    /// The end user.
    User,
    /// That a tool failed: its text tells.
    ErrorMark,
    /// What an answer of the past cited, of other vendors than this one (its name in citations).
    Citations(&'static str),
    /// Members nobody knows, in messages.
    Members,
    /// Members nobody knows, in parts of messages, but for those that are written.
    PartMembers(&'static [&'static str]),
    /// Members nobody knows, in tools, but for those that are written.
    ToolMembers(&'static [&'static str]),
}

/// What dialects of plain words have no place for: no names, marks, signatures, titles or schemas.
pub(in crate::dialects) const PLAIN: &[Unsaid] = &[
    Unsaid::Speaker,
    Unsaid::CacheMark,
    Unsaid::Signature,
    Unsaid::Redacted,
    Unsaid::FileName,
    Unsaid::Detail,
    Unsaid::Strict,
    Unsaid::SchemaName,
    Unsaid::User,
    Unsaid::ErrorMark,
    Unsaid::Members,
    Unsaid::PartMembers(&[]),
    Unsaid::ToolMembers(&[]),
];

/// Members of parts that our own readers put there: no caller said them.
const OURS: [&str; 3] = ["cohere_document", "tool_plan", "within_message"];

/// Notes what a request says of what a dialect has no place for.
pub(in crate::dialects) fn note_unsaid(request: &ChatRequest, lacks: &[Unsaid]) {
    for lack in lacks {
        match lack {
            Unsaid::Members => members(request),
            Unsaid::PartMembers(kept) => part_members(request, kept),
            Unsaid::ToolMembers(kept) => tool_members(&request.tools, kept),
            _ if lack.is_in(request) => note(lack.name()),
            _ => {}
        }
    }
}

/// Notes a part that says nothing to this provider: thoughts can be left out, empty text is nothing.
pub(in crate::dialects) fn note_silence(part: &Part) {
    if matches!(part.kind, PartKind::Reasoning { .. } | PartKind::RedactedReasoning { .. }) {
        note("thinking");
    }
}

impl Unsaid {
    /// What callers are told, in the words of their APIs.
    const fn name(self) -> &'static str {
        match self {
            Self::Speaker => "messages.name",
            Self::CacheMark => "cache_control",
            Self::Signature => "thinking.signature",
            Self::Redacted => "redacted_thinking",
            Self::FileName => "file.filename",
            Self::Detail => "image_url.detail",
            Self::Strict => "tools.strict",
            Self::SchemaName => "response_format.json_schema.name",
            Self::JsonObject => "response_format",
            Self::User => "user",
            Self::ErrorMark => "tool_result.is_error",
            Self::Citations(_) => "citations",
            Self::Members => "messages",
            Self::PartMembers(_) => "messages.content",
            Self::ToolMembers(_) => "tools",
        }
    }

    fn is_in(self, request: &ChatRequest) -> bool {
        let options = &request.options;
        match self {
            Self::Speaker => request.messages.iter().any(|message| message.name.is_some()),
            Self::Strict => request.tools.iter().any(|tool| tool.strict == Some(true)),
            Self::JsonObject => options.response_format == Some(ResponseFormat::JsonObject),
            Self::SchemaName => {
                matches!(&options.response_format, Some(ResponseFormat::JsonSchema { name: Some(_), .. }))
            }
            Self::User => options.user.is_some(),
            Self::CacheMark if request.tools.iter().any(|tool| tool.cache.is_some()) => true,
            _ => any_part(request, |part| self.is_in_part(part)),
        }
    }

    fn is_in_part(self, part: &Part) -> bool {
        match (self, &part.kind) {
            (Self::CacheMark, _) => part.cache.is_some(),
            (Self::Signature, PartKind::Reasoning { .. }) => part.signature.is_some(),
            (Self::Redacted, PartKind::RedactedReasoning { .. }) => true,
            (Self::FileName, PartKind::Document(media)) => media.title.is_some(),
            (Self::Detail, PartKind::Image(media)) => {
                media.detail.as_deref().is_some_and(|detail| detail != "auto")
            }
            (Self::ErrorMark, PartKind::ToolResult(result)) => result.is_error == Some(true),
            (Self::Citations(own), PartKind::Text { citations, .. }) => {
                citations.iter().any(|cited| cited.dialect.as_deref() != Some(own))
            }
            _ => false,
        }
    }
}

/// Whether there is such a part, within the results of tools too.
fn any_part(request: &ChatRequest, is_such: impl Fn(&Part) -> bool) -> bool {
    request.messages.iter().flat_map(|message| &message.parts).any(|part| {
        is_such(part)
            || matches!(&part.kind, PartKind::ToolResult(result) if result.parts.iter().any(&is_such))
    })
}

fn members(request: &ChatRequest) {
    for name in request.messages.iter().flat_map(|message| message.extra.0.keys()) {
        note(format!("messages.{name}"));
    }
}

fn part_members(request: &ChatRequest, kept: &[&str]) {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    let names = parts.flat_map(|part| part.extra.0.keys()).map(String::as_str);
    for name in names.filter(|name| !OURS.contains(name) && !kept.contains(name)) {
        note(format!("messages.content.{name}"));
    }
}

fn tool_members(tools: &[Tool], kept: &[&str]) {
    let names = tools.iter().flat_map(|tool| tool.extra.0.keys());
    for name in names.filter(|name| !kept.contains(&name.as_str())) {
        note(format!("tools.{name}"));
    }
}
