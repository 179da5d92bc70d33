//! Events into frames for a caller: one block open at a time, numbered from 0.

use bytes::BytesMut;
use llm_types::{Citation, Error, ErrorKind, Event, Finish, Part, PartKind, Start, Usage};
use serde_json::{Value, json};

use super::super::content;
use super::super::{error, response, usage};
use crate::ReplyContext;
use crate::dialect::StreamEncoder;
use crate::framing::sse;
use crate::write::{self, Object};

/// Writes a stream of this dialect. Answers beyond the first have no place in it.
#[derive(Debug)]
pub(in super::super) struct Encoder {
    cx: ReplyContext,
    /// The beginning, held back until something follows: usage may come right behind it.
    start: Option<Start>,
    begun: bool,
    ended: bool,
    usage: Usage,
    finish: Option<Finish>,
    open: Option<Open>,
    /// Blocks begun so far.
    blocks: u64,
    has_calls: bool,
    /// Calls that began while another was being written, with the arguments that came for them.
    waiting: Vec<Waiting>,
    scratch: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Thinking { signed: bool },
    Call { index: u32, depth: Depth },
}

#[derive(Debug)]
struct Waiting {
    index: u32,
    id: String,
    name: String,
    arguments: String,
}

impl Encoder {
    pub(in super::super) fn new(cx: ReplyContext) -> Self {
        Self {
            cx,
            start: None,
            begun: false,
            ended: false,
            usage: Usage::default(),
            finish: None,
            open: None,
            blocks: 0,
            has_calls: false,
            waiting: Vec::new(),
            scratch: Vec::with_capacity(256),
        }
    }

    fn frame(&mut self, out: &mut BytesMut, event: &str, write: impl FnOnce(&mut Object<'_>)) {
        self.scratch.clear();
        write::object(&mut self.scratch, |body| {
            body.text("type", event);
            write(body);
        });
        sse::write(out, event, &self.scratch);
    }

    /// Writes `message_start` unless it is written.
    fn begin(&mut self, out: &mut BytesMut) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let start = self.start.take().unwrap_or_default();
        let id = response::or(&start.id, &self.cx.id).to_owned();
        let model = response::or(&start.model, &self.cx.model).to_owned();
        let usage = std::mem::take(&mut self.usage);
        self.frame(out, "message_start", |body| {
            body.object("message", |message| {
                message.text("id", &id);
                message.text("type", "message");
                message.text("role", "assistant");
                message.text("model", &model);
                message.array("content", |_| {});
                message.value("stop_reason", &Value::Null);
                message.value("stop_sequence", &Value::Null);
                message.object("usage", |out| usage::write(out, &usage));
            });
        });
        self.usage = usage;
    }

    fn open(&mut self, out: &mut BytesMut, open: Open, write: impl FnOnce(&mut Object<'_>)) {
        self.close(out);
        self.begin(out);
        self.open = Some(open);
        let index = self.blocks;
        self.blocks += 1;
        self.frame(out, "content_block_start", |body| {
            body.value("index", &index);
            body.object("content_block", write);
        });
    }

    fn close(&mut self, out: &mut BytesMut) {
        if self.open.take().is_some() {
            let index = self.blocks - 1;
            self.frame(out, "content_block_stop", |body| body.value("index", &index));
        }
    }

    /// Ends what is open, and writes the calls that waited for that.
    fn settle(&mut self, out: &mut BytesMut) {
        self.close(out);
        for call in std::mem::take(&mut self.waiting) {
            self.call(out, call.index, &call.id, &call.name);
            self.arguments(out, &call.arguments);
            self.close(out);
        }
    }

    fn delta(&mut self, out: &mut BytesMut, kind: &str, name: &str, text: &str) {
        let index = self.blocks.saturating_sub(1);
        self.frame(out, "content_block_delta", |body| {
            body.value("index", &index);
            body.object("delta", |delta| {
                delta.text("type", kind);
                delta.text(name, text);
            });
        });
    }

    fn text(&mut self, out: &mut BytesMut) {
        if self.open != Some(Open::Text) {
            self.settle(out);
            self.open(out, Open::Text, |block| {
                block.text("type", "text");
                block.text("text", "");
            });
        }
    }

    fn thinking(&mut self, out: &mut BytesMut) {
        if self.open != Some(Open::Thinking { signed: false }) {
            self.settle(out);
            self.open(out, Open::Thinking { signed: false }, |block| {
                block.text("type", "thinking");
                block.text("thinking", "");
                block.text("signature", "");
            });
        }
    }

    /// A signature belongs to thinking here; those of other vendors on text and calls have no place.
    fn signature(&mut self, out: &mut BytesMut, signature: &str) {
        if matches!(self.open, Some(Open::Text | Open::Call { .. })) {
            return;
        }
        self.thinking(out);
        self.delta(out, "signature_delta", "signature", signature);
        self.open = Some(Open::Thinking { signed: true });
    }

    fn call(&mut self, out: &mut BytesMut, index: u32, id: &str, name: &str) {
        self.has_calls = true;
        self.open(out, Open::Call { index, depth: Depth::default() }, |block| {
            block.text("type", "tool_use");
            block.text("id", id);
            block.text("name", name);
            block.object("input", |_| {});
        });
    }

    fn call_start(&mut self, out: &mut BytesMut, index: u32, id: &str, name: &str) {
        let unfinished = matches!(self.open, Some(Open::Call { depth, .. }) if !depth.is_whole());
        if unfinished {
            let (id, name) = (id.to_owned(), name.to_owned());
            self.waiting.push(Waiting { index, id, name, arguments: String::new() });
            return;
        }
        self.settle(out);
        self.call(out, index, id, name);
    }

    fn call_arguments(&mut self, out: &mut BytesMut, index: u32, piece: &str) {
        match &self.open {
            Some(Open::Call { index: open, .. }) if *open == index => self.arguments(out, piece),
            _ => {
                if let Some(call) = self.waiting.iter_mut().find(|call| call.index == index) {
                    call.arguments.push_str(piece);
                }
            }
        }
    }

    /// Writes arguments of the open call.
    fn arguments(&mut self, out: &mut BytesMut, piece: &str) {
        if let Some(Open::Call { depth, .. }) = &mut self.open {
            depth.read(piece);
        }
        if !piece.is_empty() {
            self.delta(out, "input_json_delta", "partial_json", piece);
        }
    }

    fn citation(&mut self, out: &mut BytesMut, citation: &Citation) {
        self.text(out);
        let index = self.blocks - 1;
        let citation = content::citation_json(citation);
        self.frame(out, "content_block_delta", |body| {
            body.value("index", &index);
            body.object("delta", |delta| {
                delta.text("type", "citations_delta");
                delta.value("citation", &*citation);
            });
        });
    }

    /// Writes a part that comes whole as a block that begins and ends.
    fn part(&mut self, out: &mut BytesMut, part: &Part) {
        if content::wanted(part) != content::Wanted::Yes {
            return;
        }
        self.settle(out);
        self.begin(out);
        let mut block = Vec::new();
        write::array(&mut block, |list| content::part(list, part));
        // One part writes one block: the array's brackets are taken off.
        let Ok([mut block]) = serde_json::from_slice::<[Value; 1]>(&block) else { return };
        let input = match (&part.kind, block.get_mut("input")) {
            (PartKind::Native { .. } | PartKind::ToolCall(_), Some(input)) => {
                Some(std::mem::replace(input, json!({})))
            }
            _ => None,
        };
        self.has_calls |= matches!(part.kind, PartKind::ToolCall(_));
        let index = self.blocks;
        self.blocks += 1;
        self.frame(out, "content_block_start", |body| {
            body.value("index", &index);
            body.value("content_block", &block);
        });
        if let Some(input) = input {
            self.delta(out, "input_json_delta", "partial_json", &input.to_string());
        }
        self.frame(out, "content_block_stop", |body| body.value("index", &index));
    }

    fn done(&mut self, out: &mut BytesMut) {
        self.settle(out);
        self.begin(out);
        let finish = self.finish.take();
        let (reason, sequence) = response::stop_reason(finish.as_ref(), self.has_calls);
        let usage = std::mem::take(&mut self.usage);
        self.frame(out, "message_delta", |body| {
            body.object("delta", |delta| {
                delta.text("stop_reason", reason);
                delta.value("stop_sequence", &sequence);
            });
            body.object("usage", |out| usage::write(out, &usage));
        });
        self.frame(out, "message_stop", |_| {});
        self.ended = true;
    }

    fn fail(&mut self, out: &mut BytesMut, error: &Error) {
        sse::write(out, "error", &error::body(error));
        self.ended = true;
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut BytesMut) {
        if self.ended {
            return;
        }
        match event {
            Event::Start(start) if !self.begun => self.start = Some(start.clone()),
            Event::Usage(usage) => self.usage.update(usage),
            Event::Text { choice: 0, text } | Event::Refusal { choice: 0, text } if !text.is_empty() => {
                self.text(out);
                self.delta(out, "text_delta", "text", text);
            }
            Event::Reasoning { choice: 0, text } if !text.is_empty() => {
                self.thinking(out);
                self.delta(out, "thinking_delta", "thinking", text);
            }
            Event::Signature { choice: 0, signature } => self.signature(out, signature),
            Event::ToolStart { choice: 0, index, id, name, .. } => self.call_start(out, *index, id, name),
            Event::ToolArguments { choice: 0, index, arguments } => {
                self.call_arguments(out, *index, arguments)
            }
            Event::Citation { choice: 0, citation } => self.citation(out, citation),
            Event::Part { choice: 0, part } => self.part(out, part),
            Event::BlockEnd { choice: 0 } => self.settle(out),
            Event::Finish { choice: 0, reason } => self.finish = Some(reason.clone()),
            Event::Ping => {
                self.begin(out);
                self.frame(out, "ping", |_| {});
            }
            Event::Error(error) => self.fail(out, error),
            Event::Done => self.done(out),
            _ => {}
        }
    }

    fn finish(&mut self, out: &mut BytesMut) {
        if !self.ended {
            self.fail(out, &cut());
        }
    }
}

/// The error of a stream that ended before it said so.
pub(in super::super) fn cut() -> Error {
    Error::new(ErrorKind::BadUpstream, "the provider's stream ended before the answer was complete")
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
