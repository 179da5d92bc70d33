//! What turns a provider's streamed bytes into the caller's: forwarded, or translated.

use bytes::{Bytes, BytesMut};
use llm_providers::dialect::{Relay, ReplyContext, StreamDecoder, StreamEncoder};
use llm_providers::framing::Frames;
use llm_providers::{Dialect, ReplyFacts};
use llm_types::{Error, Event, Result, Usage};

use super::listed::Listed;

/// One streamed reply on its way.
#[derive(Debug)]
pub(crate) enum Pump {
    /// Both sides speak one dialect: bytes pass as they are.
    Forward(Box<dyn Relay>),
    /// Frames become events, events become frames.
    Translate(Box<Translation>),
    /// Everything was written before: only the facts are left.
    Written(Box<ReplyFacts>),
    /// Frames become elements of one JSON list.
    Listed(Box<Listed>),
}

impl Pump {
    /// Takes bytes of the provider, appends bytes for the caller.
    pub(crate) fn push(&mut self, bytes: Bytes, out: &mut Vec<Bytes>) {
        match self {
            Self::Forward(relay) => relay.push(bytes, out),
            Self::Translate(translation) => translation.push(bytes, out),
            Self::Written(_) => {}
            Self::Listed(listed) => listed.push(bytes, out),
        }
    }

    /// The provider's body has ended, or failed with `cut`.
    pub(crate) fn finish(&mut self, cut: Option<&Error>, out: &mut Vec<Bytes>) {
        match self {
            Self::Forward(relay) => relay.finish(cut, out),
            Self::Translate(translation) => translation.finish(cut, out),
            Self::Written(_) => {}
            Self::Listed(listed) => listed.finish(cut, out),
        }
    }

    /// What the reply has told so far.
    pub(crate) fn facts(&self) -> &ReplyFacts {
        match self {
            Self::Forward(relay) => relay.facts(),
            Self::Translate(translation) => &translation.facts,
            Self::Written(facts) => facts,
            Self::Listed(listed) => listed.facts(),
        }
    }
}

/// A stream between two dialects.
#[derive(Debug)]
pub(crate) struct Translation {
    frames: Frames,
    decoder: Box<dyn StreamDecoder>,
    encoder: Box<dyn StreamEncoder>,
    events: Vec<Event>,
    facts: ReplyFacts,
    /// What was written last.
    last: Bytes,
    /// An error was told: nothing may follow.
    over: bool,
}

impl Translation {
    /// A stream from a provider's dialect to a caller's.
    pub(crate) fn new(from: &dyn Dialect, to: &dyn Dialect, cx: ReplyContext) -> Self {
        Self {
            frames: Frames::new(from.framing()),
            decoder: from.stream_decoder(),
            encoder: to.stream_encoder(cx),
            events: Vec::new(),
            facts: ReplyFacts::default(),
            last: Bytes::new(),
            over: false,
        }
    }

    /// The frames that were written last.
    pub(crate) fn last(&self) -> &[u8] {
        &self.last
    }

    fn push(&mut self, bytes: Bytes, out: &mut Vec<Bytes>) {
        self.frames.push(bytes);
        if let Err(error) = self.decode() {
            self.events.push(Event::Error(error));
        }
        self.write(out);
    }

    fn decode(&mut self) -> Result<()> {
        while let Some(frame) = self.frames.next_frame()? {
            self.decoder.push(&frame, &mut self.events)?;
        }
        Ok(())
    }

    /// What came after the last frame may be one whose end was left out.
    fn decode_rest(&mut self) -> Result<()> {
        if let Some(frame) = self.frames.finish()? {
            self.decoder.push(&frame, &mut self.events)?;
        }
        self.decoder.finish(&mut self.events);
        Ok(())
    }

    fn finish(&mut self, cut: Option<&Error>, out: &mut Vec<Bytes>) {
        let ended = cut.map_or_else(|| self.decode_rest(), |error| Err(error.clone()));
        if let Err(error) = ended {
            self.events.push(Event::Error(error));
        }
        self.write(out);
        if !self.over {
            let mut bytes = BytesMut::new();
            self.encoder.finish(&mut bytes);
            self.over = true;
            if !bytes.is_empty() {
                out.push(bytes.freeze());
            }
        }
    }

    /// Writes the events that gathered, up to an error.
    fn write(&mut self, out: &mut Vec<Bytes>) {
        let mut bytes = BytesMut::new();
        for event in std::mem::take(&mut self.events) {
            if self.over {
                break;
            }
            note(&mut self.facts, &event);
            self.over = matches!(event, Event::Error(_));
            self.encoder.push(&event, &mut bytes);
        }
        if !bytes.is_empty() {
            self.last = bytes.freeze();
            out.push(self.last.clone());
        }
    }
}

/// Learns from an event what settlement needs.
fn note(facts: &mut ReplyFacts, event: &Event) {
    match event {
        Event::Start(start) => {
            facts.id = Some(start.id.clone());
            facts.model = Some(start.model.clone());
        }
        Event::Text { text, .. } | Event::Reasoning { text, .. } | Event::Refusal { text, .. } => {
            facts.answer_bytes += text.len() as u64;
        }
        Event::ToolArguments { arguments, .. } => facts.answer_bytes += arguments.len() as u64,
        Event::Usage(usage) => facts.usage.get_or_insert_with(Usage::default).update(usage),
        Event::Finish { choice: 0, reason } => facts.finish = Some(reason.clone()),
        Event::Error(error) => facts.error = Some(error.clone()),
        Event::Done => facts.complete = facts.error.is_none(),
        _ => {}
    }
}
