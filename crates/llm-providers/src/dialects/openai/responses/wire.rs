//! The API's words: ids, states, ends, and what travels in `encrypted_content`.
//!
//! Source: OpenAI API reference, `CreateResponse` and `Response`.

use std::borrow::Cow;

use llm_types::{Finish, Part, PartKind};
use serde_json::{Value, json};

use crate::dialect::ReplyContext;
use crate::scan::Item;

/// The id under which native parts and tools of this dialect travel.
pub const DIALECT: &str = "openai_responses";

/// The path of the operation, behind the base URL.
pub(super) const PATH: &str = "/responses";

/// Before a reasoning item's id and encrypted content in the signature of a part.
const SEALED: &str = "rs1|";
/// Before another vendor's signature in `encrypted_content`.
const SIGNED: &str = "sig1|";
/// Before another vendor's redacted reasoning in `encrypted_content`.
const REDACTED: &str = "red1|";

/// Whether a signature, or redacted reasoning, is a reasoning item of this API: no other vendor takes it.
pub(in crate::dialects) fn is_sealed(signature: &str) -> bool {
    signature.starts_with(SEALED)
}

/// A reasoning item's id and encrypted content as one signature.
pub(super) fn sealed(id: &str, encrypted: &str) -> String {
    format!("{SEALED}{id}|{encrypted}")
}

/// The id and encrypted content behind a signature of [`sealed`].
pub(super) fn unsealed(signature: &str) -> Option<(&str, &str)> {
    signature.strip_prefix(SEALED)?.split_once('|')
}

/// A reasoning item's part: its text, or what only its vendor reads; `None` when it says nothing.
pub(super) fn reasoning_part(id: &str, text: String, encrypted: Option<&str>) -> Option<Part> {
    let shown = |text, signature| {
        let mut part = Part::reasoning(text, signature);
        if let PartKind::Reasoning { summary, .. } = &mut part.kind {
            *summary = true;
        }
        part
    };
    match encrypted.filter(|encrypted| !encrypted.is_empty()) {
        None => (!text.is_empty()).then(|| shown(text, None)),
        Some(encrypted) => Some(if let Some(data) = encrypted.strip_prefix(REDACTED) {
            Part::new(PartKind::RedactedReasoning { data: data.to_owned() })
        } else if let Some(signature) = encrypted.strip_prefix(SIGNED) {
            shown(text, Some(signature.to_owned()))
        } else if text.is_empty() {
            Part::new(PartKind::RedactedReasoning { data: sealed(id, encrypted) })
        } else {
            shown(text, Some(sealed(id, encrypted)))
        }),
    }
}

/// A reasoning item for a caller. Another vendor's signature stands in `encrypted_content`, marked, so
/// that it comes back with the item.
pub(super) fn reasoning_item(id: &str, text: &str, signature: Option<&str>, redacted: bool) -> Value {
    let own = signature.and_then(unsealed);
    let id = own.map_or(id, |(id, _)| id);
    let encrypted = match (own, signature) {
        (Some((_, encrypted)), _) => Some(encrypted.to_owned()),
        (None, Some(signature)) => Some(format!("{}{signature}", if redacted { REDACTED } else { SIGNED })),
        (None, None) => None,
    };
    let summary: Vec<Value> =
        if text.is_empty() { Vec::new() } else { vec![json!({"type": "summary_text", "text": text})] };
    let mut item = json!({"id": id, "type": "reasoning", "summary": summary});
    if let Some(encrypted) = encrypted {
        item["encrypted_content"] = encrypted.into();
    }
    item
}

/// The reply's id: the one the gateway gave, which callers ask for later.
pub(super) fn reply_id<'a>(cx: &'a ReplyContext, theirs: &'a str) -> Cow<'a, str> {
    match (cx.id.as_str(), theirs) {
        ("", "") => Cow::Borrowed("resp_0"),
        ("", theirs) if theirs.starts_with("resp_") => Cow::Borrowed(theirs),
        ("", theirs) => Cow::Owned(format!("resp_{theirs}")),
        (id, _) if id.starts_with("resp_") => Cow::Borrowed(id),
        (id, _) => Cow::Owned(format!("resp_{}", id.replace('-', ""))),
    }
}

/// The id of an item, made from the reply's.
pub(super) fn item_id(kind: &str, reply: &str, number: usize) -> String {
    format!("{kind}_{}{number:02x}", reply.strip_prefix("resp_").unwrap_or(reply))
}

/// The state of a finished reply and, where it is not whole, why. `refused` tells that the reply says
/// in words why the model declined.
pub(super) fn state_of(finish: Option<&Finish>, refused: bool) -> (&'static str, Option<&'static str>) {
    match finish {
        Some(Finish::Length | Finish::ContextWindow) => ("incomplete", Some("max_output_tokens")),
        Some(Finish::ContentFilter) => ("incomplete", Some("content_filter")),
        Some(Finish::Refusal) if !refused => ("incomplete", Some("content_filter")),
        _ => ("completed", None),
    }
}

/// Why a reply ended, from its state and details.
pub(super) fn finish_of(reply: Item<'_>, calls: bool) -> Finish {
    let status = reply.member("status").and_then(|status| status.as_str()).unwrap_or_default();
    let reason = reply.at(&["incomplete_details", "reason"]).and_then(|reason| reason.as_str());
    match (&*status, reason.as_deref()) {
        ("incomplete", Some("content_filter")) => Finish::ContentFilter,
        ("incomplete", Some("max_output_tokens") | None) => Finish::Length,
        ("incomplete", Some(other)) => Finish::Other(other.to_owned()),
        _ if calls => Finish::ToolCalls,
        _ => Finish::Stop,
    }
}
