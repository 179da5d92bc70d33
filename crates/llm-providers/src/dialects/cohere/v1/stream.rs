//! A provider's lines into events.

use llm_types::{Error, ErrorKind, Event, Result, Start};
use serde::Deserialize;
use serde_json::Value;

use super::super::usage::WireUsage;
use super::super::wire::failure;
use super::super::{citation, error};
use super::response::{WireCall, WireReply, finish_of};
use crate::dialect::{Frame, StreamDecoder};

/// Any event: the members of all kinds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireEvent {
    event_type: String,
    generation_id: Option<String>,
    text: Option<String>,
    tool_calls: Option<Vec<WireCall>>,
    citations: Option<Vec<Value>>,
    finish_reason: Option<String>,
    error: Option<String>,
    response: Option<WireReply>,
}

/// Reads a stream of this dialect. It has one answer, so every event is of choice 0.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    id: String,
    started: bool,
    wrote: bool,
    calls: u32,
    /// Whether the stream has said its end or an error: what follows is not part of it.
    ended: bool,
}

impl StreamDecoder for Decoder {
    fn push(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<()> {
        if self.ended || frame.data.is_empty() {
            return Ok(());
        }
        let value: Value = serde_json::from_slice(&frame.data).map_err(|fault| {
            Error::new(ErrorKind::BadUpstream, format!("a line of the stream is not readable: {fault}"))
        })?;
        if value.get("event_type").is_none() {
            if let Some(error) = error::stated(&value) {
                self.ended = true;
                out.push(Event::Error(error));
            }
            return Ok(());
        }
        let event: WireEvent = serde_json::from_value(value).map_err(|fault| {
            Error::new(ErrorKind::BadUpstream, format!("a line of the stream is not readable: {fault}"))
        })?;
        match event.event_type.as_str() {
            "stream-start" => self.start(event.generation_id.unwrap_or_default(), out),
            "text-generation" => self.text(event.text, out),
            "tool-calls-generation" => {
                self.text(event.text.filter(|_| !self.wrote), out);
                self.calls(event.tool_calls, out);
            }
            "citation-generation" => {
                let cited = event.citations.into_iter().flatten().map(citation::read);
                out.extend(cited.map(|one| Event::Citation { choice: 0, citation: Box::new(one) }));
            }
            "stream-end" => self.end(event, out),
            // Searches and pieces of calls, which come whole afterwards.
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, _out: &mut Vec<Event>) {}
}

impl Decoder {
    fn start(&mut self, id: String, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.started, true) {
            self.id.clone_from(&id);
            out.push(Event::Start(Start { id, ..Start::default() }));
        }
    }

    fn text(&mut self, text: Option<String>, out: &mut Vec<Event>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.wrote = true;
            out.push(Event::Text { choice: 0, text });
        }
    }

    fn calls(&mut self, calls: Option<Vec<WireCall>>, out: &mut Vec<Event>) {
        for call in calls.into_iter().flatten() {
            let index = self.calls;
            self.calls += 1;
            let call = call.named(&self.id, index);
            out.push(Event::ToolStart { choice: 0, index, id: call.id, name: call.name, custom: false });
            out.push(Event::ToolArguments { choice: 0, index, arguments: call.arguments });
        }
    }

    fn end(&mut self, event: WireEvent, out: &mut Vec<Event>) {
        self.ended = true;
        let whole = event.response.unwrap_or_default();
        if self.calls == 0 {
            self.text(whole.text.filter(|_| !self.wrote), out);
            self.calls(whole.tool_calls, out);
        }
        out.extend(whole.meta.as_ref().and_then(WireUsage::canonical).map(Event::Usage));
        let word = event.finish_reason.or(whole.finish_reason);
        if let Some(error) = word.as_deref().and_then(|word| failure(word, event.error.as_deref())) {
            out.push(Event::Error(error));
            return;
        }
        out.push(Event::Finish { choice: 0, reason: finish_of(word.as_deref(), self.calls > 0) });
        out.push(Event::Done);
    }
}
