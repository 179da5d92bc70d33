//! Chunks of an OpenAI-like stream into events.
//!
//! A stream is complete when it says `[DONE]`, or when it ends after every answer stated its finish
//! reason: recorded streams of five vendors (among them Perplexity and Cerebras) end that way. Any
//! other end is a cut.

use llm_types::{Citation, Error, ErrorKind, Event, Extra, Part, Result, Start};

use super::super::ids::call_id;
use super::super::response::{citation, error_of, image, redacted, sources, text_of, written};
use super::super::usage;
use super::super::wire::{ANSWER_TOOL, finish_of};
use crate::dialect::{Frame, StreamDecoder};
use crate::scan::{self, Item, Kind};

/// The state of one stream.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    start: Option<Start>,
    started: bool,
    choices: Vec<Answer>,
    sources: Vec<Citation>,
    /// An answer ended with the finish reason `error`.
    failed: bool,
    ended: bool,
}

/// The state of one answer.
#[derive(Debug, Default)]
struct Answer {
    index: u32,
    /// The reply's id, of which those of calls are made that have none.
    reply: String,
    calls: Vec<Call>,
    cited: bool,
    finished: bool,
}

/// A tool call being streamed.
#[derive(Debug, Default)]
struct Call {
    /// The vendor's number of it.
    number: Option<u64>,
    id: String,
    /// Arguments that came before the name.
    early: String,
    custom: bool,
    started: bool,
    /// It stands in for the schema of the answer: its arguments are the answer.
    answers: bool,
}

impl StreamDecoder for Decoder {
    fn push(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<()> {
        if self.ended || frame.data.is_empty() {
            return Ok(());
        }
        if frame.data.trim_ascii() == b"[DONE]" {
            self.done(out);
            return Ok(());
        }
        let chunk = scan::value(&frame.data).map_err(|fault| {
            Error::new(
                ErrorKind::BadUpstream,
                format!("the provider's stream holds a frame that is not JSON: {fault}"),
            )
        })?;
        self.chunk(chunk, out);
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<Event>) {
        let finished = !self.choices.is_empty() && self.choices.iter().all(|answer| answer.finished);
        if !self.ended && finished {
            self.done(out);
        }
    }
}

impl Decoder {
    fn done(&mut self, out: &mut Vec<Event>) {
        self.ended = true;
        self.begin(out);
        out.push(Event::Done);
    }

    fn chunk(&mut self, chunk: Item<'_>, out: &mut Vec<Event>) {
        let mut head = self.start.take().unwrap_or_default();
        let (mut choices, mut used, mut groq, mut failed) = (None, None, None, false);
        chunk.members(|member| {
            let value = member.value;
            match &*member.name {
                "id" if head.id.is_empty() => head.id = text_of(value),
                "model" if head.model.is_empty() => head.model = text_of(value),
                "created" if head.created.is_none() => {
                    head.created = value.as_u64().and_then(|at| i64::try_from(at).ok()).filter(|at| *at > 0)
                }
                "system_fingerprint" | "service_tier" | "provider" if !self.started => {
                    keep(&mut head.extra, &member.name, value)
                }
                "choices" => choices = Some(value),
                "error" => failed = !value.is_null(),
                "usage" => used = usage::read(value),
                "x_groq" => groq = value.member("usage").and_then(usage::read),
                "citations" | "search_results" => self.sources = sources(chunk),
                _ => {}
            }
        });
        self.start = Some(head);
        if let Some(choices) = choices.filter(|choices| choices.kind == Kind::Array) {
            choices.elements(|choice| self.choice(choice, out));
        }
        if let Some(mut used) = used.or(groq) {
            self.begin(out);
            if used.service_tier.is_none() {
                used.service_tier =
                    chunk.member("service_tier").and_then(|tier| tier.as_str()).map(Into::into);
            }
            out.push(Event::Usage(used));
        }
        let stated = failed.then(|| error_of(chunk)).flatten();
        if let Some(error) = stated.or_else(|| self.failed.then(ended_in_error)).filter(|_| !self.ended) {
            self.ended = true;
            out.push(Event::Error(error));
        }
    }

    /// The start is told with the first content: before it, Azure sends chunks without id and model.
    fn begin(&mut self, out: &mut Vec<Event>) {
        if !self.started {
            self.started = true;
            out.push(Event::Start(self.start.clone().unwrap_or_default()));
        }
    }

    fn choice(&mut self, item: Item<'_>, out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        let (mut choice, mut delta, mut logprobs, mut finish, mut error) = (0, None, None, None, None);
        item.members(|member| match &*member.name {
            "index" => {
                choice = member.value.as_u64().and_then(|index| u32::try_from(index).ok()).unwrap_or(0)
            }
            "delta" => delta = Some(member.value),
            "logprobs" => logprobs = Some(member.value).filter(|value| !value.is_null()),
            "finish_reason" => finish = member.value.as_str().and_then(|word| finish_of(&word)),
            "error" => error = Some(member.value).filter(|value| value.kind == Kind::Object),
            _ => {}
        });
        if let Some(error) = error {
            self.ended = true;
            out.push(Event::Error(super::super::super::error::decode_object(error)));
            return;
        }
        self.begin(out);
        let at = self.choices.iter().position(|answer| answer.index == choice).unwrap_or_else(|| {
            let reply = self.start.as_ref().map_or_else(String::new, |start| start.id.clone());
            self.choices.push(Answer { index: choice, reply, ..Answer::default() });
            self.choices.len() - 1
        });
        let answer = &mut self.choices[at];
        if let Some(delta) = delta {
            answer.delta(delta, out);
        }
        if let Some(value) = logprobs.and_then(|value| serde_json::from_str(value.text).ok()) {
            out.push(Event::Logprobs { choice, value });
        }
        let Some(mut reason) = finish.filter(|_| !answer.finished) else { return };
        answer.flush(out);
        answer.finished = true;
        if choice == 0 && !answer.cited {
            // Sources stated beside the choices, in every chunk: told once, for the first answer.
            let told = self.sources.drain(..).map(Box::new);
            out.extend(told.map(|citation| Event::Citation { choice, citation }));
        }
        if reason == llm_types::Finish::Other("error".to_owned()) {
            // OpenRouter states the error itself beside the choices; `chunk` looks for it.
            self.failed = true;
            return;
        }
        let calls = answer.calls.iter().filter(|call| !call.answers).count();
        if reason == llm_types::Finish::Stop && calls > 0 {
            reason = llm_types::Finish::ToolCalls;
        } else if reason == llm_types::Finish::ToolCalls && calls == 0 && !answer.calls.is_empty() {
            reason = llm_types::Finish::Stop;
        }
        out.push(Event::Finish { choice, reason });
    }
}

impl Answer {
    fn delta(&mut self, delta: Item<'_>, out: &mut Vec<Event>) {
        let choice = self.index;
        let mut reasoned = false;
        delta.members(|member| {
            let value = member.value;
            match &*member.name {
                "content" => self.content(value, out),
                // Some vendors send the same text under both names.
                "reasoning_content" | "reasoning" if !reasoned => {
                    if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
                        reasoned = true;
                        out.push(Event::Reasoning { choice, text: text.into_owned() });
                    }
                }
                "reasoning_details" => value.elements(|detail| detail_events(choice, detail, out)),
                "refusal" => {
                    if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
                        out.push(Event::Refusal { choice, text: text.into_owned() });
                    }
                }
                "tool_calls" => value.elements(|call| self.call(call, out)),
                "function_call" if value.kind == Kind::Object => {
                    self.call_part(None, String::new(), value, false, out)
                }
                "annotations" => value.elements(|element| {
                    if let Some(citation) = citation(element) {
                        self.cited = true;
                        out.push(Event::Citation { choice, citation: Box::new(citation) });
                    }
                }),
                "images" => value.elements(|element| push_part(choice, image(element), out)),
                "audio" if value.kind == Kind::Object => {
                    if let Ok(value) = serde_json::from_str(value.text) {
                        out.push(Event::Audio { choice, value });
                    }
                }
                _ => {}
            }
        });
    }

    /// `content`: a string, or parts (Mistral's thinking models).
    fn content(&mut self, value: Item<'_>, out: &mut Vec<Event>) {
        let choice = self.index;
        if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
            out.push(Event::Text { choice, text: text.into_owned() });
        }
        value.elements(|part| match part.member("type").map(text_of).unwrap_or_default().as_str() {
            "thinking" => {
                let mut thoughts = String::new();
                if let Some(thinking) = part.member("thinking") {
                    thoughts.push_str(&text_of(thinking));
                    thinking.elements(|inner| {
                        thoughts.push_str(&inner.member("text").map(text_of).unwrap_or_default())
                    });
                }
                if !thoughts.is_empty() {
                    out.push(Event::Reasoning { choice, text: thoughts });
                }
            }
            "text" => {
                let text = part.member("text").map(text_of).unwrap_or_default();
                if !text.is_empty() {
                    out.push(Event::Text { choice, text });
                }
            }
            "image_url" => push_part(choice, image(part), out),
            _ => {}
        });
    }

    fn call(&mut self, call: Item<'_>, out: &mut Vec<Event>) {
        let number = call.member("index").and_then(|index| index.as_u64());
        let id = call.member("id").map(text_of).unwrap_or_default();
        let custom = call.member("custom").filter(|custom| custom.kind == Kind::Object);
        if let Some(inner) = custom.or_else(|| call.member("function")) {
            self.call_part(number, id, inner, custom.is_some(), out);
        }
        let signature = call.at(&["extra_content", "google", "thought_signature"]);
        if let Some(signature) = signature.and_then(|signature| signature.as_str()) {
            out.push(Event::Signature { choice: self.index, signature: signature.into_owned() });
        }
    }

    fn call_part(
        &mut self,
        number: Option<u64>,
        id: String,
        inner: Item<'_>,
        custom: bool,
        out: &mut Vec<Event>,
    ) {
        let choice = self.index;
        let at = self.slot(number, &id, inner.member("name").is_some_and(|name| !text_of(name).is_empty()));
        let index = u32::try_from(at).unwrap_or(u32::MAX);
        let call = &mut self.calls[at];
        if call.id.is_empty() {
            call.id = id;
        }
        let name = inner.member("name").map(text_of).unwrap_or_default();
        let was_started = call.started;
        if !call.started && !name.is_empty() {
            call.started = true;
            call.custom = custom;
            call.answers = !custom && name == ANSWER_TOOL;
        }
        let begins = call.started && !was_started && !call.answers;
        if begins {
            let id = if call.id.is_empty() { call_id(&self.reply, choice, at) } else { call.id.clone() };
            out.push(Event::ToolStart { choice, index, id, name, custom });
        }
        let piece = inner.member(if custom { "input" } else { "arguments" }).map(written).unwrap_or_default();
        call.early.push_str(&piece);
        if call.started && call.answers && !call.early.is_empty() {
            out.push(Event::Text { choice, text: std::mem::take(&mut call.early) });
        } else if call.started && !call.early.is_empty() {
            out.push(Event::ToolArguments { choice, index, arguments: std::mem::take(&mut call.early) });
        }
    }

    /// Which call a delta belongs to. Vendors number calls, or number all of them 0, or not at all:
    /// a new id with a name begins a new call whatever the number.
    fn slot(&mut self, number: Option<u64>, id: &str, named: bool) -> usize {
        let is_new = |call: &Call| named && !id.is_empty() && !call.id.is_empty() && call.id != id;
        let known = match number {
            Some(number) => self.calls.iter().rposition(|call| call.number == Some(number)),
            None if !id.is_empty() => self.calls.iter().rposition(|call| call.id == id),
            // Neither number nor id: more of the last call, unless a name begins another.
            None if named => None,
            None => self.calls.len().checked_sub(1),
        };
        match known {
            Some(at) if !is_new(&self.calls[at]) => at,
            _ => {
                self.calls.push(Call { number, ..Call::default() });
                self.calls.len() - 1
            }
        }
    }

    /// Calls that never got a name are told with what there is, so that nothing is lost.
    fn flush(&mut self, out: &mut Vec<Event>) {
        let choice = self.index;
        for (at, call) in self.calls.iter_mut().enumerate().filter(|(_, call)| !call.started) {
            call.started = true;
            let index = u32::try_from(at).unwrap_or(u32::MAX);
            let id = if call.id.is_empty() { call_id(&self.reply, choice, at) } else { call.id.clone() };
            out.push(Event::ToolStart { choice, index, id, name: String::new(), custom: call.custom });
            if !call.early.is_empty() {
                out.push(Event::ToolArguments { choice, index, arguments: std::mem::take(&mut call.early) });
            }
        }
    }
}

/// The error of an answer that ended with the finish reason `error` and nothing else.
pub(crate) fn ended_in_error() -> Error {
    Error::new(ErrorKind::BadUpstream, "the provider ended the answer with finish reason `error`")
}

/// OpenRouter's `reasoning_details`: signatures and encrypted reasoning; their text came as `reasoning`.
fn detail_events(choice: u32, detail: Item<'_>, out: &mut Vec<Event>) {
    if let Some(signature) = detail.member("signature").and_then(|signature| signature.as_str()) {
        out.push(Event::Signature { choice, signature: signature.into_owned() });
    }
    push_part(choice, redacted(detail), out);
}

fn push_part(choice: u32, part: Option<Part>, out: &mut Vec<Event>) {
    out.extend(part.map(|part| Event::Part { choice, part: Box::new(part) }));
}

fn keep(extra: &mut Extra, name: &str, value: Item<'_>) {
    if let Ok(value) = serde_json::from_str::<serde_json::Value>(value.text)
        && !value.is_null()
    {
        extra.keep(name, value);
    }
}
