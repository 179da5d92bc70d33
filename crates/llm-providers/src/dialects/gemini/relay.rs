//! Replies forwarded as they came between parties of this dialect, read only for settlement.

use bytes::BytesMut;
use llm_types::{Error, ErrorKind, Usage};
use serde_json::Value;

use super::error;
use super::response::{blocked, searches};
use super::stream::error_frame;
use super::usage::WireUsage;
use super::wire::{finish_of, finish_said};
use crate::dialect::ReplyFacts;
use crate::dialects::pass;
use crate::framing::sse;
use crate::scan::{self, Item, Kind};

/// What settlement needs to know of a whole reply.
pub(super) fn reply_facts(body: &[u8]) -> ReplyFacts {
    let mut facts = ReplyFacts::default();
    let mut answers = Answers::default();
    let Ok(reply) = scan::value(body) else {
        facts.error = Some(Error::new(ErrorKind::BadUpstream, "provider reply is not JSON"));
        return facts;
    };
    match reply.kind {
        // A stream asked for without `alt=sse`.
        Kind::Array => reply.elements(|element| look(element, &mut facts, &mut answers)),
        _ => look(reply, &mut facts, &mut answers),
    }
    if facts.error.is_some() {
        return facts;
    }
    if answers.list.is_empty() && !answers.blocked {
        let message = "provider reply has no `candidates` and no reason for that in `promptFeedback`";
        facts.error = Some(Error::new(ErrorKind::BadUpstream, message));
        return facts;
    }
    facts.complete = true;
    facts
}

/// What is known of the answers of a stream.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Number of each answer, whether it has ended, whether it asks for tools.
    list: Vec<(u64, bool, bool)>,
    blocked: bool,
}

impl Answers {
    fn complete(&self) -> bool {
        self.blocked || (!self.list.is_empty() && self.list.iter().all(|(_, ended, _)| *ended))
    }
}

/// Forwards a stream.
pub(super) type Forwarder = pass::Forwarder<Answers>;

impl pass::Look for Answers {
    fn frame(&mut self, raw: &[u8], facts: &mut ReplyFacts) {
        frame(raw, facts, self);
    }

    /// The wire has no last frame: an answer is complete when every part of it has said why it ended.
    fn close(&mut self, cut: bool, facts: &mut ReplyFacts) {
        facts.complete = !cut && self.complete();
    }

    fn error(error: &Error, out: &mut BytesMut) {
        error_frame(error, out);
    }
}

fn frame(raw: &[u8], facts: &mut ReplyFacts, answers: &mut Answers) {
    let fields = sse::fields(raw);
    if let Ok(data) = scan::value(&fields.data) {
        look(data, facts, answers);
    }
}

/// Learns from one reply object what settlement needs.
fn look(data: Item<'_>, facts: &mut ReplyFacts, answers: &mut Answers) {
    if facts.error.is_some() {
        return;
    }
    let mut found = 0;
    data.members(|member| {
        let value = member.value;
        match &*member.name {
            "responseId" if facts.id.is_none() => facts.id = value.as_str().map(Into::into),
            "modelVersion" if facts.model.is_none() => facts.model = value.as_str().map(Into::into),
            "usageMetadata" => usage(value, facts),
            "promptFeedback" => {
                answers.blocked |= json(value).as_ref().is_some_and(blocked);
                if answers.blocked && facts.finish.is_none() {
                    facts.finish = Some(llm_types::Finish::ContentFilter);
                }
            }
            "candidates" => value.elements(|candidate| found += candidate_of(candidate, facts, answers)),
            "error" => facts.error = json(data).as_ref().and_then(error::stated),
            _ => {}
        }
    });
    if found > 0 {
        let usage = facts.usage.get_or_insert_with(Usage::default);
        usage.web_searches = usage.web_searches.max(Some(found));
    }
}

fn usage(value: Item<'_>, facts: &mut ReplyFacts) {
    let wire = serde_json::from_str::<WireUsage>(value.text).ok();
    if let Some(later) = wire.and_then(|wire| wire.canonical()) {
        facts.usage.get_or_insert_with(Usage::default).update(&later);
    }
}

/// Learns from a candidate; returns how many searches the vendor made for it.
fn candidate_of(candidate: Item<'_>, facts: &mut ReplyFacts, answers: &mut Answers) -> u64 {
    let index = candidate.member("index").and_then(|index| index.as_u64()).unwrap_or(0);
    let at = answers.list.iter().position(|(known, ..)| *known == index).unwrap_or_else(|| {
        answers.list.push((index, false, false));
        answers.list.len() - 1
    });
    if let Some(parts) = candidate.at(&["content", "parts"]) {
        parts.elements(|part| {
            answers.list[at].2 |= note_part(part, facts);
        });
    }
    let reason = candidate.member("finishReason").and_then(json);
    if let Some(word) = reason.as_ref().and_then(finish_said) {
        answers.list[at].1 = true;
        if index == 0 {
            facts.finish = Some(finish_of(word, answers.list[at].2));
        }
    }
    candidate.member("groundingMetadata").and_then(json).map_or(0, |grounding| searches(&grounding))
}

/// Takes note of a part: how long it is, and what it calls; false where it calls nothing.
fn note_part(part: Item<'_>, facts: &mut ReplyFacts) -> bool {
    let mut is_call = false;
    part.members(|member| match (&*member.name, member.value.kind) {
        ("text", Kind::String) => facts.answer_bytes += member.value.text.len() as u64 - 2,
        ("functionCall", _) => {
            is_call = true;
            facts.answer_bytes += member.value.text.len() as u64;
            if let Some(name) = member.value.member("name").and_then(|name| name.as_str()) {
                facts.tools.note(&name);
            }
        }
        _ => {}
    });
    is_call
}

fn json(item: Item<'_>) -> Option<Value> {
    serde_json::from_str(item.text).ok()
}

#[cfg(test)]
mod tests;
