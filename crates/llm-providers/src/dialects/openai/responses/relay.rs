//! Replies forwarded as they came between parties of this dialect, read only for settlement.

use bytes::{Bytes, BytesMut};
use llm_types::{Error, ErrorKind, Usage};

use super::response::{self, note_call, read_usage};
use super::stream::error_frame;
use super::wire;
use crate::dialect::{InvokedTools, Relay, ReplyFacts};
use crate::dialects::openai::error;
use crate::dialects::pass::cut;
use crate::framing::sse::{self, Pass, Splitter};
use crate::scan::{self, Item, Kind, string_end};

pub(super) use super::response::facts as reply_facts;

/// The state of one forwarded stream.
#[derive(Debug, Default)]
pub(super) struct Forwarder {
    splitter: Splitter,
    look: Look,
    broken: Option<Error>,
}

/// What is known of the stream.
#[derive(Debug, Default)]
struct Look {
    facts: ReplyFacts,
    /// Searches the provider ran.
    searches: u64,
    /// The number the next frame has.
    sequence: u64,
    /// The last frame has been forwarded; nothing may follow.
    closed: bool,
}

impl Forwarder {
    /// A new stream. Usage is part of every stream of this dialect: there is nothing to hide.
    pub(super) fn new(_show_usage: bool) -> Self {
        Self::default()
    }
}

impl Relay for Forwarder {
    fn push(&mut self, bytes: Bytes, out: &mut Vec<Bytes>) {
        if self.broken.is_some() {
            return;
        }
        let look = &mut self.look;
        self.broken = self.splitter.forward(bytes, out, |raw| look.frame(raw)).err();
    }

    fn finish(&mut self, cut_by: Option<&Error>, out: &mut Vec<Bytes>) {
        if self.look.closed {
            return;
        }
        let cut_by = cut_by.or(self.broken.as_ref()).cloned();
        if cut_by.is_none()
            && let Some(rest) = self.splitter.finish()
        {
            self.look.rest(&rest, out);
        }
        if self.look.closed {
            return;
        }
        self.look.closed = true;
        let error = cut_by.unwrap_or_else(cut);
        let mut frame = BytesMut::new();
        error_frame(&error, self.look.sequence, &mut frame);
        out.push(frame.freeze());
        self.look.facts.error = Some(error);
    }

    fn facts(&self) -> &ReplyFacts {
        &self.look.facts
    }
}

impl Look {
    /// The last frame without its blank line goes on if it is whole; half a frame does not.
    fn rest(&mut self, rest: &[u8], out: &mut Vec<Bytes>) {
        let fields = sse::fields(rest);
        if fields.data.is_empty() {
            if let Ok(item) = scan::value(rest)
                && item.member("error").is_some()
            {
                self.fail(error::decode_within(item), out);
            }
            return;
        }
        if scan::value(&fields.data).is_ok() && self.frame(rest) == Pass::Keep {
            let mut whole = BytesMut::with_capacity(rest.len() + 2);
            whole.extend_from_slice(rest.trim_ascii_end());
            whole.extend_from_slice(b"\n\n");
            out.push(whole.freeze());
        }
    }

    fn fail(&mut self, error: Error, out: &mut Vec<Bytes>) {
        let mut frame = BytesMut::new();
        error_frame(&error, self.sequence, &mut frame);
        out.push(frame.freeze());
        self.closed = true;
        self.facts.error = Some(error);
    }

    fn frame(&mut self, raw: &[u8]) -> Pass {
        let fields = sse::fields(raw);
        let data = fields.data.trim_ascii();
        if data.is_empty() {
            return Pass::Keep;
        }
        if data == b"[DONE]" {
            // Some vendors close with OpenAI's older word; without an end before it the stream is cut.
            return if self.closed { Pass::Keep } else { Pass::Drop };
        }
        if self.closed {
            return Pass::Drop;
        }
        self.sequence += 1;
        let Some(kind) = kind_of(data) else { return Pass::Keep };
        if kind.ends_with(b".delta") {
            self.facts.answer_bytes += delta_bytes(data);
            return Pass::Keep;
        }
        let known: &[&[u8]] = &[
            b"response.created",
            b"response.queued",
            b"response.in_progress",
            b"response.completed",
            b"response.incomplete",
            b"response.failed",
            b"response.cancelled",
            b"response.output_item.done",
            b"error",
        ];
        if known.contains(&kind)
            && let Ok(event) = scan::value(data)
        {
            self.read(kind, event);
        }
        Pass::Keep
    }

    fn read(&mut self, kind: &[u8], event: Item<'_>) {
        let reply = event.member("response").filter(|reply| reply.kind == Kind::Object);
        if let Some(reply) = reply {
            self.head(reply);
        }
        match kind {
            b"response.output_item.done" => {
                let Some(item) = event.member("item") else { return };
                if !note_call(item, &mut self.facts.tools) {
                    let kind = item.member("type").and_then(|kind| kind.as_str());
                    self.searches += u64::from(kind.as_deref() == Some("web_search_call"));
                }
            }
            b"response.completed" | b"response.incomplete" => {
                self.closed = true;
                self.facts.complete = true;
                let tools = &mut self.facts.tools;
                self.facts.finish = reply.map(|reply| wire::finish_of(reply, note_calls(reply, tools)));
            }
            b"response.failed" | b"response.cancelled" => {
                self.closed = true;
                self.facts.error = Some(reply.map_or_else(failed, response::error_of_reply));
            }
            b"error" => {
                self.closed = true;
                self.facts.error = Some(response::error_event(event));
            }
            _ => {}
        }
    }

    fn head(&mut self, reply: Item<'_>) {
        let text = |name: &str| {
            let value = reply.member(name).and_then(|value| value.as_str());
            value.filter(|text| !text.is_empty()).map(String::from)
        };
        if let Some(id) = text("id") {
            self.facts.id.get_or_insert(id);
        }
        if let Some(model) = text("model") {
            self.facts.model = Some(model);
        }
        if let Some(mut usage) = read_usage(reply) {
            usage.web_searches = usage.web_searches.or((self.searches > 0).then_some(self.searches));
            self.facts.usage.get_or_insert_with(Usage::default).update(&usage);
        }
    }
}

fn failed() -> Error {
    Error::new(ErrorKind::BadUpstream, "the provider reported a failed response without saying why")
}

/// Takes note of the functions that a reply calls; false where it calls none.
fn note_calls(reply: Item<'_>, tools: &mut InvokedTools) -> bool {
    let mut calls = false;
    if let Some(output) = reply.member("output") {
        output.elements(|item| calls |= note_call(item, tools));
    }
    calls
}

/// The event's type: the value of its first member of that name, which every vendor writes first or
/// shortly after; `None` when the frame is no such object.
fn kind_of(data: &[u8]) -> Option<&[u8]> {
    let item = member_text(data, b"type")?;
    Some(item)
}

/// The text of a top-level string member, its escapes left as they are.
fn member_text<'d>(data: &'d [u8], name: &[u8]) -> Option<&'d [u8]> {
    let (mut at, mut depth) = (0, 0_u32);
    while let Some(byte) = data.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let end = string_end(data, at + 1);
                let key = data.get(at + 1..end)?;
                let mut next = end + 1;
                while data.get(next).is_some_and(u8::is_ascii_whitespace) {
                    next += 1;
                }
                if depth == 1 && key == name && data.get(next) == Some(&b':') {
                    next += 1;
                    while data.get(next).is_some_and(u8::is_ascii_whitespace) {
                        next += 1;
                    }
                    let open = data.get(next) == Some(&b'"');
                    return open.then(|| &data[next + 1..string_end(data, next + 1)]);
                }
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Bytes of text in a delta.
fn delta_bytes(data: &[u8]) -> u64 {
    member_text(data, b"delta").map_or(0, |text| text.len() as u64)
}
