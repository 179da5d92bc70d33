//! What turns a provider's streamed bytes into the caller's: forwarded, or translated.

use bytes::{Bytes, BytesMut};
use llm_providers::dialect::{Relay, ReplyContext, StreamDecoder, StreamEncoder};
use llm_providers::framing::Frames;
use llm_providers::{Dialect, ReplyFacts};
use llm_types::{Error, ErrorKind, Event, Result, Usage};

use super::lasting::{Kept, Lasting, Next};
use super::listed::Listed;
use super::said::Said;
use super::thinking::Told;

/// What is said of a stream that ended before its end.
const CUT: &str = "the provider's stream ended before the answer was complete";

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
    /// Bytes pass as they are, and are kept until it is known that nobody has to go on with them.
    Kept(Box<Kept>),
}

impl Pump {
    /// Takes bytes of the provider, appends bytes for the caller.
    pub(crate) fn push(&mut self, bytes: Bytes, out: &mut Vec<Bytes>) {
        match self {
            Self::Forward(relay) => relay.push(bytes, out),
            Self::Translate(translation) => translation.push(bytes, out),
            Self::Written(_) => {}
            Self::Listed(listed) => listed.push(bytes, out),
            Self::Kept(kept) => {
                if let Some(other) = kept.push(bytes, out) {
                    *self = other;
                }
            }
        }
    }

    /// The provider's body has ended, or failed with `cut`.
    pub(crate) fn finish(&mut self, cut: Option<&Error>, out: &mut Vec<Bytes>) {
        match self {
            Self::Forward(relay) => relay.finish(cut, out),
            Self::Translate(translation) => translation.finish(cut, out),
            Self::Written(_) => {}
            Self::Listed(listed) => listed.finish(cut, out),
            Self::Kept(kept) => {
                if let Some(other) = kept.finish(cut, out) {
                    *self = other;
                }
            }
        }
    }

    /// The error that is held back, where another provider may go on.
    pub(crate) fn held(&self) -> Option<&Error> {
        match self {
            Self::Translate(translation) => translation.lasting.as_ref()?.held.as_ref(),
            Self::Listed(listed) => listed.inner().held(),
            Self::Forward(_) | Self::Written(_) | Self::Kept(_) => None,
        }
    }

    /// What the caller has been told, where an error is held back.
    pub(crate) fn said(&self) -> Option<&Said> {
        match self {
            Self::Translate(translation) => translation.lasting.as_ref().map(|lasting| &lasting.said),
            Self::Listed(listed) => listed.inner().said(),
            Self::Forward(_) | Self::Written(_) | Self::Kept(_) => None,
        }
    }

    /// Nobody goes on: the caller is told of the error that was held back.
    pub(crate) fn give_up(&mut self, out: &mut Vec<Bytes>) {
        match self {
            Self::Translate(translation) => translation.give_up(out),
            Self::Listed(listed) => listed.around(out, Self::give_up),
            Self::Forward(_) | Self::Written(_) | Self::Kept(_) => {}
        }
    }

    /// Another provider goes on.
    pub(crate) fn go_on(&mut self, next: Next, out: &mut Vec<Bytes>) {
        match self {
            Self::Translate(translation) => translation.go_on(next, out),
            Self::Listed(listed) => listed.around(out, |pump, out| pump.go_on(next, out)),
            Self::Forward(_) | Self::Written(_) | Self::Kept(_) => {}
        }
    }

    /// The provider's own id of a reply that passes as it is.
    pub(crate) fn own_id(&self) -> Option<&str> {
        match self {
            Self::Forward(relay) => relay.facts().id.as_deref(),
            Self::Kept(kept) => kept.facts().id.as_deref(),
            Self::Translate(_) | Self::Written(_) | Self::Listed(_) => None,
        }
    }

    /// What the reply has told so far.
    pub(crate) fn facts(&self) -> &ReplyFacts {
        match self {
            Self::Forward(relay) => relay.facts(),
            Self::Translate(translation) => &translation.facts,
            Self::Written(facts) => facts,
            Self::Listed(listed) => listed.facts(),
            Self::Kept(kept) => kept.facts(),
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
    /// An error was told or is held back: nothing may follow.
    over: bool,
    /// What another provider needs to go on, where one may.
    pub(super) lasting: Option<Box<Lasting>>,
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
            lasting: None,
        }
    }

    /// The same stream, with thoughts told as text.
    pub(super) fn telling_thoughts(mut self) -> Self {
        self.encoder = Box::new(Told::new(self.encoder));
        self
    }

    /// The same stream, with which another provider may go on.
    pub(super) fn lasting(mut self) -> Self {
        self.lasting = Some(Box::default());
        self
    }

    /// The frames that were written last.
    pub(crate) fn last(&self) -> &[u8] {
        &self.last
    }

    pub(super) fn push(&mut self, bytes: Bytes, out: &mut Vec<Bytes>) {
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
        if self.over {
            return;
        }
        let ended = cut.map_or_else(|| self.decode_rest(), |error| Err(error.clone()));
        if let Err(error) = ended {
            self.events.push(Event::Error(error));
        }
        self.write(out);
        if self.lasting.is_some() && !self.over && !self.facts.complete {
            self.fail(Error::new(ErrorKind::BadUpstream, CUT));
        }
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
            match &mut self.lasting {
                None => self.encoder.push(&event, &mut bytes),
                Some(lasting) => lasting.pass(event, &mut *self.encoder, &mut bytes),
            }
        }
        self.send(bytes, out);
    }

    fn send(&mut self, bytes: BytesMut, out: &mut Vec<Bytes>) {
        if bytes.is_empty() {
            return;
        }
        let stitch = self.lasting.as_ref().and_then(|lasting| lasting.stitch.as_ref());
        self.last = match stitch {
            None => bytes.freeze(),
            Some(stitch) => stitch.mend(bytes.freeze()),
        };
        out.push(self.last.clone());
    }

    /// Holds an error back.
    pub(super) fn fail(&mut self, error: Error) {
        self.over = true;
        self.facts.error = Some(error.clone());
        if let Some(lasting) = &mut self.lasting {
            lasting.held.get_or_insert(error);
        }
    }

    /// What the stream told of itself, from a reader that knew more.
    pub(super) fn set_facts(&mut self, facts: ReplyFacts) {
        self.facts = facts;
    }

    fn give_up(&mut self, out: &mut Vec<Bytes>) {
        let Some(error) = self.lasting.as_mut().and_then(|lasting| lasting.held.take()) else { return };
        let mut bytes = BytesMut::new();
        self.encoder.push(&Event::Error(error), &mut bytes);
        self.encoder.finish(&mut bytes);
        self.send(bytes, out);
    }

    fn go_on(&mut self, next: Next, out: &mut Vec<Bytes>) {
        let Some(lasting) = &mut self.lasting else { return };
        lasting.go_on(next.seam, next.earlier);
        self.frames = next.frames;
        self.decoder = next.decoder;
        self.events = next.events;
        self.facts = ReplyFacts::default();
        self.over = false;
        self.write(out);
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
        Event::ToolStart { name, .. } => facts.tools.note(name),
        Event::ToolArguments { arguments, .. } => facts.answer_bytes += arguments.len() as u64,
        Event::Usage(usage) => facts.usage.get_or_insert_with(Usage::default).update(usage),
        Event::Finish { choice: 0, reason } => facts.finish = Some(reason.clone()),
        Event::Error(error) => facts.error = Some(error.clone()),
        Event::Done => facts.complete = facts.error.is_none(),
        _ => {}
    }
}
