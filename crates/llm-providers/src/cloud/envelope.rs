//! A dialect's body inside another object, and its reply inside another's reply.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream};
use llm_types::{Body, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Pairs, Words};
use crate::PARAMS;
use crate::framing::sse;

/// The largest reply that is unwrapped, bytes.
const LIMIT: usize = 64 << 20;
/// Parameters beside [`PARAMS`] that go where those go.
const MORE: [&str; 2] = ["function_call", "top_k"];

/// Where the members of a body stand in a vendor's request, and where the dialect's reply stands in the
/// vendor's. Places are JSON pointers (RFC 6901).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Envelope {
    /// Members by name, and their places; those with an empty place are left out.
    pub places: Pairs,
    /// The object in which the dialect's parameters stand that have no place of their own.
    pub params: Cow<'static, str>,
    /// The object in which all else stands; the request itself when empty.
    pub rest: Cow<'static, str>,
    /// What is said beside the body: places and texts, in which `{model}` and settings are filled in as in
    /// paths. What lacks a setting is left out.
    pub said: Pairs,
    /// Where replies stand, whole and streamed; the first place that is there counts. A reply, or an event
    /// of a stream, that has none of them is passed on as it is.
    pub reply: Words,
}

impl Envelope {
    /// No envelope.
    pub const NONE: Self = Self {
        places: Cow::Borrowed(&[]),
        params: Cow::Borrowed(""),
        rest: Cow::Borrowed(""),
        said: Cow::Borrowed(&[]),
        reply: Cow::Borrowed(&[]),
    };

    /// The body in its envelope; `said` is [`Envelope::said`] filled in.
    pub(crate) fn wrap(&self, body: &Bytes, said: &[(String, String)]) -> Result<Bytes> {
        let body: Map<String, Value> = serde_json::from_slice(body).map_err(|fault| {
            Error::new(ErrorKind::Internal, "a body to be wrapped is no JSON object").with_source(fault)
        })?;
        let mut whole = Value::Object(Map::new());
        for (place, text) in said {
            put(&mut whole, place, text.as_str().into());
        }
        for object in [&self.params, &self.rest] {
            if !object.is_empty() {
                put(&mut whole, object, Value::Object(Map::new()));
            }
        }
        for (name, value) in body {
            let own = self.places.iter().find(|(listed, _)| *listed == name);
            let is_param = PARAMS.contains(&name.as_str()) || MORE.contains(&name.as_str());
            match own {
                Some((_, place)) if place.is_empty() => {}
                Some((_, place)) => put(&mut whole, place, value),
                None if is_param && !self.params.is_empty() => {
                    put(&mut whole, &format!("{}/{name}", self.params), value);
                }
                None => put(&mut whole, &format!("{}/{name}", self.rest), value),
            }
        }
        Ok(whole.to_string().into())
    }

    /// The dialect's reply inside a vendor's; the same where there is none inside.
    pub(crate) fn unwrap(&self, reply: Bytes) -> Bytes {
        self.inside(&reply).unwrap_or(reply)
    }

    fn inside(&self, reply: &[u8]) -> Option<Bytes> {
        let mut whole: Value = serde_json::from_slice(reply).ok()?;
        let there = |place: &&Cow<'_, str>| whole.pointer(place).is_some_and(Value::is_object);
        let place = self.reply.iter().find(there)?;
        Some(whole.pointer_mut(place)?.take().to_string().into())
    }

    /// A body of a reply without its envelopes: of a stream each event's is taken off.
    pub(crate) fn opened(&self, body: Body, is_stream: bool) -> Body {
        let envelope = self.clone();
        if is_stream {
            return Body::Stream(Box::pin(events(envelope, body)));
        }
        match body {
            Body::Full(bytes) => Body::Full(envelope.unwrap(bytes)),
            body => Body::Stream(Box::pin(stream::once(async move {
                body.collect(LIMIT).await.map(|bytes| envelope.unwrap(bytes))
            }))),
        }
    }
}

/// Puts a value at a place, making the objects on the way.
fn put(whole: &mut Value, place: &str, value: Value) {
    let mut at = whole;
    for name in place.split('/').skip(1) {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let object = at.as_object_mut().expect("made an object in the line above");
        at = object.entry(name).or_insert(Value::Null);
    }
    *at = value;
}

/// How far a stream is unwrapped.
struct Opening {
    envelope: Envelope,
    body: Body,
    frames: sse::Splitter,
    /// What went wrong behind the events that were handed out.
    failure: Option<Error>,
    over: bool,
}

/// The events of a stream, each without its envelope.
fn events(envelope: Envelope, body: Body) -> impl Stream<Item = Result<Bytes>> + Send {
    let opening = Opening { envelope, body, frames: sse::Splitter::new(), failure: None, over: false };
    stream::unfold(opening, |mut opening| async move {
        while !opening.over {
            if let Some(error) = opening.failure.take() {
                opening.over = true;
                return Some((Err(error), opening));
            }
            let next = opening.body.next().await;
            let out = opening.take(next);
            if !out.is_empty() {
                return Some((Ok(out), opening));
            }
        }
        None
    })
}

impl Opening {
    /// Takes what the body gave; returns the events that are whole now.
    fn take(&mut self, next: Option<Result<Bytes>>) -> Bytes {
        let mut out = BytesMut::new();
        match next {
            Some(Ok(bytes)) => {
                self.frames.push(bytes);
                self.failure = self.drain(&mut out).err();
            }
            Some(Err(error)) => self.failure = Some(error),
            None => {
                self.over = true;
                if let Some(rest) = self.frames.finish() {
                    self.write(&rest, &mut out);
                }
            }
        }
        out.freeze()
    }

    fn drain(&mut self, out: &mut BytesMut) -> Result<()> {
        while let Some(raw) = self.frames.next_raw()? {
            self.write(&raw, out);
        }
        Ok(())
    }

    fn write(&self, raw: &Bytes, out: &mut BytesMut) {
        if raw.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return; // The rest of a line end that was cut in the middle.
        }
        let frame = sse::parse(raw);
        let inside = frame.and_then(|frame| Some((self.envelope.inside(&frame.data)?, frame.event)));
        match inside {
            Some((data, event)) => sse::write(out, &String::from_utf8_lossy(&event), &data),
            None => out.extend_from_slice(raw),
        }
    }
}

#[cfg(test)]
mod tests;
