//! A provider's frames into events.

use llm_types::{Error, ErrorKind, Event, Result, Start};

use super::super::wire::{failure, finish};
use super::super::{citation, error, logprobs};
use super::wire::{Call, Delta, WireEvent};
use crate::dialect::{Frame, StreamDecoder};

/// Reads a stream of this dialect. It has one answer, so every event is of choice 0.
#[derive(Debug, Default)]
pub(in super::super) struct Decoder {
    started: bool,
    /// Whether a tool plan is being written: it has no events for its beginning and end.
    plans: bool,
    /// The wire's numbers of the calls begun so far; ours are their places.
    calls: Vec<u64>,
    /// Whether the stream has said its end or an error: what follows is not part of it.
    ended: bool,
}

impl StreamDecoder for Decoder {
    fn push(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<()> {
        if self.ended || frame.data.is_empty() || frame.data == "[DONE]" {
            return Ok(());
        }
        let event: WireEvent = serde_json::from_slice(&frame.data).map_err(|fault| {
            let name = String::from_utf8_lossy(&frame.event).into_owned();
            Error::new(ErrorKind::BadUpstream, format!("stream event `{name}` is not readable: {fault}"))
        })?;
        if event.kind != "tool-plan-delta" && std::mem::take(&mut self.plans) {
            out.push(Event::BlockEnd { choice: 0 });
        }
        match event.kind.as_str() {
            "message-start" => self.start(event.id.unwrap_or_default(), out),
            "content-start" | "content-delta" => content(event, out),
            "content-end" | "tool-call-end" => out.push(Event::BlockEnd { choice: 0 }),
            "tool-plan-delta" => self.plan(event, out),
            "tool-call-start" | "tool-call-delta" => self.call(event, out),
            "citation-start" => cite(event, out),
            "message-end" => self.end(event.delta.unwrap_or_default(), out),
            "" => self.unnamed(frame, out),
            // `citation-end` and `debug` say nothing.
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<Event>) {
        if std::mem::take(&mut self.plans) {
            out.push(Event::BlockEnd { choice: 0 });
        }
    }
}

impl Decoder {
    fn start(&mut self, id: String, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.started, true) {
            out.push(Event::Start(Start { id, ..Start::default() }));
        }
    }

    fn plan(&mut self, event: WireEvent, out: &mut Vec<Event>) {
        let plan = event.delta.and_then(|delta| delta.message?.tool_plan);
        if let Some(text) = plan.filter(|plan| !plan.is_empty()) {
            self.plans = true;
            out.push(Event::Reasoning { choice: 0, text });
        }
    }

    fn call(&mut self, event: WireEvent, out: &mut Vec<Event>) {
        let number = event.index.unwrap_or(0);
        let call = event.delta.and_then(|delta| delta.message?.tool_calls.this());
        let Some(Call { id, function }) = call else { return };
        if event.kind == "tool-call-start" {
            let index = u32::try_from(self.calls.len()).unwrap_or(u32::MAX);
            self.calls.push(number);
            let (id, name) = (id.unwrap_or_default(), function.name.unwrap_or_default());
            out.push(Event::ToolStart { choice: 0, index, id, name, custom: false });
        }
        let Some(at) = self.calls.iter().rposition(|begun| *begun == number) else { return };
        if let Some(arguments) = function.arguments.filter(|piece| !piece.is_empty()) {
            let index = u32::try_from(at).unwrap_or(u32::MAX);
            out.push(Event::ToolArguments { choice: 0, index, arguments });
        }
    }

    fn end(&mut self, end: Delta, out: &mut Vec<Event>) {
        self.ended = true;
        out.extend(end.usage.and_then(|usage| usage.canonical()).map(Event::Usage));
        let word = end.finish_reason.unwrap_or_default();
        if let Some(error) = failure(&word, end.error.as_deref()) {
            out.push(Event::Error(error));
            return;
        }
        out.push(Event::Finish { choice: 0, reason: finish(&word) });
        out.push(Event::Done);
    }

    /// An error stands in the form of error bodies, which name no type.
    fn unnamed(&mut self, frame: &Frame, out: &mut Vec<Event>) {
        let stated = serde_json::from_slice(&frame.data).ok().as_ref().and_then(error::stated);
        if let Some(error) = stated {
            self.ended = true;
            out.push(Event::Error(error));
        }
    }
}

fn content(event: WireEvent, out: &mut Vec<Event>) {
    if let Some(content) = event.delta.and_then(|delta| delta.message?.content.this()) {
        if let Some(text) = content.thinking.filter(|text| !text.is_empty()) {
            out.push(Event::Reasoning { choice: 0, text });
        }
        if let Some(text) = content.text.filter(|text| !text.is_empty()) {
            out.push(Event::Text { choice: 0, text });
        }
    }
    let value = event.logprobs.as_ref().and_then(|piece| logprobs::canonical([piece]));
    out.extend(value.map(|value| Event::Logprobs { choice: 0, value }));
}

fn cite(event: WireEvent, out: &mut Vec<Event>) {
    let native = event.delta.and_then(|delta| Some(delta.message?.citations));
    if let Some(native) = native.filter(serde_json::Value::is_object) {
        out.push(Event::Citation { choice: 0, citation: Box::new(citation::read(native)) });
    }
}
