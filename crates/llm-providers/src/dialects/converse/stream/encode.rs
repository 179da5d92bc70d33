//! Events into frames for a caller: how blocks are told. Only those of tools and pictures are announced.

use bytes::BytesMut;
use llm_types::{Citation, Error, Finish, MediaSource, Part, PartKind, Usage};
use serde_json::Value;

use super::super::content::{self, NATIVE, Voice, Wanted};
use super::super::{error, response, usage};
use crate::ReplyContext;
use crate::dialects::blocks::{self, Block, Blocks};
use crate::dialects::calls::input_json;
use crate::framing::event_stream;
use crate::write::{self, Object};

/// Writes a stream of this dialect.
pub(in super::super) type Encoder = Blocks<Wire>;

/// What the frames are made of.
#[derive(Debug)]
pub(in super::super) struct Wire {
    cx: ReplyContext,
    scratch: Vec<u8>,
}

impl Encoder {
    pub(in super::super) fn new(cx: ReplyContext) -> Self {
        Self::of(Wire { cx, scratch: Vec::with_capacity(256) })
    }
}

impl Wire {
    fn frame(&mut self, out: &mut BytesMut, event: &str, write: impl FnOnce(&mut Object<'_>)) {
        self.scratch.clear();
        write::object(&mut self.scratch, write);
        event_stream::write(out, event, &self.scratch);
    }

    fn delta(&mut self, out: &mut BytesMut, index: u64, write: impl FnOnce(&mut Object<'_>)) {
        self.frame(out, "contentBlockDelta", |body| {
            body.value("contentBlockIndex", &index);
            body.object("delta", write);
        });
    }

    fn announce(&mut self, out: &mut BytesMut, index: u64, write: impl FnOnce(&mut Object<'_>)) {
        self.frame(out, "contentBlockStart", |body| {
            body.value("contentBlockIndex", &index);
            body.object("start", write);
        });
    }

    fn reasoning(&mut self, out: &mut BytesMut, index: u64, name: &str, text: &str) {
        self.delta(out, index, |delta| delta.object("reasoningContent", |content| content.text(name, text)));
    }
}

impl blocks::Wire for Wire {
    const SIGNS: bool = true;

    fn begin(&mut self, _used: &Usage, out: &mut BytesMut) {
        self.frame(out, "messageStart", |body| body.text("role", "assistant"));
    }

    fn block(&mut self, index: u64, block: &Block<'_>, out: &mut BytesMut) {
        if let Block::Call { id, name } = block {
            self.announce(out, index, |start| {
                start.object("toolUse", |call| {
                    call.text("toolUseId", id);
                    call.text("name", name);
                });
            });
        }
    }

    fn text(&mut self, index: u64, text: &str, out: &mut BytesMut) {
        self.delta(out, index, |delta| delta.text("text", text));
    }

    fn thinking(&mut self, index: u64, text: &str, out: &mut BytesMut) {
        self.reasoning(out, index, "text", text);
    }

    fn signature(&mut self, index: u64, signature: &str, out: &mut BytesMut) {
        self.reasoning(out, index, "signature", signature);
    }

    fn arguments(&mut self, index: u64, piece: &str, out: &mut BytesMut) {
        self.delta(out, index, |delta| delta.object("toolUse", |call| call.text("input", piece)));
    }

    fn citation(&mut self, index: u64, citation: &Citation, out: &mut BytesMut) {
        let citation = content::citation_json(citation);
        self.delta(out, index, |delta| delta.value("citation", &*citation));
    }

    fn stop(&mut self, index: u64, out: &mut BytesMut) {
        self.frame(out, "contentBlockStop", |body| body.value("contentBlockIndex", &index));
    }

    /// Writes a part that comes whole as a block that begins and ends.
    fn part(blocks: &mut Blocks<Self>, part: &Part, out: &mut BytesMut) {
        if content::wanted(part, Voice::ANSWER) != Wanted::Yes {
            return;
        }
        match &part.kind {
            PartKind::RedactedReasoning { data } => {
                let index = blocks.own(out);
                blocks.wire.reasoning(out, index, "redactedContent", data);
                blocks.settle(out);
            }
            PartKind::ToolCall(call) => blocks.whole_call(&call.id, &call.name, &input_json(call), out),
            PartKind::Native { dialect, value } if dialect == NATIVE => native(blocks, value, out),
            PartKind::Image(media) => {
                if let MediaSource::Base64(data) = &media.source {
                    let format = media.mime.as_deref().and_then(|mime| mime.strip_prefix("image/"));
                    picture(blocks, format.unwrap_or("png"), data, out);
                }
            }
            // The wire has no deltas for other blocks.
            _ => {}
        }
    }

    fn end(&mut self, finish: Option<&Finish>, has_calls: bool, used: &Usage, out: &mut BytesMut) {
        let (reason, stop_text) = response::stop_reason(finish, has_calls);
        self.frame(out, "messageStop", |body| {
            body.text("stopReason", reason);
            if let Some(text) = stop_text {
                body.object("additionalModelResponseFields", |fields| fields.text("stop_sequence", text));
            }
        });
        let elapsed_ms = self.cx.elapsed_ms;
        self.frame(out, "metadata", |body| {
            body.object("usage", |out| usage::write(out, used));
            body.object("metrics", |metrics| metrics.value("latencyMs", &elapsed_ms));
            response::write_tier(body, used.service_tier.as_deref());
        });
    }

    fn fail(&mut self, error: &Error, _used: &Usage, out: &mut BytesMut) {
        let (name, payload) = error::exception(error);
        event_stream::write_exception(out, name, &payload);
    }
}

fn picture(blocks: &mut Encoder, format: &str, data: &str, out: &mut BytesMut) {
    let index = blocks.own(out);
    blocks.wire.announce(out, index, |start| start.object("image", |image| image.text("format", format)));
    blocks.wire.delta(out, index, |delta| {
        delta.object("image", |image| image.object("source", |source| source.text("bytes", data)));
    });
    blocks.settle(out);
}

/// A provider-run tool's call or result.
fn native(blocks: &mut Encoder, value: &Value, out: &mut BytesMut) {
    let found =
        ["toolUse", "toolResult"].iter().find_map(|name| Some((*name, value.get(name)?.as_object()?)));
    let Some((name, block)) = found else { return };
    let index = blocks.own(out);
    blocks.wire.announce(out, index, |start| {
        start.object(name, |head| {
            for (name, value) in
                block.iter().filter(|(name, _)| !matches!(name.as_str(), "input" | "content"))
            {
                head.value(name, value);
            }
        });
    });
    if let Some(input) = block.get("input") {
        blocks::Wire::arguments(&mut blocks.wire, index, &input.to_string(), out);
    }
    if let Some(content) = block.get("content") {
        blocks.wire.delta(out, index, |delta| delta.value("toolResult", content));
    }
    blocks.settle(out);
}
