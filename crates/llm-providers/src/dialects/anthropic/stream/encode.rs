//! Events into frames for a caller: how blocks are told.

use bytes::BytesMut;
use llm_types::{Citation, Error, Finish, Part, PartKind, Start, Usage};
use serde_json::{Value, json};

use super::super::content;
use super::super::{error, response, usage};
use crate::ReplyContext;
use crate::dialects::blocks::{self, Block, Blocks};
use crate::framing::sse;
use crate::write::{self, Object};

/// Writes a stream of this dialect.
pub(in super::super) type Encoder = Blocks<Wire>;

/// What the frames are made of.
#[derive(Debug)]
pub(in super::super) struct Wire {
    cx: ReplyContext,
    /// The beginning, held back until something follows: usage may come right behind it.
    start: Start,
    scratch: Vec<u8>,
}

impl Encoder {
    pub(in super::super) fn new(cx: ReplyContext) -> Self {
        Self::of(Wire { cx, start: Start::default(), scratch: Vec::with_capacity(256) })
    }
}

impl Wire {
    fn frame(&mut self, out: &mut BytesMut, event: &str, write: impl FnOnce(&mut Object<'_>)) {
        self.scratch.clear();
        write::object(&mut self.scratch, |body| {
            body.text("type", event);
            write(body);
        });
        sse::write(out, event, &self.scratch);
    }

    fn delta(&mut self, out: &mut BytesMut, index: u64, kind: &str, write: impl FnOnce(&mut Object<'_>)) {
        self.frame(out, "content_block_delta", |body| {
            body.value("index", &index);
            body.object("delta", |delta| {
                delta.text("type", kind);
                write(delta);
            });
        });
    }
}

impl blocks::Wire for Wire {
    const PINGS: bool = true;
    const SIGNS: bool = true;

    fn started(&mut self, start: &Start) {
        self.start = start.clone();
    }

    fn begin(&mut self, used: &Usage, out: &mut BytesMut) {
        let start = std::mem::take(&mut self.start);
        let id = response::or(&start.id, &self.cx.id).to_owned();
        let model = response::or(&start.model, &self.cx.model).to_owned();
        self.frame(out, "message_start", |body| {
            body.object("message", |message| {
                message.text("id", &id);
                message.text("type", "message");
                message.text("role", "assistant");
                message.text("model", &model);
                message.array("content", |_| {});
                message.value("stop_reason", &Value::Null);
                message.value("stop_sequence", &Value::Null);
                message.object("usage", |out| usage::write(out, used));
            });
        });
    }

    fn block(&mut self, index: u64, block: &Block<'_>, out: &mut BytesMut) {
        self.frame(out, "content_block_start", |body| {
            body.value("index", &index);
            body.object("content_block", |out| match block {
                Block::Text => {
                    out.text("type", "text");
                    out.text("text", "");
                }
                Block::Thinking => {
                    out.text("type", "thinking");
                    out.text("thinking", "");
                    out.text("signature", "");
                }
                Block::Call { id, name } => {
                    out.text("type", "tool_use");
                    out.text("id", id);
                    out.text("name", name);
                    out.object("input", |_| {});
                }
            });
        });
    }

    fn text(&mut self, index: u64, text: &str, out: &mut BytesMut) {
        self.delta(out, index, "text_delta", |delta| delta.text("text", text));
    }

    fn thinking(&mut self, index: u64, text: &str, out: &mut BytesMut) {
        self.delta(out, index, "thinking_delta", |delta| delta.text("thinking", text));
    }

    fn signature(&mut self, index: u64, signature: &str, out: &mut BytesMut) {
        self.delta(out, index, "signature_delta", |delta| delta.text("signature", signature));
    }

    fn arguments(&mut self, index: u64, piece: &str, out: &mut BytesMut) {
        self.delta(out, index, "input_json_delta", |delta| delta.text("partial_json", piece));
    }

    fn citation(&mut self, index: u64, citation: &Citation, out: &mut BytesMut) {
        let citation = content::citation_json(citation);
        self.delta(out, index, "citations_delta", |delta| delta.value("citation", &*citation));
    }

    fn stop(&mut self, index: u64, out: &mut BytesMut) {
        self.frame(out, "content_block_stop", |body| body.value("index", &index));
    }

    /// Writes a part that comes whole as a block that begins and ends.
    fn part(blocks: &mut Blocks<Self>, part: &Part, out: &mut BytesMut) {
        if content::wanted(part) != content::Wanted::Yes {
            return;
        }
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
        if matches!(part.kind, PartKind::ToolCall(_)) {
            blocks.called();
        }
        let index = blocks.own(out);
        blocks.wire.frame(out, "content_block_start", |body| {
            body.value("index", &index);
            body.value("content_block", &block);
        });
        if let Some(input) = input {
            blocks::Wire::arguments(&mut blocks.wire, index, &input.to_string(), out);
        }
        blocks.settle(out);
    }

    fn end(&mut self, finish: Option<&Finish>, has_calls: bool, used: &Usage, out: &mut BytesMut) {
        let (reason, sequence) = response::stop_reason(finish, has_calls);
        self.frame(out, "message_delta", |body| {
            body.object("delta", |delta| {
                delta.text("stop_reason", reason);
                delta.value("stop_sequence", &sequence);
            });
            body.object("usage", |out| usage::write(out, used));
        });
        self.frame(out, "message_stop", |_| {});
    }

    fn fail(&mut self, error: &Error, _used: &Usage, out: &mut BytesMut) {
        write_error(error, out);
    }

    fn ping(&mut self, out: &mut BytesMut) {
        self.frame(out, "ping", |_| {});
    }
}

/// Writes the frame that ends a stream which failed.
pub(in super::super) fn write_error(error: &Error, out: &mut BytesMut) {
    sse::write(out, "error", &error::body(error));
}
