//! A provider's frames into events. Each frame holds the next piece of an answer; the last one says why it
//! ended, or what the call consumed.

use llm_types::{Error, ErrorKind, Event, Finish, Result, Start, Usage};
use serde_json::Value;

use super::reply::{METRICS, answers, stated, usage};
use super::think::{Piece, Splitter, Thinks};
use crate::dialect::{Frame, StreamDecoder};
use crate::dialects::anthropic;

/// Reads a stream of a wire.
#[derive(Debug)]
pub(super) struct Decoder {
    splitter: Splitter,
    begun: bool,
    failed: bool,
    finish: Option<Finish>,
    /// The host has said that the answer is over.
    over: bool,
    /// The end of the body is the end of the answer.
    silent: bool,
    usage: Option<Usage>,
}

impl Decoder {
    /// A reader; `silent` when streams have no mark of their end, so that the body's end is it. A body that is
    /// cut has no end: the transport tells.
    pub(super) fn new(thinks: Thinks, silent: bool) -> Self {
        Self {
            splitter: Splitter::new(thinks),
            begun: false,
            failed: false,
            finish: None,
            over: false,
            silent,
            usage: None,
        }
    }

    fn tell(pieces: Vec<Piece>, out: &mut Vec<Event>) {
        out.extend(pieces.into_iter().map(|piece| match piece {
            Piece::Thought(text) => Event::Reasoning { choice: 0, text },
            Piece::Text(text) => Event::Text { choice: 0, text },
        }));
    }
}

impl StreamDecoder for Decoder {
    fn push(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<()> {
        if self.failed || frame.data.is_empty() || &*frame.event == b"ping" {
            return Ok(());
        }
        let data = frame.data.trim_ascii();
        let data = data.strip_prefix(b"data:").map_or(data, <[u8]>::trim_ascii_start);
        if data == b"[DONE]" {
            self.over = true;
            return Ok(());
        }
        let value: Value = serde_json::from_slice(data).map_err(|fault| {
            Error::new(ErrorKind::BadUpstream, "provider sent a frame that is not JSON").with_source(fault)
        })?;
        let error =
            if &*frame.event == b"error" { Some(anthropic::in_stream(&value)) } else { stated(&value) };
        if let Some(error) = error {
            self.failed = true;
            out.push(Event::Error(error));
            return Ok(());
        }
        if !std::mem::replace(&mut self.begun, true) {
            out.push(Event::Start(Start::default()));
        }
        // Several answers cannot be asked for in a stream: the first one is the answer.
        if let Some(answer) = answers(&value).and_then(|answers| answers.into_iter().next()) {
            Self::tell(self.splitter.push(&answer.text), out);
            self.finish = answer.finish.or(self.finish.take());
        }
        if let Some(later) = usage(&value) {
            self.usage.get_or_insert_default().update(&later);
        }
        let is_finished = value.get("is_finished").and_then(Value::as_bool) == Some(true);
        self.over |= is_finished || self.finish.is_some() || value.get(METRICS).is_some();
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<Event>) {
        if self.failed {
            return;
        }
        Self::tell(self.splitter.finish(), out);
        let is_over = self.over || (self.silent && self.begun);
        if !is_over {
            return;
        }
        let reason = self.finish.take().unwrap_or(Finish::Stop);
        out.push(Event::Finish { choice: 0, reason });
        out.extend(self.usage.take().map(Event::Usage));
        out.push(Event::Done);
    }
}

#[cfg(test)]
mod tests;
