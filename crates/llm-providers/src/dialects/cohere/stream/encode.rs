//! Events into frames for a caller: one content block open at a time, blocks and calls numbered from 0.

use bytes::BytesMut;
use llm_types::{Citation, Error, ErrorKind, Event, Finish, Part, PartKind, Start, Usage};
use serde_json::{Value, json};

use super::super::wire::{TOOL_PLAN, finish_word};
use super::super::{citation, content, logprobs, usage};
use crate::ReplyContext;
use crate::dialect::StreamEncoder;
use crate::framing::sse;
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
    /// Content blocks begun so far.
    blocks: u64,
    citations: u64,
    has_calls: bool,
    /// The text being written, which citations count in.
    text: String,
    scratch: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Thinking,
    Call(u32),
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
            citations: 0,
            has_calls: false,
            text: String::new(),
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

    /// A frame with a number and a piece of the message.
    fn piece(&mut self, out: &mut BytesMut, event: &str, index: u64, write: impl FnOnce(&mut Object<'_>)) {
        self.frame(out, event, |body| {
            body.value("index", &index);
            body.object("delta", |delta| delta.object("message", write));
        });
    }

    /// Writes `message-start` unless it is written.
    fn begin(&mut self, out: &mut BytesMut, start: Option<&Start>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let said = start.map(|start| &start.id).filter(|id| !id.is_empty());
        let id = said.unwrap_or(&self.cx.id).clone();
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

    fn close(&mut self, out: &mut BytesMut) {
        match self.open.take() {
            Some(Open::Text | Open::Thinking) => {
                let index = self.blocks - 1;
                self.frame(out, "content-end", |body| body.value("index", &index));
            }
            Some(Open::Call(index)) => {
                self.frame(out, "tool-call-end", |body| body.value("index", &index));
            }
            None => {}
        }
    }

    /// Opens a block of a kind unless one is open.
    fn block(&mut self, out: &mut BytesMut, open: Open, name: &str) {
        if self.open == Some(open) {
            return;
        }
        self.close(out);
        self.begin(out, None);
        self.open = Some(open);
        self.text.clear();
        let index = self.blocks;
        self.blocks += 1;
        self.piece(out, "content-start", index, |message| {
            message.object("content", |content| {
                content.text("type", name);
                content.text(name, "");
            });
        });
    }

    fn say(&mut self, out: &mut BytesMut, open: Open, name: &str, text: &str) {
        self.block(out, open, name);
        if open == Open::Text {
            self.text.push_str(text);
        }
        let index = self.blocks - 1;
        self.piece(out, "content-delta", index, |message| {
            message.object("content", |content| content.text(name, text));
        });
    }

    fn call(&mut self, out: &mut BytesMut, index: u32, id: &str, name: &str) {
        self.close(out);
        self.begin(out, None);
        self.has_calls = true;
        self.open = Some(Open::Call(index));
        self.piece(out, "tool-call-start", index.into(), |message| {
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

    /// More of a call's arguments. Those of a call that has ended carry its number and find their place.
    fn arguments(&mut self, out: &mut BytesMut, index: u32, piece: &str) {
        if piece.is_empty() {
            return;
        }
        self.piece(out, "tool-call-delta", index.into(), |message| {
            message.object("tool_calls", |call| {
                call.object("function", |function| function.text("arguments", piece));
            });
        });
    }

    fn cite(&mut self, out: &mut BytesMut, cited: &Citation) {
        self.block(out, Open::Text, "text");
        let text = std::mem::take(&mut self.text);
        let native = citation::wire(cited, &text);
        let index = self.citations;
        self.citations += 1;
        self.piece(out, "citation-start", index, |message| message.value("citations", &*native));
        self.frame(out, "citation-end", |body| body.value("index", &index));
        self.text = text;
    }

    fn logprobs(&mut self, out: &mut BytesMut, record: &Value) {
        for piece in logprobs::pieces(record) {
            if !matches!(self.open, Some(Open::Text | Open::Thinking)) {
                self.block(out, Open::Text, "text");
            }
            let name = if self.open == Some(Open::Thinking) { "thinking" } else { "text" };
            let index = self.blocks - 1;
            self.frame(out, "content-delta", |body| {
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

    /// Writes a part that comes whole.
    fn part(&mut self, out: &mut BytesMut, part: &Part) {
        match &part.kind {
            PartKind::Text { text, .. } | PartKind::Refusal { text } => {
                self.say(out, Open::Text, "text", text)
            }
            PartKind::Reasoning { text, .. } if part.extra.value(TOOL_PLAN).is_some() => {
                self.close(out);
                self.begin(out, None);
                self.frame(out, "tool-plan-delta", |body| {
                    body.value("delta", &json!({ "message": { "tool_plan": text } }));
                });
            }
            PartKind::Reasoning { text, .. } => self.say(out, Open::Thinking, "thinking", text),
            PartKind::Image(media) => {
                self.close(out);
                self.begin(out, None);
                let mut block = Vec::new();
                write::array(&mut block, |list| content::picture_block(list, media));
                // One part writes one block: the array's brackets are taken off.
                let Ok([block]) = serde_json::from_slice::<[Value; 1]>(&block) else { return };
                let index = self.blocks;
                self.blocks += 1;
                self.piece(out, "content-start", index, |message| message.value("content", &block));
                self.frame(out, "content-end", |body| body.value("index", &index));
            }
            // The dialect has no place for others in an answer.
            _ => {}
        }
    }

    fn done(&mut self, out: &mut BytesMut) {
        self.close(out);
        self.begin(out, None);
        let reason = finish_word(self.finish.take().as_ref(), self.has_calls);
        let usage = std::mem::take(&mut self.usage);
        self.frame(out, "message-end", |body| {
            body.object("delta", |delta| {
                delta.text("finish_reason", reason);
                delta.object("usage", |out| usage::write(out, &usage));
            });
        });
        out.extend_from_slice(b"data: [DONE]\n\n");
        self.ended = true;
    }

    fn fail(&mut self, out: &mut BytesMut, error: &Error) {
        let usage = (self.usage != Usage::default()).then_some(&self.usage);
        end_in_error(out, error, usage);
        self.ended = true;
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut BytesMut) {
        if self.ended {
            return;
        }
        match event {
            Event::Start(start) => self.begin(out, Some(start)),
            Event::Usage(usage) => self.usage.update(usage),
            Event::Text { choice: 0, text } | Event::Refusal { choice: 0, text } if !text.is_empty() => {
                self.say(out, Open::Text, "text", text);
            }
            Event::Reasoning { choice: 0, text } if !text.is_empty() => {
                self.say(out, Open::Thinking, "thinking", text);
            }
            Event::ToolStart { choice: 0, index, id, name, .. } => self.call(out, *index, id, name),
            Event::ToolArguments { choice: 0, index, arguments } => self.arguments(out, *index, arguments),
            Event::Citation { choice: 0, citation } => self.cite(out, citation),
            Event::Logprobs { choice: 0, value } => self.logprobs(out, value),
            Event::Part { choice: 0, part } => self.part(out, part),
            Event::BlockEnd { choice: 0 } => self.close(out),
            Event::Finish { choice: 0, reason } => self.finish = Some(reason.clone()),
            Event::Ping => out.extend_from_slice(b": ping\n\n"),
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
