//! A provider's lines into events.

use llm_types::{Error, ErrorKind, Event, Result, Start};

use super::super::response::picture;
use super::super::wire::{WireCall, WireReply, finish};
use super::super::{error, time, usage};
use crate::dialect::{Frame, StreamDecoder};
use crate::dialects::calls::made_id;

/// Reads a stream of this dialect. It has one answer, so every event is of choice 0.
#[derive(Debug, Default)]
pub(in super::super) struct Decoder {
    started: bool,
    /// Calls so far; each comes whole.
    calls: u32,
    /// Whether the stream has said its end or an error: what follows is not part of it.
    ended: bool,
}

impl StreamDecoder for Decoder {
    fn push(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<()> {
        if self.ended || frame.data.is_empty() {
            return Ok(());
        }
        let mut reply: WireReply = serde_json::from_slice(&frame.data).map_err(|fault| {
            Error::new(ErrorKind::BadUpstream, format!("a line of the stream is not readable: {fault}"))
        })?;
        if let Some(said) = &reply.error {
            self.ended = true;
            out.push(Event::Error(error::stated(said)));
            return Ok(());
        }
        self.start(&mut reply, out);
        let message = reply.said();
        if let Some(text) = message.thinking.filter(|text| !text.is_empty()) {
            out.push(Event::Reasoning { choice: 0, text });
        }
        if let Some(text) = message.content.filter(|text| !text.is_empty()) {
            out.push(Event::Text { choice: 0, text });
        }
        let pictures = message.images.unwrap_or_default().into_iter().map(picture);
        out.extend(pictures.map(|part| Event::Part { choice: 0, part: Box::new(part) }));
        let when = reply.created_at.as_deref().unwrap_or_default();
        for call in message.tool_calls.into_iter().flatten() {
            self.call(call, when, out);
        }
        out.extend(reply.probabilities().map(|value| Event::Logprobs { choice: 0, value }));
        if reply.done {
            self.end(&reply, out);
        }
        Ok(())
    }

    fn finish(&mut self, _out: &mut Vec<Event>) {}
}

impl Decoder {
    fn start(&mut self, reply: &mut WireReply, out: &mut Vec<Event>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let created = reply.created_at.as_deref().and_then(time::read);
        let model = reply.model.take().unwrap_or_default();
        out.push(Event::Start(Start { model, created, ..Start::default() }));
    }

    fn call(&mut self, mut call: WireCall, when: &str, out: &mut Vec<Event>) {
        let index = self.calls;
        self.calls += 1;
        let arguments = call.function.arguments_text();
        let name = call.function.name;
        let id = call.id.filter(|id| !id.is_empty());
        let id = id.unwrap_or_else(|| made_id(&[when, &name, &arguments], index));
        out.push(Event::ToolStart { choice: 0, index, id, name, custom: false });
        out.push(Event::ToolArguments { choice: 0, index, arguments });
    }

    fn end(&mut self, reply: &WireReply, out: &mut Vec<Event>) {
        self.ended = true;
        out.extend(usage::canonical(reply).map(Event::Usage));
        let reason = finish(reply.done_reason.as_deref(), self.calls > 0);
        out.extend([Event::Finish { choice: 0, reason }, Event::Done]);
    }
}
