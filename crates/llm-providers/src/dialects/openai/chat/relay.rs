//! A streamed reply forwarded as it came, while a light look at each frame picks up what settlement
//! needs.
//!
//! Keys are told from text by walking the frame's strings, so words inside an answer never count.
//! Three things change on the way: the frame with nothing but usage is withheld from callers that did
//! not ask for it, an error is shown in our own form and ends the stream, and a cut stream gets an
//! error frame.

use bytes::{Bytes, BytesMut};
use llm_types::{Error, Finish};

use super::ids;
use super::response::error_of;
use super::stream::{ended_in_error, error_frame};
use super::usage;
use super::wire::finish_of;
use crate::dialect::{Relay, ReplyFacts};
use crate::dialects::pass::cut;
use crate::framing::sse::{self, Pass, Splitter};
use crate::scan::{self, Item, Kind, string_end};

pub(super) use super::response::facts as reply_facts;

/// The state of one forwarded stream.
#[derive(Debug)]
pub(super) struct Forwarder {
    splitter: Splitter,
    look: Look,
    /// Set when the splitter refused a frame.
    broken: Option<Error>,
}

/// What is known of the stream.
#[derive(Debug)]
struct Look {
    show_usage: bool,
    facts: ReplyFacts,
    /// Answers begun and not finished, by index.
    open: Vec<u64>,
    /// Answers finished; frames behind their end do not open them again.
    ended: Vec<u64>,
    begun: bool,
    /// `[DONE]` or an error frame has been forwarded; nothing may follow.
    closed: bool,
}

impl Forwarder {
    pub(super) fn new(show_usage: bool) -> Self {
        let look = Look {
            show_usage,
            facts: ReplyFacts::default(),
            open: Vec::new(),
            ended: Vec::new(),
            begun: false,
            closed: false,
        };
        Self { splitter: Splitter::new(), look, broken: None }
    }
}

impl Relay for Forwarder {
    fn push(&mut self, bytes: Bytes, out: &mut Vec<Bytes>) {
        if self.broken.is_some() {
            return;
        }
        let look = &mut self.look;
        self.broken = self.splitter.forward(bytes, out, |raw| look.frame(raw)).err();
        if self.look.facts.error.is_none() && !self.look.closed {
            self.look.facts.error.clone_from(&self.broken);
        }
    }

    fn finish(&mut self, cut_by: Option<&Error>, out: &mut Vec<Bytes>) {
        if self.look.closed {
            return;
        }
        let cut_by = cut_by.or(self.broken.as_ref());
        if cut_by.is_none()
            && let Some(rest) = self.splitter.finish()
        {
            self.look.rest(&rest, out);
        }
        if self.look.closed {
            return;
        }
        self.look.closed = true;
        if self.look.facts.error.is_none() && cut_by.is_none() && self.look.begun && self.look.open.is_empty()
        {
            // Every answer stated its end; the vendor left out the word that says so.
            self.look.facts.complete = true;
            out.push(Bytes::from_static(b"data: [DONE]\n\n"));
            return;
        }
        let error = cut_by.cloned().unwrap_or_else(cut);
        out.push(rendered(&error));
        self.look.facts.error.get_or_insert(error);
    }

    fn facts(&self) -> &ReplyFacts {
        &self.look.facts
    }
}

impl Look {
    /// The rest of the body behind the last blank line: a frame whose blank line was left out, an
    /// error that is not a stream at all, or a piece of a frame.
    fn rest(&mut self, rest: &[u8], out: &mut Vec<Bytes>) {
        let fields = sse::fields(rest);
        if fields.data.is_empty() {
            if let Ok(item) = scan::value(rest) {
                self.fail(item, out);
            }
            return;
        }
        if fields.data.trim_ascii() != b"[DONE]" && scan::value(&fields.data).is_err() {
            return;
        }
        match self.frame(rest) {
            Pass::Keep => {
                let mut whole = BytesMut::with_capacity(rest.len() + 2);
                whole.extend_from_slice(rest.trim_ascii_end());
                whole.extend_from_slice(b"\n\n");
                out.push(whole.freeze());
            }
            Pass::Drop => {}
            Pass::Replace(other) => out.push(other),
        }
    }

    fn fail(&mut self, reply: Item<'_>, out: &mut Vec<Bytes>) {
        if let Some(error) = error_of(reply) {
            self.closed = true;
            out.push(rendered(&error));
            self.facts.error = Some(error);
        }
    }

    fn frame(&mut self, raw: &[u8]) -> Pass {
        if self.closed {
            return Pass::Drop;
        }
        // The usual frame is one line of data; all others take the longer way.
        let fields;
        let data = match raw.strip_prefix(b"data: ") {
            Some(data) if memchr::memchr2(b'\n', b'\r', data).is_none_or(|end| end + 2 >= data.len()) => {
                data.trim_ascii_end()
            }
            _ => {
                fields = sse::fields(raw);
                &fields.data
            }
        };
        if data.is_empty() {
            return Pass::Keep;
        }
        if data == b"[DONE]" {
            self.closed = true;
            self.facts.complete = true;
            return Pass::Keep;
        }
        let seen = Seen::of(data);
        self.facts.answer_bytes += seen.answer_bytes;
        let read = seen.worth_reading || !self.begun || self.facts.id.is_none();
        let pass = match read.then(|| scan::value(data)) {
            Some(Ok(chunk)) => self.read(chunk),
            Some(Err(_)) | None => Pass::Keep,
        };
        match pass {
            Pass::Keep if seen.empty_id => self.with_ids(data),
            pass => pass,
        }
    }

    /// A frame with ids for calls that have none.
    fn with_ids(&self, data: &[u8]) -> Pass {
        match ids::filled(&Bytes::copy_from_slice(data), self.facts.id.as_deref()) {
            Some(data) => Pass::Replace(Bytes::from([b"data: ", &data[..], b"\n\n"].concat())),
            None => Pass::Keep,
        }
    }

    /// Reads a frame that says something: the first, and those with usage, an end, an error or a name.
    fn read(&mut self, chunk: Item<'_>) -> Pass {
        let (mut answers, mut used, mut groq, mut failed) = (0, None, None, false);
        chunk.members(|member| {
            let value = member.value;
            let text = || value.as_str().filter(|text| !text.is_empty()).map(Into::into);
            match &*member.name {
                "id" if self.facts.id.is_none() => self.facts.id = text(),
                "model" if self.facts.model.is_none() => self.facts.model = text(),
                "choices" => value.elements(|choice| {
                    answers += 1;
                    failed |= choice.member("error").is_some_and(|error| error.kind == Kind::Object);
                    self.answer(choice);
                }),
                "usage" => used = usage::read(value),
                "x_groq" => groq = value.member("usage").and_then(usage::read),
                _ => {}
            }
        });
        let only_usage = answers == 0 && used.is_some();
        if let Some(later) = used.or(groq) {
            match &mut self.facts.usage {
                Some(usage) => usage.update(&later),
                None => self.facts.usage = Some(later),
            }
        }
        let mut frames = Vec::new();
        if failed {
            chunk
                .at(&["choices"])
                .into_iter()
                .for_each(|choices| choices.elements(|choice| self.fail(choice, &mut frames)));
        }
        if !self.closed {
            self.fail(chunk, &mut frames);
        }
        if !self.closed && self.facts.finish == Some(Finish::Other("error".to_owned())) {
            let error = ended_in_error();
            self.closed = true;
            frames.push(rendered(&error));
            self.facts.error = Some(error);
        }
        match frames.pop() {
            Some(error) => Pass::Replace(error),
            None if only_usage && !self.show_usage => Pass::Drop,
            None => Pass::Keep,
        }
    }

    /// Notes the names of functions whose calls begin.
    fn calls(&mut self, delta: Item<'_>) {
        let mut note = |function: Item<'_>| {
            if let Some(name) = function.member("name").and_then(|name| name.as_str()) {
                self.facts.tools.note(&name);
            }
        };
        delta.members(|member| match (&*member.name, member.value.kind) {
            ("tool_calls", Kind::Array) => member.value.elements(|call| {
                ["function", "custom"].into_iter().filter_map(|kind| call.member(kind)).for_each(&mut note);
            }),
            ("function_call", Kind::Object) => note(member.value),
            _ => {}
        });
    }

    fn answer(&mut self, choice: Item<'_>) {
        if let Some(delta) = choice.member("delta") {
            self.calls(delta);
        }
        let index = choice.member("index").and_then(|index| index.as_u64()).unwrap_or(0);
        let reason =
            choice.member("finish_reason").and_then(|word| word.as_str()).and_then(|word| finish_of(&word));
        match reason {
            Some(reason) => {
                self.begun = true;
                self.open.retain(|open| *open != index);
                self.ended.push(index);
                if index == 0 || self.facts.finish.is_none() {
                    self.facts.finish = Some(reason);
                }
            }
            None if !self.open.contains(&index) && !self.ended.contains(&index) => {
                self.begun = true;
                self.open.push(index);
            }
            None => {}
        }
    }
}

fn rendered(error: &Error) -> Bytes {
    let mut out = BytesMut::new();
    error_frame(error, &mut out);
    out.freeze()
}

/// What one walk over a frame's strings tells.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    /// Bytes of text in the members that hold what the model wrote.
    answer_bytes: u64,
    /// Whether it holds usage, the end of an answer, an error, a name, or begins an answer beyond the first.
    worth_reading: bool,
    /// Whether it holds an empty id.
    empty_id: bool,
}

impl Seen {
    fn of(data: &[u8]) -> Self {
        let mut seen = Self::default();
        let mut at = 0;
        while let Some(open) = memchr::memchr(b'"', data.get(at..).unwrap_or_default()) {
            let start = at + open + 1;
            let end = string_end(data, start);
            at = end + 1;
            let Some((value, first)) = value_behind(data, at) else { continue };
            match &data[start..end] {
                b"content" | b"reasoning_content" | b"reasoning" | b"arguments" | b"refusal"
                | b"thinking" | b"text"
                    if first == b'"' =>
                {
                    let close = string_end(data, value + 1);
                    seen.answer_bytes += (close - value - 1) as u64;
                    at = close + 1;
                }
                b"usage" | b"error" => seen.worth_reading |= first != b'n',
                b"name" => seen.worth_reading |= first == b'"' && data.get(value + 1) != Some(&b'"'),
                b"id" => seen.empty_id |= first == b'"' && data.get(value + 1) == Some(&b'"'),
                b"finish_reason" => {
                    seen.worth_reading |= first == b'"' && data.get(value + 1) != Some(&b'"');
                }
                b"index" => {
                    // Index 0 needs no look: the first frame has opened it. Tool indexes come here too.
                    seen.worth_reading |= first != b'0';
                    at = value;
                }
                _ => {}
            }
        }
        seen
    }
}

/// Where the value behind a key starts, and its first byte; `None` behind a string that is no key.
fn value_behind(data: &[u8], mut at: usize) -> Option<(usize, u8)> {
    let skip = |mut at: usize| {
        while data.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        at
    };
    at = skip(at);
    if data.get(at) != Some(&b':') {
        return None;
    }
    at = skip(at + 1);
    data.get(at).map(|first| (at, *first))
}

#[cfg(test)]
mod tests;
