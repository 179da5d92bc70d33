//! Events into lines for a caller.

use bytes::BytesMut;
use llm_types::{Event, Finish, Media, MediaSource, Part, PartKind, Start, ToolCall, Usage};

use super::super::response::{head, write_call};
use super::super::wire::{entries, finish_word};
use super::super::{error, usage};
use crate::ReplyContext;
use crate::dialect::StreamEncoder;
use crate::dialects::pass::cut;
use crate::write::{self, Object};

/// Writes a stream of this dialect. Answers beyond the first have no place in it. Calls are written whole,
/// when the answer ends: that is what callers of this dialect read.
#[derive(Debug)]
pub(in super::super) struct Encoder {
    cx: ReplyContext,
    start: Start,
    ended: bool,
    usage: Usage,
    finish: Option<Finish>,
    calls: Vec<(u32, ToolCall)>,
    scratch: Vec<u8>,
}

impl Encoder {
    pub(in super::super) fn new(cx: ReplyContext) -> Self {
        Self {
            cx,
            start: Start::default(),
            ended: false,
            usage: Usage::default(),
            finish: None,
            calls: Vec::new(),
            scratch: Vec::with_capacity(256),
        }
    }

    fn line(&mut self, out: &mut BytesMut, write: impl FnOnce(&mut Object<'_>)) {
        self.scratch.clear();
        let Self { scratch, start, cx, .. } = self;
        write::object(scratch, |body| {
            head(body, &start.model, start.created, cx);
            write(body);
        });
        scratch.push(b'\n');
        out.extend_from_slice(scratch);
    }

    /// A line with a piece of the message.
    fn piece(&mut self, out: &mut BytesMut, content: &str, write: impl FnOnce(&mut Object<'_>)) {
        self.line(out, |body| {
            body.object("message", |message| {
                message.text("role", "assistant");
                message.text("content", content);
                write(message);
            });
            body.value("done", &false);
        });
    }

    fn part(&mut self, out: &mut BytesMut, part: &Part) {
        match &part.kind {
            PartKind::Text { text, .. } | PartKind::Refusal { text } => self.piece(out, text, |_| {}),
            PartKind::Reasoning { text, .. } => {
                self.piece(out, "", |message| message.text("thinking", text));
            }
            PartKind::Image(Media { source: MediaSource::Base64(data), .. }) => {
                self.piece(out, "", |message| message.value("images", &[data]));
            }
            // The dialect has no place for others in an answer.
            _ => {}
        }
    }

    fn arguments(&mut self, index: u32, piece: &str) {
        if let Some((_, call)) = self.calls.iter_mut().find(|(number, _)| *number == index) {
            call.arguments.push_str(piece);
        }
    }

    /// Writes the calls, once.
    fn write_calls(&mut self, out: &mut BytesMut) {
        let calls = std::mem::take(&mut self.calls);
        if calls.is_empty() {
            return;
        }
        self.piece(out, "", |message| {
            message.array("tool_calls", |list| {
                (0..).zip(&calls).for_each(|(index, (_, call))| write_call(index, call, list));
            });
        });
    }

    fn done(&mut self, out: &mut BytesMut) {
        self.write_calls(out);
        let (finish, usage, elapsed) =
            (self.finish.take(), std::mem::take(&mut self.usage), self.cx.elapsed_ms);
        self.line(out, |body| {
            body.object("message", |message| {
                message.text("role", "assistant");
                message.text("content", "");
            });
            body.text("done_reason", finish_word(finish.as_ref()));
            body.value("done", &true);
            usage::write(body, Some(&usage), elapsed);
        });
        self.ended = true;
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut BytesMut) {
        if self.ended {
            return;
        }
        match event {
            Event::Start(start) => self.start = start.clone(),
            Event::Usage(usage) => self.usage.update(usage),
            Event::Text { choice: 0, text } | Event::Refusal { choice: 0, text } if !text.is_empty() => {
                self.piece(out, text, |_| {});
            }
            Event::Reasoning { choice: 0, text } if !text.is_empty() => {
                self.piece(out, "", |message| message.text("thinking", text));
            }
            Event::ToolStart { choice: 0, index, id, name, custom } => {
                let (id, name) = (id.clone(), name.clone());
                let call = ToolCall { id, name, arguments: String::new(), custom: *custom };
                self.calls.push((*index, call));
            }
            Event::ToolArguments { choice: 0, index, arguments } => self.arguments(*index, arguments),
            Event::Logprobs { choice: 0, value } => {
                if let Some(entries) = entries(value) {
                    self.line(out, |body| {
                        body.object("message", |message| {
                            message.text("role", "assistant");
                            message.text("content", "");
                        });
                        body.value("done", &false);
                        body.value("logprobs", entries);
                    });
                }
            }
            Event::Part { choice: 0, part } => self.part(out, part),
            Event::Finish { choice: 0, reason } => self.finish = Some(reason.clone()),
            Event::Error(fault) => {
                error::line(out, fault);
                self.ended = true;
            }
            Event::Done => self.done(out),
            // A line that says nothing is no line of this dialect: nothing keeps it awake.
            _ => {}
        }
    }

    fn finish(&mut self, out: &mut BytesMut) {
        if !self.ended {
            error::line(out, &cut());
            self.ended = true;
        }
    }
}
