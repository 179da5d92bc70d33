//! Events into frames for a caller: how blocks are told. Content and calls are numbered apart.

use bytes::BytesMut;
use llm_types::{Citation, Error, ErrorKind, Finish, Part, PartKind, Start, Usage};
use serde_json::{Value, json};

use super::super::wire::{TOOL_PLAN, finish_word};
use super::super::{citation, content, logprobs, usage};
use crate::ReplyContext;
use crate::dialects::blocks::{self, Block, Blocks};
use crate::framing::sse;
use crate::write::{self, Object};

/// Writes a stream of this dialect.
pub(in super::super) type Encoder = Blocks<Wire>;

/// What the frames are made of.
#[derive(Debug)]
pub(in super::super) struct Wire {
    id: String,
    open: Open,
    /// Content blocks, calls and citations begun so far.
    contents: u64,
    calls: u64,
    citations: u64,
    /// The text being written, which citations count in.
    text: String,
    scratch: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Content(&'static str),
    Call,
}

impl Encoder {
    pub(in super::super) fn new(cx: ReplyContext) -> Self {
        Self::of(Wire {
            id: cx.id,
            open: Open::Content("text"),
            contents: 0,
            calls: 0,
            citations: 0,
            text: String::new(),
            scratch: Vec::with_capacity(256),
        })
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

    /// A frame with a number and a piece of the message.
    fn piece(&mut self, out: &mut BytesMut, event: &str, index: u64, write: impl FnOnce(&mut Object<'_>)) {
        self.frame(out, event, |body| {
            body.value("index", &index);
            body.object("delta", |delta| delta.object("message", write));
        });
    }

    /// The number of the content block or call begun last.
    fn number(&self) -> u64 {
        let begun = if self.open == Open::Call { self.calls } else { self.contents };
        begun.saturating_sub(1)
    }

    fn content(&mut self, out: &mut BytesMut, name: &'static str) {
        self.open = Open::Content(name);
        self.contents += 1;
        self.text.clear();
        let index = self.number();
        self.piece(out, "content-start", index, |message| {
            message.object("content", |content| {
                content.text("type", name);
                content.text(name, "");
            });
        });
    }

    fn say(&mut self, out: &mut BytesMut, name: &str, text: &str) {
        let index = self.number();
        self.piece(out, "content-delta", index, |message| {
            message.object("content", |content| content.text(name, text));
        });
    }
}

impl blocks::Wire for Wire {
    const BEGINS_AT_ONCE: bool = true;
    const PINGS: bool = true;

    fn started(&mut self, start: &Start) {
        if !start.id.is_empty() {
            self.id.clone_from(&start.id);
        }
    }

    fn begin(&mut self, _used: &Usage, out: &mut BytesMut) {
        let id = std::mem::take(&mut self.id);
        self.frame(out, "message-start", |body| {
            body.text("id", &id);
            body.object("delta", |delta| {
                delta.object("message", |message| {
                    message.text("role", "assistant");
                    message.array("content", |_| {});
                    message.text("tool_plan", "");
                    message.array("tool_calls", |_| {});
                    message.array("citations", |_| {});
                });
            });
        });
    }

    fn block(&mut self, _index: u64, block: &Block<'_>, out: &mut BytesMut) {
        match block {
            Block::Text => self.content(out, "text"),
            Block::Thinking => self.content(out, "thinking"),
            Block::Call { id, name } => {
                self.open = Open::Call;
                self.calls += 1;
                let index = self.number();
                self.piece(out, "tool-call-start", index, |message| {
                    message.object("tool_calls", |call| {
                        call.text("id", id);
                        call.text("type", "function");
                        call.object("function", |function| {
                            function.text("name", name);
                            function.text("arguments", "");
                        });
                    });
                });
            }
        }
    }

    fn text(&mut self, _index: u64, text: &str, out: &mut BytesMut) {
        self.text.push_str(text);
        self.say(out, "text", text);
    }

    fn thinking(&mut self, _index: u64, text: &str, out: &mut BytesMut) {
        self.say(out, "thinking", text);
    }

    fn arguments(&mut self, _index: u64, piece: &str, out: &mut BytesMut) {
        let index = self.number();
        self.piece(out, "tool-call-delta", index, |message| {
            message.object("tool_calls", |call| {
                call.object("function", |function| function.text("arguments", piece));
            });
        });
    }

    fn citation(&mut self, _index: u64, cited: &Citation, out: &mut BytesMut) {
        let text = std::mem::take(&mut self.text);
        let native = citation::wire(cited, &text);
        let index = self.citations;
        self.citations += 1;
        self.piece(out, "citation-start", index, |message| message.value("citations", &*native));
        self.frame(out, "citation-end", |body| body.value("index", &index));
        self.text = text;
    }

    /// Figures stand in deltas of the content they are of.
    fn logprobs(blocks: &mut Blocks<Self>, record: &Value, out: &mut BytesMut) {
        for piece in logprobs::pieces(record) {
            blocks.words(out);
            let Open::Content(name) = blocks.wire.open else { return };
            let index = blocks.wire.number();
            blocks.wire.frame(out, "content-delta", |body| {
                body.value("index", &index);
                body.object("delta", |delta| {
                    delta.object("message", |message| {
                        message.object("content", |content| content.text(name, ""));
                    });
                });
                body.value("logprobs", &piece);
            });
        }
    }

    fn stop(&mut self, _index: u64, out: &mut BytesMut) {
        let event = if self.open == Open::Call { "tool-call-end" } else { "content-end" };
        let index = self.number();
        self.frame(out, event, |body| body.value("index", &index));
    }

    /// Writes a part that comes whole.
    fn part(blocks: &mut Blocks<Self>, part: &Part, out: &mut BytesMut) {
        match &part.kind {
            PartKind::Text { text, .. } | PartKind::Refusal { text } => blocks.say(text, out),
            PartKind::Reasoning { text, .. } if part.extra.value(TOOL_PLAN).is_some() => {
                blocks.settle(out);
                blocks.begin(out);
                blocks.wire.frame(out, "tool-plan-delta", |body| {
                    body.value("delta", &json!({ "message": { "tool_plan": text } }));
                });
            }
            PartKind::Reasoning { text, .. } => blocks.think(text, out),
            PartKind::Image(media) => {
                let mut block = Vec::new();
                write::array(&mut block, |list| content::picture_block(list, media));
                // One part writes one block: the array's brackets are taken off.
                let Ok([block]) = serde_json::from_slice::<[Value; 1]>(&block) else { return };
                blocks.own(out);
                blocks.wire.open = Open::Content("image_url");
                blocks.wire.contents += 1;
                let index = blocks.wire.number();
                blocks.wire.piece(out, "content-start", index, |message| message.value("content", &block));
                blocks.settle(out);
            }
            // The dialect has no place for others in an answer.
            _ => {}
        }
    }

    fn end(&mut self, finish: Option<&Finish>, has_calls: bool, used: &Usage, out: &mut BytesMut) {
        let reason = finish_word(finish, has_calls);
        self.frame(out, "message-end", |body| {
            body.object("delta", |delta| {
                delta.text("finish_reason", reason);
                delta.object("usage", |out| usage::write(out, used));
            });
        });
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn fail(&mut self, error: &Error, used: &Usage, out: &mut BytesMut) {
        end_in_error(out, error, (*used != Usage::default()).then_some(used));
    }

    fn ping(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(b": ping\n\n");
    }
}

/// Writes the end of a stream that failed, as the vendor writes it.
pub(in super::super) fn end_in_error(out: &mut BytesMut, error: &Error, used: Option<&Usage>) {
    let word = if error.kind() == ErrorKind::Timeout { "TIMEOUT" } else { "ERROR" };
    let mut body = Vec::with_capacity(128 + error.message().len());
    write::object(&mut body, |body| {
        body.text("type", "message-end");
        body.object("delta", |delta| {
            delta.text("finish_reason", word);
            delta.object("usage", |out| {
                if let Some(used) = used {
                    usage::write(out, used);
                }
            });
            delta.text("error", error.message());
        });
    });
    sse::write(out, "message-end", &body);
}
