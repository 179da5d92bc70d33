//! Replies forwarded as they came between parties of this dialect, read only for settlement.

use bytes::{Bytes, BytesMut};
use llm_types::{Error, ErrorKind};
use serde_json::Value;

use super::content::is_server_tool;
use super::stream::is_failure;
use super::usage::{self, WireUsage};
use super::{error, response};
use crate::dialect::{Frame, Relay, ReplyFacts};
use crate::dialects::pass::cut;
use crate::framing::event_stream::{self, Splitter};
use crate::scan::{self, Item, Kind};

/// What settlement needs to know of a whole reply.
pub(super) fn reply_facts(body: &[u8]) -> ReplyFacts {
    let mut facts = ReplyFacts::default();
    let Ok(reply) = scan::value(body) else {
        facts.error = Some(Error::new(ErrorKind::BadUpstream, "provider reply is not JSON"));
        return facts;
    };
    let content = reply.at(&["output", "message", "content"]).filter(|content| content.kind == Kind::Array);
    let Some(content) = content else {
        let stated = serde_json::from_str(reply.text).ok().as_ref().and_then(error::stated);
        let message = "provider reply is not Converse: expected an array `output.message.content`";
        facts.error = stated.or_else(|| Some(Error::new(ErrorKind::BadUpstream, message)));
        return facts;
    };
    content.elements(|block| {
        facts.answer_bytes += answer_len(block);
        note_call(block, &mut facts);
    });
    settle(reply, &mut facts);
    facts.complete = facts.finish.is_some();
    facts
}

/// Takes usage and finish from a whole reply, or from `messageStop` or `metadata`.
fn settle(item: Item<'_>, facts: &mut ReplyFacts) {
    let details = item.member("additionalModelResponseFields");
    let details: Value = details.and_then(|item| serde_json::from_str(item.text).ok()).unwrap_or_default();
    if let Some(reason) = item.member("stopReason").and_then(|reason| reason.as_str()) {
        facts.finish = Some(response::finish(&reason, response::stop_text(&details)));
    }
    let wire = item.member("usage").and_then(|item| serde_json::from_str::<WireUsage>(item.text).ok());
    if let Some(mut used) = wire.and_then(|wire| wire.canonical()) {
        usage::add_details(&mut used, &details);
        let tier = item.at(&["serviceTier", "type"]).and_then(|tier| tier.as_str());
        used.service_tier = tier.map(Into::into);
        facts.usage = Some(used);
    }
}

/// Takes note of the function that a block calls, or begins to; what the provider runs by itself is none.
fn note_call(block: Item<'_>, facts: &mut ReplyFacts) {
    let Some(call) = block.member("toolUse") else { return };
    let text = |name: &str| call.member(name).and_then(|value| value.as_str());
    if let Some(name) = text("name").filter(|_| !text("type").is_some_and(|kind| is_server_tool(&kind))) {
        facts.tools.note(&name);
    }
}

/// Bytes of answer in a block or delta: text, reasoning, the input of calls.
fn answer_len(block: Item<'_>) -> u64 {
    let mut length = 0;
    block.members(|member| {
        let value = member.value;
        length += match (&*member.name, value.kind) {
            ("text" | "input", Kind::String) => value.text.len() as u64 - 2,
            ("input", Kind::Object) if value.text != "{}" => value.text.len() as u64,
            ("toolUse" | "reasoningContent" | "reasoningText" | "citationsContent", Kind::Object) => {
                answer_len(value)
            }
            ("content", Kind::Array) => {
                let mut inner = 0;
                value.elements(|part| inner += answer_len(part));
                inner
            }
            _ => 0,
        };
    });
    length
}

/// Forwards a stream.
#[derive(Debug, Default)]
pub(super) struct Forwarder {
    splitter: Splitter,
    facts: ReplyFacts,
    /// The answer has stopped; its usage may follow.
    stopped: bool,
    /// A frame was broken: nothing more is forwarded.
    broken: bool,
}

impl Relay for Forwarder {
    fn push(&mut self, bytes: Bytes, out: &mut Vec<Bytes>) {
        if self.broken {
            return;
        }
        let Self { splitter, facts, stopped, .. } = self;
        let forwarded = splitter.forward(bytes, out, |raw| {
            if let Ok(frame) = event_stream::parse(raw) {
                look(&frame, facts, stopped);
            }
        });
        if let Err(error) = forwarded {
            self.fail(error, out);
        }
    }

    fn finish(&mut self, cut_by: Option<&Error>, out: &mut Vec<Bytes>) {
        if self.broken {
            return;
        }
        let whole = self.splitter.finish();
        self.facts.complete |= self.stopped && whole.is_ok() && cut_by.is_none();
        if self.facts.complete || self.facts.error.is_some() {
            return;
        }
        self.fail(cut_by.cloned().unwrap_or_else(cut), out);
    }

    fn facts(&self) -> &ReplyFacts {
        &self.facts
    }
}

impl Forwarder {
    /// A new stream. Usage is part of every stream of this dialect: there is nothing to hide.
    pub(super) fn new(_show_usage: bool) -> Self {
        Self::default()
    }

    fn fail(&mut self, error: Error, out: &mut Vec<Bytes>) {
        self.broken = true;
        let (name, payload) = error::exception(&error);
        let mut frame = BytesMut::with_capacity(160);
        event_stream::write_exception(&mut frame, name, &payload);
        out.push(frame.freeze());
        self.facts.error = Some(error);
    }
}

/// Learns from one frame what settlement needs.
fn look(frame: &Frame, facts: &mut ReplyFacts, stopped: &mut bool) {
    if facts.complete || facts.error.is_some() {
        return;
    }
    match &*frame.event {
        b"contentBlockDelta" => {
            let delta = scan::value(&frame.data).ok().and_then(|data| data.member("delta").map(answer_len));
            facts.answer_bytes += delta.unwrap_or(0);
        }
        b"contentBlockStart" => {
            if let Some(start) = scan::value(&frame.data).ok().and_then(|data| data.member("start")) {
                note_call(start, facts);
            }
        }
        name @ (b"messageStop" | b"metadata") => {
            if let Ok(data) = scan::value(&frame.data) {
                settle(data, facts);
            }
            *stopped |= name == b"messageStop";
            facts.complete = *stopped && name == b"metadata";
        }
        name => {
            if let Some(name) = is_failure(name) {
                facts.error = Some(error::in_stream(&name, &frame.data));
            }
        }
    }
}

#[cfg(test)]
mod tests;
