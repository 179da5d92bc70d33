//! Replies and streams for callers.

use bytes::{Bytes, BytesMut};
use llm_types::{ChatResponse, Choice, Event, PartKind, Start, Usage};
use serde_json::Value;

use super::super::chat::{error_frame, finish_word, write_usage};
use super::logprobs;
use crate::dialect::{ReplyContext, StreamEncoder};
use crate::dialects::pass::cut;
use crate::write::{self, Object};

/// LiteLLM's and OpenAI's word for what a reply is; the same for frames.
const OBJECT: &str = "text_completion";

/// Writes a whole reply.
pub(super) fn encode(reply: &ChatResponse, cx: &ReplyContext) -> Bytes {
    let mut out = Vec::with_capacity(256);
    write::object(&mut out, |object| {
        let start = Start {
            id: reply.id.clone(),
            model: reply.model.clone(),
            created: reply.created,
            ..Start::default()
        };
        head(object, Some(&start), cx);
        object.array("choices", |list| {
            for choice in &reply.choices {
                list.object(|object| self::choice(choice, object));
            }
        });
        if let Some(usage) = &reply.usage {
            object.object("usage", |object| write_usage(usage, object));
        }
    });
    out.into()
}

fn choice(choice: &Choice, object: &mut Object<'_>) {
    let said = choice.message.parts.iter().filter_map(|part| match &part.kind {
        PartKind::Text { text, .. } | PartKind::Refusal { text } => Some(text.as_str()),
        _ => None,
    });
    object.text("text", &said.collect::<String>());
    object.value("index", &choice.index);
    object.value("logprobs", &choice.logprobs.as_ref().map(|record| logprobs::lists(record, &mut 0)));
    object.value("finish_reason", &choice.finish.as_ref().map(finish_word));
}

fn head(object: &mut Object<'_>, start: Option<&Start>, cx: &ReplyContext) {
    let or = |said: Option<&String>, other: &str| {
        said.filter(|said| !said.is_empty()).map_or(other.to_owned(), Clone::clone)
    };
    object.text("id", &or(start.map(|start| &start.id), &cx.id));
    object.text("object", OBJECT);
    object.value("created", &start.and_then(|start| start.created).unwrap_or(cx.now));
    object.text("model", &or(start.map(|start| &start.model), &cx.model));
}

/// Writes a stream.
#[derive(Debug)]
pub(super) struct Encoder {
    cx: ReplyContext,
    start: Option<Start>,
    usage: Option<Usage>,
    /// Characters of text written so far, by answer: where log-probabilities stand.
    written: Vec<(u32, usize)>,
    ended: bool,
}

impl Encoder {
    pub(super) fn new(cx: ReplyContext) -> Self {
        Self { cx, start: None, usage: None, written: Vec::new(), ended: false }
    }

    fn frame(&self, out: &mut BytesMut, write: impl FnOnce(&mut Object<'_>)) {
        let mut data = Vec::with_capacity(256);
        write::object(&mut data, |object| {
            head(object, self.start.as_ref(), &self.cx);
            write(object);
        });
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(&data);
        out.extend_from_slice(b"\n\n");
    }

    fn piece(
        &self,
        out: &mut BytesMut,
        choice: u32,
        text: &str,
        logprobs: Option<&Value>,
        finish: Option<&str>,
    ) {
        self.frame(out, |object| {
            object.array("choices", |list| {
                list.object(|object| {
                    object.text("text", text);
                    object.value("index", &choice);
                    object.value("logprobs", &logprobs);
                    object.value("finish_reason", &finish);
                });
            });
        });
    }

    fn written(&mut self, choice: u32) -> &mut usize {
        let at = self.written.iter().position(|(index, _)| *index == choice).unwrap_or_else(|| {
            self.written.push((choice, 0));
            self.written.len() - 1
        });
        &mut self.written[at].1
    }

    fn done(&mut self, out: &mut BytesMut) {
        self.ended = true;
        if let Some(usage) = self.usage.take().filter(|_| self.cx.include_usage) {
            self.frame(out, |object| {
                object.array("choices", |_| {});
                object.object("usage", |object| write_usage(&usage, object));
            });
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut BytesMut) {
        if self.ended {
            return;
        }
        match event {
            Event::Start(start) => self.start = Some(start.clone()),
            Event::Text { choice, text } | Event::Refusal { choice, text } if !text.is_empty() => {
                self.piece(out, *choice, text, None, None);
            }
            Event::Logprobs { choice, value } => {
                let lists = logprobs::lists(value, self.written(*choice));
                self.piece(out, *choice, "", Some(&lists), None);
            }
            Event::Usage(later) => self.usage.get_or_insert_with(Usage::default).update(later),
            Event::Finish { choice, reason } => {
                self.piece(out, *choice, "", None, Some(finish_word(reason)));
            }
            Event::Ping => out.extend_from_slice(b": ping\n\n"),
            Event::Error(error) => {
                self.ended = true;
                error_frame(error, out);
            }
            Event::Done => self.done(out),
            _ => {}
        }
    }

    fn finish(&mut self, out: &mut BytesMut) {
        if !self.ended {
            self.ended = true;
            error_frame(&cut(), out);
        }
    }
}
