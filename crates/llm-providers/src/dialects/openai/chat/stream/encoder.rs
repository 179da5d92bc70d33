//! Events into the chunks of an OpenAI stream.

use bytes::BytesMut;
use llm_types::{Error, Event, Part, PartKind, Usage};

use super::super::super::error;
use super::super::response::{annotation, audio, spoken_members, thinking_block, write_image};
use super::super::usage;
use super::super::wire::finish_word;
use crate::dialect::{ReplyContext, StreamEncoder};
use crate::dialects::pass::cut;
use crate::write::{self, Object};

/// The state of one stream being written.
#[derive(Debug)]
pub(crate) struct Encoder {
    cx: ReplyContext,
    /// `{"id":…,"object":…,"created":…,"model":…`, the same in every chunk.
    head: Vec<u8>,
    scratch: Vec<u8>,
    answers: Vec<Answer>,
    usage: Option<Usage>,
    ended: bool,
}

#[derive(Debug)]
struct Answer {
    choice: u32,
    /// Reasoning since the last signature, for the block that carries both.
    reasoning: String,
    /// The call being written, if that is the latest part.
    call: Option<u32>,
    /// Calls of tools that take free text.
    custom: Vec<u32>,
    images: usize,
}

impl Encoder {
    pub(crate) fn new(cx: ReplyContext) -> Self {
        Self { cx, head: Vec::new(), scratch: Vec::new(), answers: Vec::new(), usage: None, ended: false }
    }

    fn begin(&mut self, start: Option<&llm_types::Start>) {
        let or = |said: Option<&String>, other: &str| {
            said.filter(|said| !said.is_empty()).map_or(other.to_owned(), Clone::clone)
        };
        let id = or(start.map(|start| &start.id), &self.cx.id);
        let model = or(start.map(|start| &start.model), &self.cx.model);
        let created = start.and_then(|start| start.created).unwrap_or(self.cx.now);
        self.head.clear();
        let mut object = Object::begin(&mut self.head);
        object.text("id", &id);
        object.text("object", "chat.completion.chunk");
        object.value("created", &created);
        object.text("model", &model);
        for (name, value) in start.iter().flat_map(|start| &start.extra.0) {
            object.value(name, value);
        }
    }

    /// Writes one chunk with one choice.
    fn chunk(
        &mut self,
        choice: u32,
        delta: impl FnOnce(&mut Object<'_>),
        rest: impl FnOnce(&mut Object<'_>),
        out: &mut BytesMut,
    ) {
        self.frame(out, |body| {
            body.extend_from_slice(b",\"choices\":[");
            write::object(body, |object| {
                object.value("index", &choice);
                object.object("delta", delta);
                rest(object);
            });
            body.push(b']');
        });
    }

    fn frame(&mut self, out: &mut BytesMut, write: impl FnOnce(&mut Vec<u8>)) {
        self.scratch.clear();
        write(&mut self.scratch);
        out.reserve(self.head.len() + self.scratch.len() + 10);
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(&self.head);
        out.extend_from_slice(&self.scratch);
        out.extend_from_slice(b"}\n\n");
    }

    fn delta(&mut self, choice: u32, out: &mut BytesMut, delta: impl FnOnce(&mut Object<'_>)) {
        self.chunk(choice, delta, |rest| rest.value("finish_reason", &None::<&str>), out);
    }

    /// The answer's state; its first chunk states the role.
    fn answer(&mut self, choice: u32, out: &mut BytesMut) -> usize {
        if self.head.is_empty() {
            self.begin(None);
        }
        if let Some(at) = self.answers.iter().position(|answer| answer.choice == choice) {
            return at;
        }
        self.answers.push(Answer {
            choice,
            reasoning: String::new(),
            call: None,
            custom: Vec::new(),
            images: 0,
        });
        self.delta(choice, out, |delta| {
            delta.text("role", "assistant");
            delta.text("content", "");
        });
        self.answers.len() - 1
    }

    fn done(&mut self, out: &mut BytesMut) {
        self.ended = true;
        if let Some(used) = self.usage.take().filter(|_| self.cx.include_usage) {
            if self.head.is_empty() {
                self.begin(None);
            }
            self.frame(out, |body| {
                body.extend_from_slice(b",\"choices\":[],\"usage\":");
                write::object(body, |object| usage::write(&used, object));
            });
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn signature(&mut self, at: usize, choice: u32, signature: &str, out: &mut BytesMut) {
        let reasoning = std::mem::take(&mut self.answers[at].reasoning);
        let call = self.answers[at].call;
        self.delta(choice, out, |delta| match call {
            Some(index) if reasoning.is_empty() => delta.array("tool_calls", |list| {
                list.object(|entry| {
                    entry.value("index", &index);
                    entry.object("provider_specific_fields", |fields| {
                        fields.text("thought_signature", signature)
                    });
                });
            }),
            _ => {
                let part = Part::reasoning(reasoning, Some(signature.to_owned()));
                delta.array("thinking_blocks", |list| thinking_block(&part, list));
            }
        });
    }

    fn part(&mut self, at: usize, choice: u32, part: &Part, out: &mut BytesMut) {
        let images = self.answers[at].images;
        match &part.kind {
            PartKind::Image(media) => {
                self.answers[at].images += 1;
                self.delta(choice, out, |delta| {
                    delta.array("images", |list| write_image(media, images, list));
                });
            }
            PartKind::Reasoning { text, .. } => self.delta(choice, out, |delta| {
                delta.text("reasoning_content", text);
                delta.array("thinking_blocks", |list| thinking_block(part, list));
            }),
            PartKind::RedactedReasoning { .. } => self.delta(choice, out, |delta| {
                delta.array("thinking_blocks", |list| thinking_block(part, list));
            }),
            PartKind::Text { text, .. } => self.delta(choice, out, |delta| delta.text("content", text)),
            PartKind::Refusal { text } => self.delta(choice, out, |delta| delta.text("refusal", text)),
            PartKind::Native { value, .. } => self.delta(choice, out, |delta| {
                delta.array("native_blocks", |list| list.value(value));
            }),
            PartKind::Audio(_) => {
                if let Some(data) = audio(part) {
                    self.delta(choice, out, |delta| {
                        delta.object("audio", |audio| spoken_members(data, audio));
                    });
                }
            }
            // OpenAI has no place for these in an answer, and no provider sends them whole in a stream.
            PartKind::Video(_) | PartKind::Document(_) | PartKind::ToolCall(_) | PartKind::ToolResult(_) => {}
        }
    }

    fn content(&mut self, choice: u32, event: &Event, out: &mut BytesMut) {
        let at = self.answer(choice, out);
        match event {
            Event::Text { text, .. } => {
                self.answers[at].call = None;
                self.delta(choice, out, |delta| delta.text("content", text));
            }
            Event::Reasoning { text, .. } => {
                self.answers[at].reasoning.push_str(text);
                self.delta(choice, out, |delta| delta.text("reasoning_content", text));
            }
            Event::Signature { signature, .. } => self.signature(at, choice, signature, out),
            Event::Refusal { text, .. } => self.delta(choice, out, |delta| delta.text("refusal", text)),
            Event::ToolStart { index, id, name, custom, .. } => {
                self.answers[at].call = Some(*index);
                if *custom {
                    self.answers[at].custom.push(*index);
                }
                self.delta(choice, out, |delta| tool_start(*index, id, name, *custom, delta));
            }
            Event::ToolArguments { index, arguments, .. } => {
                let custom = self.answers[at].custom.contains(index);
                let (kind, member) = if custom { ("custom", "input") } else { ("function", "arguments") };
                self.delta(choice, out, |delta| {
                    delta.array("tool_calls", |list| {
                        list.object(|entry| {
                            entry.value("index", index);
                            entry.object(kind, |inner| inner.text(member, arguments));
                        });
                    });
                });
            }
            Event::Citation { citation, .. } => match annotation(citation) {
                Some(annotation) => self.delta(choice, out, |delta| {
                    delta.array("annotations", |list| list.value(&annotation));
                }),
                None => self.delta(choice, out, |delta| {
                    delta.object("provider_specific_fields", |fields| {
                        fields.value("citation", &citation.native)
                    });
                }),
            },
            Event::Part { part, .. } => self.part(at, choice, part, out),
            Event::Logprobs { value, .. } => self.chunk(
                choice,
                |_| {},
                |rest| {
                    rest.value("logprobs", value);
                    rest.value("finish_reason", &None::<&str>);
                },
                out,
            ),
            Event::Audio { value, .. } => self.delta(choice, out, |delta| delta.value("audio", value)),
            Event::Finish { reason, .. } => {
                self.chunk(choice, |_| {}, |rest| rest.text("finish_reason", finish_word(reason)), out);
            }
            _ => {}
        }
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut BytesMut) {
        if self.ended {
            return;
        }
        match event {
            Event::Start(start) => {
                self.begin(Some(start));
                self.answer(0, out);
            }
            Event::Usage(later) => match &mut self.usage {
                Some(usage) => usage.update(later),
                None => self.usage = Some(later.clone()),
            },
            Event::Error(error) => {
                self.ended = true;
                error_frame(error, out);
            }
            Event::Done => self.done(out),
            Event::Ping => out.extend_from_slice(b": ping\n\n"),
            Event::BlockEnd { .. } => {}
            Event::Text { choice, .. }
            | Event::Reasoning { choice, .. }
            | Event::Signature { choice, .. }
            | Event::Refusal { choice, .. }
            | Event::ToolStart { choice, .. }
            | Event::ToolArguments { choice, .. }
            | Event::Citation { choice, .. }
            | Event::Part { choice, .. }
            | Event::Logprobs { choice, .. }
            | Event::Audio { choice, .. }
            | Event::Finish { choice, .. } => self.content(*choice, event, out),
        }
    }

    fn finish(&mut self, out: &mut BytesMut) {
        if !self.ended {
            self.ended = true;
            error_frame(&cut(), out);
        }
    }
}

fn tool_start(index: u32, id: &str, name: &str, custom: bool, delta: &mut Object<'_>) {
    delta.array("tool_calls", |list| {
        list.object(|entry| {
            entry.value("index", &index);
            entry.text("id", id);
            let (kind, member) = if custom { ("custom", "input") } else { ("function", "arguments") };
            entry.text("type", kind);
            entry.object(kind, |inner| {
                inner.text("name", name);
                inner.text(member, "");
            });
        });
    });
}

/// Writes an error as the last frame of a stream (LiteLLM surface §5.4).
pub(crate) fn error_frame(error: &Error, out: &mut BytesMut) {
    let (_, body) = error::encode(error);
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(&body);
    out.extend_from_slice(b"\n\n");
}
