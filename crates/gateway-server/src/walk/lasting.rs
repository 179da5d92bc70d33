//! Streams that may outlast their provider: what passes is kept, so that another provider can go on.

use bytes::{Bytes, BytesMut};
use llm_providers::dialect::{Relay, ReplyContext, StreamDecoder, StreamEncoder};
use llm_providers::framing::{Frames, sse};
use llm_providers::{Dialect, DialectId, Framing, ReplyFacts};
use llm_types::{Error, Event, Usage};
use serde_json::Value;

use super::pump::{Pump, Translation};
use super::said::{Said, Seam};

/// A stream longer than this is not kept, bytes.
const MOST_KEPT: usize = 8 * 1024 * 1024;

/// A stream whose bytes pass as they are, and are kept.
#[derive(Debug)]
pub(crate) struct Kept {
    relay: Box<dyn Relay>,
    dialect: &'static dyn Dialect,
    cx: ReplyContext,
    kept: Vec<Bytes>,
    bytes: usize,
}

impl Kept {
    /// A stream between two parties of a dialect.
    pub(super) fn new(dialect: &'static dyn Dialect, cx: ReplyContext) -> Self {
        Self { relay: dialect.relay(cx.include_usage), dialect, cx, kept: Vec::new(), bytes: 0 }
    }

    /// What the reply has told so far.
    pub(super) fn facts(&self) -> &ReplyFacts {
        self.relay.facts()
    }

    /// Takes bytes of the provider. Gives what takes the place of this stream: one that is not kept any
    /// longer, or one that holds an error back.
    pub(super) fn push(&mut self, bytes: Bytes, out: &mut Vec<Bytes>) -> Option<Pump> {
        let before = out.len();
        self.relay.push(bytes, out);
        if self.facts().error.is_some() {
            let last = out.split_off(before);
            return Some(self.failed(last, out));
        }
        let new = out.get(before..).unwrap_or_default();
        self.bytes += new.iter().map(Bytes::len).sum::<usize>();
        self.kept.extend_from_slice(new);
        (self.bytes > MOST_KEPT).then(|| Pump::Forward(self.give_relay()))
    }

    /// The provider's body has ended, as [`Kept::push`].
    pub(super) fn finish(&mut self, cut: Option<&Error>, out: &mut Vec<Bytes>) -> Option<Pump> {
        let before = out.len();
        self.relay.finish(cut, out);
        self.facts().error.is_some().then(|| {
            let last = out.split_off(before);
            self.failed(last, out)
        })
    }

    fn give_relay(&mut self) -> Box<dyn Relay> {
        std::mem::replace(&mut self.relay, self.dialect.relay(self.cx.include_usage))
    }

    /// The same stream as one that is written here: a writer that has told the caller what was kept. Of the
    /// last bytes the caller is told what stands before the error.
    fn failed(&mut self, last: Vec<Bytes>, out: &mut Vec<Bytes>) -> Pump {
        let mut writer = Translation::new(self.dialect, self.dialect, self.cx.clone()).lasting();
        let mut told = Vec::new();
        for piece in &self.kept {
            writer.push(piece.clone(), &mut told);
        }
        if self.dialect.id() == DialectId::OpenaiResponses
            && let Some(lasting) = &mut writer.lasting
        {
            lasting.stitch = Some(Stitch::between(&told, &self.kept));
        }
        last.into_iter().for_each(|piece| writer.push(piece, out));
        let facts = self.facts().clone();
        if let Some(error) = &facts.error {
            writer.fail(error.clone());
        }
        writer.set_facts(facts);
        Pump::Translate(Box::new(writer))
    }
}

/// What a written stream needs so that another provider can go on.
#[derive(Debug, Default)]
pub(crate) struct Lasting {
    /// What the caller has been told.
    pub(super) said: Said,
    /// The error that the caller is not told yet.
    pub(super) held: Option<Error>,
    /// Where the provider that goes on begins.
    seam: Option<Seam>,
    /// What providers before this one have used.
    earlier: Option<Usage>,
    /// How frames follow on frames that were written elsewhere.
    pub(super) stitch: Option<Stitch>,
}

/// What goes on with a stream.
#[derive(Debug)]
pub(crate) struct Next {
    /// Cuts the provider's bytes.
    pub(super) frames: Frames,
    /// Reads its frames.
    pub(super) decoder: Box<dyn StreamDecoder>,
    /// What it has said already.
    pub(super) events: Vec<Event>,
    /// Where its text is joined.
    pub(super) seam: Seam,
    /// What providers before it have used.
    pub(super) earlier: Usage,
}

impl Lasting {
    pub(super) fn go_on(&mut self, seam: Seam, earlier: Usage) {
        self.held = None;
        self.seam = Some(seam);
        self.earlier = Some(earlier);
    }

    /// Writes an event as the caller is to be told of it.
    pub(super) fn pass(&mut self, event: Event, encoder: &mut dyn StreamEncoder, out: &mut BytesMut) {
        let event = match (event, &mut self.seam) {
            (Event::Error(error), _) => {
                self.held = Some(error);
                return;
            }
            // The answer has begun already.
            (Event::Start(_), Some(_)) => return,
            (Event::Text { choice: 0, text }, Some(seam)) => {
                let text = seam.text(text);
                if text.is_empty() {
                    return;
                }
                Event::Text { choice: 0, text }
            }
            (event, Some(seam)) if !matches!(event, Event::Usage(_) | Event::Ping) => {
                let text = seam.rest();
                if !text.is_empty() {
                    self.tell(&Event::Text { choice: 0, text }, encoder, out);
                }
                event
            }
            (event, _) => event,
        };
        let event = match (event, &self.earlier) {
            (Event::Usage(usage), Some(earlier)) => Event::Usage(earlier.with(&usage)),
            (event, _) => event,
        };
        self.tell(&event, encoder, out);
    }

    fn tell(&mut self, event: &Event, encoder: &mut dyn StreamEncoder, out: &mut BytesMut) {
        self.said.note(event);
        encoder.push(event, out);
    }
}

/// How our frames of OpenAI's Responses follow on a provider's: frames are counted, and the reply and its
/// items have names.
#[derive(Debug, Default)]
pub(crate) struct Stitch {
    /// What is added to our count.
    ahead: i64,
    /// Our names, in quotes, and the provider's.
    names: Vec<(String, String)>,
}

/// Where a stream has come to: the number of its last frame, its name, and that of the last item.
#[derive(Debug, Default)]
struct Place {
    count: i64,
    reply: Option<String>,
    item: Option<String>,
}

impl Stitch {
    /// `ours` tells the same as `theirs`.
    fn between(ours: &[Bytes], theirs: &[Bytes]) -> Self {
        let (ours, theirs) = (Place::of(ours), Place::of(theirs));
        let quoted = |name: String| format!("\"{name}\"");
        let names = [ours.reply.zip(theirs.reply), ours.item.zip(theirs.item)];
        let names = names.into_iter().flatten().filter(|(ours, theirs)| ours != theirs);
        Self {
            ahead: theirs.count - ours.count,
            names: names.map(|(ours, theirs)| (quoted(ours), quoted(theirs))).collect(),
        }
    }

    /// Our frames with the count and the names that the caller knows.
    pub(super) fn mend(&self, frames: Bytes) -> Bytes {
        let mut out = BytesMut::with_capacity(frames.len());
        each(&[frames], |event, data| {
            let text = String::from_utf8_lossy(data).into_owned();
            let text = self.names.iter().fold(text, |text, (ours, theirs)| text.replace(ours, theirs));
            let mended = serde_json::from_str::<Value>(&text).ok().map(|mut frame| {
                if let Some(count) = frame["sequence_number"].as_i64() {
                    frame["sequence_number"] = Value::from(count + self.ahead);
                }
                frame.to_string()
            });
            sse::write(&mut out, event, mended.unwrap_or(text).as_bytes());
        });
        out.freeze()
    }
}

impl Place {
    fn of(pieces: &[Bytes]) -> Self {
        let mut place = Self::default();
        each(pieces, |_, data| {
            let Ok(frame) = serde_json::from_slice::<Value>(data) else { return };
            let text = |value: &Value| value.as_str().map(str::to_owned);
            place.count = frame["sequence_number"].as_i64().unwrap_or(place.count);
            place.reply = text(&frame["response"]["id"]).or(place.reply.take());
            let item = text(&frame["item_id"]).or_else(|| text(&frame["item"]["id"]));
            place.item = item.or(place.item.take());
        });
        place
    }
}

/// Every frame's name and data.
fn each(pieces: &[Bytes], mut see: impl FnMut(&str, &[u8])) {
    let mut frames = Frames::new(Framing::Sse);
    for piece in pieces {
        frames.push(piece.clone());
        // They passed a splitter of the same limit before.
        while let Ok(Some(frame)) = frames.next_frame() {
            see(std::str::from_utf8(&frame.event).unwrap_or_default(), &frame.data);
        }
    }
}
