//! Replies forwarded as they came between parties of this dialect, read only for settlement.

use bytes::BytesMut;
use llm_types::{Error, ErrorKind};
use memchr::memmem;
use serde_json::Value;

use super::stream::{Tail, write_error};
use super::usage::WireUsage;
use super::{error, response};
use crate::dialect::{InvokedTools, ReplyFacts};
use crate::dialects::pass;
use crate::framing::sse;
use crate::scan::{self, Fault, Item, Kind, Reader};

/// What settlement needs to know of a whole reply, in one pass.
pub(super) fn reply_facts(body: &[u8]) -> ReplyFacts {
    let mut reply = Reply::default();
    match reply.read(body) {
        Ok(()) => reply.into_facts(body),
        Err(_) => failed("provider reply is not JSON"),
    }
}

/// The members of a reply that settlement needs.
#[derive(Default)]
struct Reply {
    facts: ReplyFacts,
    is_error: bool,
    has_error: bool,
    has_content: bool,
    is_message: bool,
    stop_reason: Option<String>,
    stop_sequence: Option<String>,
}

impl Reply {
    fn read(&mut self, body: &[u8]) -> Result<(), Fault> {
        let mut reader = Reader::new(body)?;
        if reader.kind() == Kind::Object {
            reader.members(|reader, name| self.member(reader, &name))?;
        } else {
            reader.item()?;
        }
        reader.end()
    }

    fn member(&mut self, reader: &mut Reader<'_>, name: &str) -> Result<(), Fault> {
        if name == "content" {
            self.has_content = true;
            self.is_message = reader.kind() == Kind::Array;
            if self.is_message {
                self.facts.answer_bytes = 0;
                self.facts.tools = InvokedTools::default();
                return reader.elements(|reader| {
                    note_block(reader.item()?, &mut self.facts);
                    Ok(())
                });
            }
        }
        let value = reader.item()?;
        let text = || value.as_str().map(String::from);
        match name {
            "type" => self.is_error = value.as_str().as_deref() == Some("error"),
            "error" => self.has_error = !value.is_null(),
            "id" => self.facts.id = text(),
            "model" => self.facts.model = text(),
            "stop_reason" => self.stop_reason = text(),
            "stop_sequence" => self.stop_sequence = text(),
            "usage" => {
                let usage = serde_json::from_str::<WireUsage>(value.text).ok();
                self.facts.usage = usage.and_then(|usage| usage.canonical());
            }
            _ => {}
        }
        Ok(())
    }

    fn into_facts(mut self, body: &[u8]) -> ReplyFacts {
        if self.is_error || (self.has_error && !self.has_content) {
            let error = serde_json::from_slice(body).ok().as_ref().and_then(error::stated);
            return ReplyFacts { error, ..ReplyFacts::default() };
        }
        if !self.is_message {
            return failed("provider reply is not a message: expected an array `content`");
        }
        self.facts.finish = self.stop_reason.map(|reason| response::finish(&reason, self.stop_sequence));
        self.facts.complete = self.facts.finish.is_some();
        self.facts
    }
}

fn failed(why: &str) -> ReplyFacts {
    let error = Some(Error::new(ErrorKind::BadUpstream, why));
    ReplyFacts { error, ..ReplyFacts::default() }
}

/// Takes note of a block: how long it is, and what it calls.
fn note_block(block: Item<'_>, facts: &mut ReplyFacts) {
    facts.answer_bytes += answer_len(block);
    let text = |name: &str| block.member(name).and_then(|value| value.as_str());
    if text("type").as_deref() == Some("tool_use")
        && let Some(name) = text("name")
    {
        facts.tools.note(&name);
    }
}

/// Bytes of answer in a block or delta: text, thinking, the input of calls.
fn answer_len(block: Item<'_>) -> u64 {
    let mut length = 0;
    block.members(|member| {
        let value = member.value;
        length += match (&*member.name, value.kind) {
            ("text" | "thinking" | "partial_json", Kind::String) => value.text.len() as u64 - 2,
            ("input", Kind::Object) if value.text != "{}" => value.text.len() as u64,
            _ => 0,
        };
    });
    length
}

/// Forwards a stream.
pub(super) type Forwarder = pass::Forwarder<Frames>;

/// What was read of a stream's frames: its usage so far.
#[derive(Debug, Default)]
pub(super) struct Frames(WireUsage);

impl pass::Look for Frames {
    fn frame(&mut self, raw: &[u8], facts: &mut ReplyFacts) {
        look(raw, &mut self.0, facts);
    }

    fn error(error: &Error, out: &mut BytesMut) {
        write_error(error, out);
    }
}

/// Learns from one frame what settlement needs. The bulk of a stream is `content_block_delta`: told by
/// its first line and measured without being read.
fn look(raw: &[u8], usage: &mut WireUsage, facts: &mut ReplyFacts) {
    if facts.complete || facts.error.is_some() {
        return;
    }
    if let Some(rest) = raw.strip_prefix(b"event: content_block_delta\n")
        && let Some(length) = delta_len(rest)
    {
        facts.answer_bytes += length;
        return;
    }
    let fields = sse::fields(raw);
    let Ok(data) = scan::value(&fields.data) else { return };
    let kind = data.member("type").and_then(|kind| kind.as_str());
    match kind.as_deref().unwrap_or_default() {
        "content_block_delta" => {
            facts.answer_bytes += data.member("delta").map_or(0, answer_len);
        }
        "content_block_start" => {
            if let Some(block) = data.member("content_block") {
                note_block(block, facts);
            }
        }
        "message_start" | "message_delta" => {
            if let Some(content) = data.member("message").and_then(|message| message.member("content")) {
                content.elements(|block| note_block(block, facts));
            }
            settle(data, usage, facts);
        }
        "message_stop" => facts.complete = true,
        "error" => {
            let stated: Value = serde_json::from_str(data.text).unwrap_or_default();
            facts.error = Some(error::in_stream(&stated));
        }
        _ => {}
    }
}

fn settle(data: Item<'_>, usage: &mut WireUsage, facts: &mut ReplyFacts) {
    let Ok(tail) = serde_json::from_str::<Tail>(data.text) else { return };
    let mut stop = tail.delta.and_then(|stop| Some((stop.stop_reason?, stop.stop_sequence)));
    if let Some(head) = tail.message {
        stop = stop.or(head.stop_reason.map(|reason| (reason, head.stop_sequence)));
        facts.id.get_or_insert(head.id);
        facts.model.get_or_insert(head.model);
        usage.update(head.usage);
    }
    if let Some(later) = tail.usage {
        usage.update(later);
    }
    facts.usage = usage.canonical();
    if let Some((reason, sequence)) = stop {
        facts.finish = Some(response::finish(&reason, sequence));
    }
}

/// The length of the text in a delta as the vendor writes it:
/// `…"delta":{"type":"text_delta","text":"…"}` and white space behind; `None` for any other form.
fn delta_len(data: &[u8]) -> Option<u64> {
    const BEFORE: &[u8] = b"\"delta\":{\"type\":\"";
    let rest = &data[memmem::find(data, BEFORE)? + BEFORE.len()..];
    let (kind, rest) = rest.split_at(memchr::memchr(b'"', rest)?);
    let member: &[u8] = match kind {
        b"text_delta" => b"\",\"text\":\"",
        b"thinking_delta" => b"\",\"thinking\":\"",
        b"input_json_delta" => b"\",\"partial_json\":\"",
        b"signature_delta" => return Some(0),
        _ => return None,
    };
    let text = rest.strip_prefix(member)?;
    // The text is the last member of the delta: it ends where the line's last quote is.
    let end = memchr::memrchr(b'"', text)?;
    let behind = text[end + 1..].iter().filter(|byte| !byte.is_ascii_whitespace());
    behind.eq(b"}}").then_some(end as u64)
}

#[cfg(test)]
mod tests;
