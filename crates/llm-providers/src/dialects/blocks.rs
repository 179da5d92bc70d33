//! Streams of dialects that tell an answer in blocks: one block open at a time, numbered from 0; a call that
//! begins while another is not whole waits for the other's end.

use std::fmt;

use bytes::BytesMut;
use llm_types::{Citation, Error, Event, Finish, Part, Start, Usage};
use serde_json::Value;

use super::pass::cut;
use crate::dialect::StreamEncoder;

/// What a dialect writes. `index` is the number of the open block.
pub(in crate::dialects) trait Wire: Send + fmt::Debug + Sized {
    /// Whether the message begins as soon as the provider's does; else with its first block, for usage may
    /// come right behind the beginning.
    const BEGINS_AT_ONCE: bool = false;

    /// Whether reasoning is signed.
    const SIGNS: bool = false;

    /// Whether the dialect has a sign of life.
    const PINGS: bool = false;

    /// The provider has said how its reply begins, before anything is written.
    fn started(&mut self, _start: &Start) {}

    /// The message begins; `used` is what is known of its consumption.
    fn begin(&mut self, used: &Usage, out: &mut BytesMut);

    /// A block begins.
    fn block(&mut self, index: u64, block: &Block<'_>, out: &mut BytesMut);

    /// More text.
    fn text(&mut self, index: u64, text: &str, out: &mut BytesMut);

    /// More reasoning.
    fn thinking(&mut self, index: u64, text: &str, out: &mut BytesMut);

    /// The signature of the reasoning, in dialects that have one.
    fn signature(&mut self, _index: u64, _signature: &str, _out: &mut BytesMut) {}

    /// More arguments.
    fn arguments(&mut self, index: u64, piece: &str, out: &mut BytesMut);

    /// A source of the text.
    fn citation(&mut self, index: u64, citation: &Citation, out: &mut BytesMut);

    /// Log-probabilities of the words just written, in dialects that have them.
    fn logprobs(_blocks: &mut Blocks<Self>, _record: &Value, _out: &mut BytesMut) {}

    /// The block ends.
    fn stop(&mut self, index: u64, out: &mut BytesMut);

    /// A part that comes whole.
    fn part(blocks: &mut Blocks<Self>, part: &Part, out: &mut BytesMut);

    /// The message ends.
    fn end(&mut self, finish: Option<&Finish>, has_calls: bool, used: &Usage, out: &mut BytesMut);

    /// The stream failed: nothing follows.
    fn fail(&mut self, error: &Error, used: &Usage, out: &mut BytesMut);

    /// A sign of life.
    fn ping(&mut self, _out: &mut BytesMut) {}
}

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialects) enum Block<'b> {
    Text,
    Thinking,
    Call { id: &'b str, name: &'b str },
}

/// Writes a stream. Answers beyond the first have no place in such dialects.
#[derive(Debug)]
pub(in crate::dialects) struct Blocks<W> {
    pub(in crate::dialects) wire: W,
    begun: bool,
    ended: bool,
    usage: Usage,
    finish: Option<Finish>,
    open: Option<Open>,
    /// Blocks begun so far.
    count: u64,
    has_calls: bool,
    /// Calls that began while another was being written, with the arguments that came for them.
    waiting: Vec<Waiting>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Thinking {
        signed: bool,
    },
    Call {
        index: u32,
        depth: Depth,
    },
    /// A block of the dialect's own.
    Other,
}

#[derive(Debug)]
struct Waiting {
    index: u32,
    id: String,
    name: String,
    arguments: String,
}

impl<W: Wire> Blocks<W> {
    /// A stream that is written so.
    pub(in crate::dialects) fn of(wire: W) -> Self {
        Self {
            wire,
            begun: false,
            ended: false,
            usage: Usage::default(),
            finish: None,
            open: None,
            count: 0,
            has_calls: false,
            waiting: Vec::new(),
        }
    }

    /// The number of the block begun last.
    fn index(&self) -> u64 {
        self.count.saturating_sub(1)
    }

    /// Writes how the message begins, unless that is written.
    pub(in crate::dialects) fn begin(&mut self, out: &mut BytesMut) {
        if !std::mem::replace(&mut self.begun, true) {
            self.wire.begin(&self.usage, out);
        }
    }

    /// Ends what is open and takes the number of a new block, which the dialect writes by itself.
    pub(in crate::dialects) fn own(&mut self, out: &mut BytesMut) -> u64 {
        self.settle(out);
        self.begin(out);
        self.open = Some(Open::Other);
        self.count += 1;
        self.index()
    }

    /// A block of the dialect's own is a call.
    pub(in crate::dialects) fn called(&mut self) {
        self.has_calls = true;
    }

    fn start(&mut self, open: Open, block: &Block<'_>, out: &mut BytesMut) {
        self.close(out);
        self.begin(out);
        self.open = Some(open);
        self.count += 1;
        self.wire.block(self.index(), block, out);
    }

    fn close(&mut self, out: &mut BytesMut) {
        if self.open.take().is_some() {
            self.wire.stop(self.index(), out);
        }
    }

    /// Ends what is open, and writes the calls that waited for that.
    pub(in crate::dialects) fn settle(&mut self, out: &mut BytesMut) {
        self.close(out);
        for call in std::mem::take(&mut self.waiting) {
            self.call(call.index, &call.id, &call.name, out);
            self.arguments(&call.arguments, out);
            self.close(out);
        }
    }

    fn text(&mut self, out: &mut BytesMut) -> u64 {
        if self.open != Some(Open::Text) {
            self.settle(out);
            self.start(Open::Text, &Block::Text, out);
        }
        self.index()
    }

    fn thinking(&mut self, out: &mut BytesMut) -> u64 {
        if self.open != Some(Open::Thinking { signed: false }) {
            self.settle(out);
            self.start(Open::Thinking { signed: false }, &Block::Thinking, out);
        }
        self.index()
    }

    /// Opens a block of words, unless one is open.
    pub(in crate::dialects) fn words(&mut self, out: &mut BytesMut) {
        if !matches!(self.open, Some(Open::Text | Open::Thinking { .. })) {
            self.text(out);
        }
    }

    /// Writes text.
    pub(in crate::dialects) fn say(&mut self, text: &str, out: &mut BytesMut) {
        let index = self.text(out);
        self.wire.text(index, text, out);
    }

    /// Writes reasoning.
    pub(in crate::dialects) fn think(&mut self, text: &str, out: &mut BytesMut) {
        let index = self.thinking(out);
        self.wire.thinking(index, text, out);
    }

    /// A signature belongs to reasoning here; those of other vendors on text and calls have no place.
    fn signature(&mut self, signature: &str, out: &mut BytesMut) {
        if matches!(self.open, Some(Open::Text | Open::Call { .. })) {
            return;
        }
        let index = self.thinking(out);
        self.wire.signature(index, signature, out);
        self.open = Some(Open::Thinking { signed: true });
    }

    fn call(&mut self, index: u32, id: &str, name: &str, out: &mut BytesMut) {
        self.has_calls = true;
        self.start(Open::Call { index, depth: Depth::default() }, &Block::Call { id, name }, out);
    }

    /// Writes a call that is whole.
    pub(in crate::dialects) fn whole_call(&mut self, id: &str, name: &str, input: &str, out: &mut BytesMut) {
        self.settle(out);
        self.call(u32::MAX, id, name, out);
        self.arguments(input, out);
        self.settle(out);
    }

    /// A call that begins while another is not whole waits for the other's end.
    fn call_start(&mut self, index: u32, id: &str, name: &str, out: &mut BytesMut) {
        if matches!(self.open, Some(Open::Call { depth, .. }) if !depth.is_whole()) {
            let (id, name) = (id.to_owned(), name.to_owned());
            self.waiting.push(Waiting { index, id, name, arguments: String::new() });
            return;
        }
        self.settle(out);
        self.call(index, id, name, out);
    }

    fn call_arguments(&mut self, index: u32, piece: &str, out: &mut BytesMut) {
        match self.open {
            Some(Open::Call { index: open, .. }) if open == index => self.arguments(piece, out),
            _ => {
                if let Some(call) = self.waiting.iter_mut().find(|call| call.index == index) {
                    call.arguments.push_str(piece);
                }
            }
        }
    }

    /// Writes arguments of the open call.
    fn arguments(&mut self, piece: &str, out: &mut BytesMut) {
        if let Some(Open::Call { depth, .. }) = &mut self.open {
            depth.read(piece);
        }
        if !piece.is_empty() {
            self.wire.arguments(self.index(), piece, out);
        }
    }

    fn done(&mut self, out: &mut BytesMut) {
        self.settle(out);
        self.begin(out);
        self.wire.end(self.finish.as_ref(), self.has_calls, &self.usage, out);
        self.ended = true;
    }

    fn fail(&mut self, error: &Error, out: &mut BytesMut) {
        self.wire.fail(error, &self.usage, out);
        self.ended = true;
    }
}

impl<W: Wire> StreamEncoder for Blocks<W> {
    fn push(&mut self, event: &Event, out: &mut BytesMut) {
        if self.ended {
            return;
        }
        match event {
            Event::Start(start) if !self.begun => {
                self.wire.started(start);
                if W::BEGINS_AT_ONCE {
                    self.begin(out);
                }
            }
            Event::Usage(usage) => self.usage.update(usage),
            Event::Text { choice: 0, text } | Event::Refusal { choice: 0, text } if !text.is_empty() => {
                self.say(text, out);
            }
            Event::Reasoning { choice: 0, text } if !text.is_empty() => {
                self.think(text, out);
            }
            Event::Signature { choice: 0, signature } if W::SIGNS => self.signature(signature, out),
            Event::ToolStart { choice: 0, index, id, name, .. } => self.call_start(*index, id, name, out),
            Event::ToolArguments { choice: 0, index, arguments } => {
                self.call_arguments(*index, arguments, out);
            }
            Event::Citation { choice: 0, citation } => {
                let index = self.text(out);
                self.wire.citation(index, citation, out);
            }
            Event::Logprobs { choice: 0, value } => W::logprobs(self, value, out),
            Event::Part { choice: 0, part } => W::part(self, part, out),
            Event::BlockEnd { choice: 0 } => self.settle(out),
            Event::Finish { choice: 0, reason } => self.finish = Some(reason.clone()),
            Event::Ping if W::PINGS => {
                self.begin(out);
                self.wire.ping(out);
            }
            Event::Error(error) => self.fail(error, out),
            Event::Done => self.done(out),
            _ => {}
        }
    }

    fn finish(&mut self, out: &mut BytesMut) {
        if !self.ended {
            self.fail(&cut(), out);
        }
    }
}

/// How deep in JSON a text that comes in pieces is: tells when an object is whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::dialects) struct Depth {
    level: u32,
    in_string: bool,
    escaped: bool,
    begun: bool,
}

impl Depth {
    pub(in crate::dialects) fn read(&mut self, piece: &str) {
        for byte in piece.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => {
                    self.level += 1;
                    self.begun = true;
                }
                b'}' | b']' => self.level = self.level.saturating_sub(1),
                _ => {}
            }
        }
    }

    pub(in crate::dialects) fn is_whole(self) -> bool {
        self.begun && self.level == 0 && !self.in_string
    }
}
