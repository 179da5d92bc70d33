//! Events into the frames of a stream.

use bytes::BytesMut;
use llm_types::{Citation, Error, Event, Finish, Part, PartKind, Start, ToolCall, Usage};
use serde_json::{Value, json};

use super::super::response::{candidate_extra, from_openai, grounding_json, head, or};
use super::super::wire::{NATIVE, finish_word};
use super::super::{content, error, usage};
use crate::dialect::{ReplyContext, StreamEncoder};
use crate::dialects::pass::cut;
use crate::framing::sse;
use crate::write::{self, Array, Object};

/// The state of one stream being written.
#[derive(Debug)]
pub(in super::super) struct Encoder {
    cx: ReplyContext,
    start: Start,
    usage: Option<Usage>,
    answers: Vec<Answer>,
    scratch: Vec<u8>,
    ended: bool,
}

/// The state of one answer.
#[derive(Debug, Default)]
struct Answer {
    choice: u32,
    /// Calls whose arguments still come: the wire has whole ones only.
    calls: Vec<(u32, Part)>,
    /// The last part was reasoning.
    thinks: bool,
    text: String,
    cited: Vec<Citation>,
    logprobs: Vec<Value>,
    finish: Option<Finish>,
}

impl Encoder {
    pub(in super::super) fn new(cx: ReplyContext) -> Self {
        Self {
            cx,
            start: Start::default(),
            usage: None,
            answers: Vec::new(),
            scratch: Vec::with_capacity(256),
            ended: false,
        }
    }

    fn answer(&mut self, choice: u32) -> &mut Answer {
        let at = self.answers.iter().position(|answer| answer.choice == choice).unwrap_or_else(|| {
            self.answers.push(Answer { choice, ..Answer::default() });
            self.answers.len() - 1
        });
        &mut self.answers[at]
    }

    /// Writes one frame: parts of one answer, what follows them in the candidate, and the usage so far.
    fn frame(
        &mut self,
        choice: u32,
        parts: impl FnOnce(&mut Array<'_>),
        rest: impl FnOnce(&mut Object<'_>),
        out: &mut BytesMut,
    ) {
        let Self { scratch, cx, start, usage, .. } = self;
        scratch.clear();
        write::object(scratch, |body| {
            body.array("candidates", |list| {
                list.object(|candidate| {
                    candidate.object("content", |content| {
                        content.array("parts", parts);
                        content.text("role", "model");
                    });
                    rest(candidate);
                    candidate.value("index", &choice);
                });
            });
            if let Some(used) = usage {
                body.object("usageMetadata", |out| usage::write(out, used));
            }
            head(body, or(&start.model, &cx.model), or(&start.id, &cx.id));
        });
        sse::write(out, "", &self.scratch);
    }

    fn part(&mut self, choice: u32, part: &Part, out: &mut BytesMut) {
        self.flush(choice, out);
        self.answer(choice).thinks = matches!(part.kind, PartKind::Reasoning { .. });
        self.frame(choice, |list| content::write_part(list, part), |_| {}, out);
    }

    /// Writes the calls that are whole now.
    fn flush(&mut self, choice: u32, out: &mut BytesMut) {
        let calls = std::mem::take(&mut self.answer(choice).calls);
        if !calls.is_empty() {
            let each = |list: &mut Array<'_>| {
                calls.iter().for_each(|(_, part)| content::write_part(list, part));
            };
            self.frame(choice, each, |_| {}, out);
        }
    }

    fn signature(&mut self, choice: u32, signature: &str, out: &mut BytesMut) {
        let answer = self.answer(choice);
        if let Some((_, part)) = answer.calls.last_mut() {
            part.signature = Some(signature.to_owned());
            return;
        }
        let empty = if answer.thinks { Part::reasoning("", None) } else { Part::text("") };
        self.part(choice, &Part { signature: Some(signature.to_owned()), ..empty }, out);
    }

    /// OpenAI's spoken output: sound, and the words it says.
    fn audio(&mut self, choice: u32, value: &Value, out: &mut BytesMut) {
        let word = |name: &str| value.get(name).and_then(Value::as_str).filter(|word| !word.is_empty());
        if let Some(words) = word("transcript") {
            self.part(choice, &Part::text(words), out);
        }
        if let Some(data) = word("data") {
            // OpenAI streams 16-bit samples at 24 kHz and no other form.
            let inline = json!({ "mimeType": "audio/L16;codec=pcm;rate=24000", "data": data });
            self.frame(choice, |list| list.value(&json!({ "inlineData": inline })), |_| {}, out);
        }
    }

    fn content(&mut self, choice: u32, event: &Event, out: &mut BytesMut) {
        match event {
            Event::Text { text, .. } | Event::Refusal { text, .. } if !text.is_empty() => {
                self.answer(choice).text.push_str(text);
                self.part(choice, &Part::text(text.as_str()), out);
            }
            Event::Reasoning { text, .. } if !text.is_empty() => {
                self.part(choice, &Part::reasoning(text.as_str(), None), out);
            }
            Event::Signature { signature, .. } => self.signature(choice, signature, out),
            Event::ToolStart { index, id, name, custom, .. } => {
                let (id, name) = (id.clone(), name.clone());
                let call = ToolCall { id, name, arguments: String::new(), custom: *custom };
                self.answer(choice).calls.push((*index, Part::new(PartKind::ToolCall(call))));
            }
            Event::ToolArguments { index, arguments, .. } => {
                let open = self.answer(choice).calls.iter_mut().find(|(open, _)| open == index);
                if let Some((_, Part { kind: PartKind::ToolCall(call), .. })) = open {
                    call.arguments.push_str(arguments);
                }
            }
            Event::Citation { citation, .. } => self.answer(choice).cited.push((**citation).clone()),
            Event::Part { part, .. } => match &part.kind {
                PartKind::Native { dialect, .. } if dialect != NATIVE => {}
                _ => self.part(choice, part, out),
            },
            Event::BlockEnd { .. } => self.flush(choice, out),
            Event::Logprobs { value, .. } => {
                let content = value.get("content").and_then(Value::as_array);
                self.answer(choice).logprobs.extend(content.into_iter().flatten().cloned());
            }
            Event::Audio { value, .. } => self.audio(choice, value, out),
            Event::Finish { reason, .. } => self.answer(choice).finish = Some(reason.clone()),
            _ => {}
        }
    }

    /// The last frame of every answer says why it ended; it waits for the end, because usage comes last.
    fn done(&mut self, out: &mut BytesMut) {
        if self.answers.is_empty() {
            self.answer(0);
        }
        let mut choices: Vec<u32> = self.answers.iter().map(|answer| answer.choice).collect();
        choices.sort_unstable();
        for choice in choices {
            self.flush(choice, out);
            let answer = std::mem::take(self.answer(choice));
            let cited: Vec<&Citation> = answer.cited.iter().collect();
            let grounding = grounding_json(&cited, &answer.text);
            let logprobs = Some(json!({ "content": answer.logprobs }));
            let logprobs = logprobs.filter(|_| !answer.logprobs.is_empty()).as_ref().and_then(from_openai);
            let word = finish_word(answer.finish.as_ref().unwrap_or(&Finish::Stop));
            let rest = |candidate: &mut Object<'_>| {
                candidate.text("finishReason", word);
                candidate_extra(candidate, grounding.as_ref(), logprobs.as_ref());
            };
            self.frame(choice, |list| content::write_part(list, &Part::text("")), rest, out);
        }
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
            Event::Usage(later) => match &mut self.usage {
                Some(usage) => usage.update(later),
                None => self.usage = Some(later.clone()),
            },
            Event::Error(error) => {
                self.ended = true;
                error_frame(error, out);
            }
            Event::Done => self.done(out),
            Event::Ping => {}
            Event::Text { choice, .. }
            | Event::Reasoning { choice, .. }
            | Event::Signature { choice, .. }
            | Event::Refusal { choice, .. }
            | Event::ToolStart { choice, .. }
            | Event::ToolArguments { choice, .. }
            | Event::Citation { choice, .. }
            | Event::Part { choice, .. }
            | Event::BlockEnd { choice }
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

/// Writes an error as the last frame of a stream.
pub(in super::super) fn error_frame(error: &Error, out: &mut BytesMut) {
    sse::write(out, "", &error::body(error));
}
