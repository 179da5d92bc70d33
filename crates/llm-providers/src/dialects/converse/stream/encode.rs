//! Events into frames for a caller: one block open at a time, numbered from 0.

use bytes::BytesMut;
use llm_types::{Citation, Error, ErrorKind, Event, Finish, MediaSource, Part, PartKind, Usage};
use serde_json::Value;

use super::super::content::{self, NATIVE, Voice, Wanted};
use super::super::{error, response, usage};
use crate::ReplyContext;
use crate::dialect::StreamEncoder;
use crate::dialects::anthropic::Depth;
use crate::dialects::calls::input_json;
use crate::framing::event_stream;
use crate::write::{self, Object};

/// Writes a stream of this dialect. Answers beyond the first have no place in it.
#[derive(Debug)]
pub(in super::super) struct Encoder {
    cx: ReplyContext,
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
        write::object(&mut self.scratch, write);
        event_stream::write(out, event, &self.scratch);
    }

    /// Writes `messageStart` unless it is written.
    fn begin(&mut self, out: &mut BytesMut) {
        if !std::mem::replace(&mut self.begun, true) {
            self.frame(out, "messageStart", |body| body.text("role", "assistant"));
        }
    }

    /// Opens a block. Only those of tools and pictures are announced.
    fn open(&mut self, out: &mut BytesMut, open: Open) {
        self.close(out);
        self.begin(out);
        self.open = Some(open);
        self.blocks += 1;
    }

    fn close(&mut self, out: &mut BytesMut) {
        if self.open.take().is_some() {
            self.stop(out);
        }
    }

    fn stop(&mut self, out: &mut BytesMut) {
        let index = self.blocks - 1;
        self.frame(out, "contentBlockStop", |body| body.value("contentBlockIndex", &index));
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

    fn delta(&mut self, out: &mut BytesMut, write: impl FnOnce(&mut Object<'_>)) {
        let index = self.blocks.saturating_sub(1);
        self.frame(out, "contentBlockDelta", |body| {
            body.value("contentBlockIndex", &index);
            body.object("delta", write);
        });
    }

    fn block_start(&mut self, out: &mut BytesMut, write: impl FnOnce(&mut Object<'_>)) {
        let index = self.blocks.saturating_sub(1);
        self.frame(out, "contentBlockStart", |body| {
            body.value("contentBlockIndex", &index);
            body.object("start", write);
        });
    }

    fn text(&mut self, out: &mut BytesMut) {
        if self.open != Some(Open::Text) {
            self.settle(out);
            self.open(out, Open::Text);
        }
    }

    fn thinking(&mut self, out: &mut BytesMut, name: &str, text: &str) {
        if self.open != Some(Open::Thinking { signed: false }) {
            self.settle(out);
            self.open(out, Open::Thinking { signed: false });
        }
        self.delta(out, |delta| delta.object("reasoningContent", |content| content.text(name, text)));
    }

    /// A signature belongs to reasoning here; those of other vendors on text and calls have no place.
    fn signature(&mut self, out: &mut BytesMut, signature: &str) {
        if matches!(self.open, Some(Open::Text | Open::Call { .. })) {
            return;
        }
        self.thinking(out, "signature", signature);
        self.open = Some(Open::Thinking { signed: true });
    }

    fn call(&mut self, out: &mut BytesMut, index: u32, id: &str, name: &str) {
        self.has_calls = true;
        self.open(out, Open::Call { index, depth: Depth::default() });
        self.block_start(out, |start| {
            start.object("toolUse", |call| {
                call.text("toolUseId", id);
                call.text("name", name);
            });
        });
    }

    /// A call that begins while another is not whole waits for the other's end.
    fn call_start(&mut self, out: &mut BytesMut, index: u32, id: &str, name: &str) {
        if matches!(self.open, Some(Open::Call { depth, .. }) if !depth.is_whole()) {
            let (id, name) = (id.to_owned(), name.to_owned());
            self.waiting.push(Waiting { index, id, name, arguments: String::new() });
            return;
        }
        self.settle(out);
        self.call(out, index, id, name);
    }

    fn call_arguments(&mut self, out: &mut BytesMut, index: u32, piece: &str) {
        match self.open {
            Some(Open::Call { index: open, .. }) if open == index => self.arguments(out, piece),
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
            self.delta(out, |delta| delta.object("toolUse", |call| call.text("input", piece)));
        }
    }

    fn citation(&mut self, out: &mut BytesMut, citation: &Citation) {
        self.text(out);
        let citation = content::citation_json(citation);
        self.delta(out, |delta| delta.value("citation", &*citation));
    }

    /// Writes a part that comes whole as a block that begins and ends.
    fn part(&mut self, out: &mut BytesMut, part: &Part) {
        if content::wanted(part, Voice::ANSWER) != Wanted::Yes {
            return;
        }
        match &part.kind {
            PartKind::RedactedReasoning { data } => {
                self.settle(out);
                self.thinking(out, "redactedContent", data);
                self.settle(out);
            }
            PartKind::ToolCall(call) => {
                self.settle(out);
                self.call(out, u32::MAX, &call.id, &call.name);
                self.arguments(out, &input_json(call));
                self.settle(out);
            }
            PartKind::Native { dialect, value } if dialect == NATIVE => self.native(out, value),
            PartKind::Image(media) => {
                if let MediaSource::Base64(data) = &media.source {
                    let format = media.mime.as_deref().and_then(|mime| mime.strip_prefix("image/"));
                    self.picture(out, format.unwrap_or("png"), data);
                }
            }
            // The wire has no deltas for other blocks.
            _ => {}
        }
    }

    fn picture(&mut self, out: &mut BytesMut, format: &str, data: &str) {
        self.settle(out);
        self.open(out, Open::Text);
        self.block_start(out, |start| start.object("image", |image| image.text("format", format)));
        self.delta(out, |delta| {
            delta.object("image", |image| image.object("source", |source| source.text("bytes", data)));
        });
        self.close(out);
    }

    /// A provider-run tool's call or result.
    fn native(&mut self, out: &mut BytesMut, value: &Value) {
        let found =
            ["toolUse", "toolResult"].iter().find_map(|name| Some((*name, value.get(name)?.as_object()?)));
        let Some((name, block)) = found else { return };
        self.settle(out);
        self.open(out, Open::Text);
        self.block_start(out, |start| {
            start.object(name, |head| {
                for (name, value) in
                    block.iter().filter(|(name, _)| !matches!(name.as_str(), "input" | "content"))
                {
                    head.value(name, value);
                }
            });
        });
        if let Some(input) = block.get("input") {
            self.arguments(out, &input.to_string());
        }
        if let Some(content) = block.get("content") {
            self.delta(out, |delta| delta.value("toolResult", content));
        }
        self.close(out);
    }

    fn done(&mut self, out: &mut BytesMut) {
        self.settle(out);
        self.begin(out);
        let finish = self.finish.take();
        let (reason, stop_text) = response::stop_reason(finish.as_ref(), self.has_calls);
        self.frame(out, "messageStop", |body| {
            body.text("stopReason", reason);
            if let Some(text) = stop_text {
                body.object("additionalModelResponseFields", |fields| fields.text("stop_sequence", text));
            }
        });
        let (used, elapsed_ms) = (std::mem::take(&mut self.usage), self.cx.elapsed_ms);
        self.frame(out, "metadata", |body| {
            body.object("usage", |out| usage::write(out, &used));
            body.object("metrics", |metrics| metrics.value("latencyMs", &elapsed_ms));
            response::write_tier(body, used.service_tier.as_deref());
        });
        self.ended = true;
    }

    fn fail(&mut self, out: &mut BytesMut, error: &Error) {
        let (name, payload) = error::exception(error);
        event_stream::write_exception(out, name, &payload);
        self.ended = true;
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut BytesMut) {
        if self.ended {
            return;
        }
        match event {
            Event::Usage(usage) => self.usage.update(usage),
            Event::Text { choice: 0, text } | Event::Refusal { choice: 0, text } if !text.is_empty() => {
                self.text(out);
                self.delta(out, |delta| delta.text("text", text));
            }
            Event::Reasoning { choice: 0, text } if !text.is_empty() => self.thinking(out, "text", text),
            Event::Signature { choice: 0, signature } => self.signature(out, signature),
            Event::ToolStart { choice: 0, index, id, name, .. } => self.call_start(out, *index, id, name),
            Event::ToolArguments { choice: 0, index, arguments } => {
                self.call_arguments(out, *index, arguments);
            }
            Event::Citation { choice: 0, citation } => self.citation(out, citation),
            Event::Part { choice: 0, part } => self.part(out, part),
            Event::BlockEnd { choice: 0 } => self.settle(out),
            Event::Finish { choice: 0, reason } => self.finish = Some(reason.clone()),
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
