//! Replies forwarded as they came between parties of this dialect, read only for settlement.

use bytes::{Bytes, BytesMut};
use llm_types::Error;

use super::wire::{WireReply, finish};
use super::{error, usage};
use crate::dialect::{Relay, ReplyFacts};
use crate::dialects::pass::cut;
use crate::framing::ndjson::Splitter;

pub(super) use super::response::facts as reply_facts;

/// Forwards a stream, line by line.
#[derive(Debug, Default)]
pub(super) struct Forwarder {
    splitter: Splitter,
    facts: ReplyFacts,
    /// Whether a tool is called: the wire's last word does not tell.
    calls: bool,
    /// A line was too large to take: nothing more is forwarded.
    broken: bool,
}

impl Relay for Forwarder {
    fn push(&mut self, bytes: Bytes, out: &mut Vec<Bytes>) {
        if self.broken {
            return;
        }
        self.splitter.push(&bytes);
        loop {
            match self.splitter.next_line() {
                Ok(Some(line)) => {
                    self.look(&line);
                    out.push(line);
                }
                Ok(None) => return,
                Err(error) => {
                    self.broken = true;
                    return self.fail(error, out);
                }
            }
        }
    }

    fn finish(&mut self, cut_by: Option<&Error>, out: &mut Vec<Bytes>) {
        if self.broken {
            return;
        }
        // The last line without its line feed goes on if it is whole; half a line does not.
        if let Some(frame) = self.splitter.finish()
            && serde_json::from_slice::<WireReply>(&frame.data).is_ok()
        {
            self.look(&frame.data);
            out.extend([frame.data, Bytes::from_static(b"\n")]);
        }
        if !self.facts.complete && self.facts.error.is_none() {
            self.fail(cut_by.cloned().unwrap_or_else(cut), out);
        }
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
        let mut line = BytesMut::with_capacity(128);
        error::line(&mut line, &error);
        out.push(line.freeze());
        self.facts.error = Some(error);
    }

    /// Learns from one line what settlement needs.
    fn look(&mut self, line: &[u8]) {
        let facts = &mut self.facts;
        if facts.complete || facts.error.is_some() {
            return;
        }
        let Ok(mut reply) = serde_json::from_slice::<WireReply>(line) else { return };
        if let Some(said) = &reply.error {
            facts.error = Some(error::stated(said));
            return;
        }
        facts.model = facts.model.take().or_else(|| reply.model.take());
        let message = reply.said();
        let texts = [&message.content, &message.thinking].into_iter().flatten();
        facts.answer_bytes += texts.map(|text| text.len() as u64).sum::<u64>();
        for mut call in message.tool_calls.into_iter().flatten() {
            self.calls = true;
            facts.answer_bytes += call.function.arguments_text().len() as u64;
            facts.tools.note(&call.function.name);
        }
        if reply.done {
            facts.usage = usage::canonical(&reply);
            facts.finish = Some(finish(reply.done_reason.as_deref(), self.calls));
            facts.complete = true;
        }
    }
}
