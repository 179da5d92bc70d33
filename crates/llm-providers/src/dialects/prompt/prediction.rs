//! Predictions: answers that are made elsewhere and asked for until they are there.
//!
//! A stream is the states of one prediction, each with all that is there so far; what is new in it is the next
//! piece. Vendor's page: <https://replicate.com/docs/reference/http#predictions.get>.

use llm_types::{Error, ErrorKind, Event, Finish, Result, Start};
use serde_json::Value;

use super::reply::{stated, usage};
use crate::dialect::{Frame, StreamDecoder};

/// States of a prediction that is not over.
const ON_ITS_WAY: [&str; 2] = ["starting", "processing"];

/// Where a prediction that is not over is asked for, behind the target's base URL.
pub(super) fn later(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let id = value.get("id").and_then(Value::as_str).filter(|_| is_on_its_way(&value))?;
    let is_plain =
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    is_plain.then(|| format!("/predictions/{id}"))
}

fn is_on_its_way(value: &Value) -> bool {
    value.get("status").and_then(Value::as_str).is_some_and(|status| ON_ITS_WAY.contains(&status))
}

/// All that is there of an answer: a text, or its pieces.
pub(super) fn output(value: &Value) -> Option<String> {
    match value.get("output")? {
        Value::String(text) => Some(text.clone()),
        Value::Array(pieces) => pieces.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// Reads the states of one prediction.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    begun: bool,
    over: bool,
    /// How much of the answer was told, in bytes.
    told: usize,
}

impl StreamDecoder for Decoder {
    fn push(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<()> {
        if self.over || frame.data.is_empty() {
            return Ok(());
        }
        let value: Value = serde_json::from_slice(&frame.data).map_err(|fault| {
            Error::new(ErrorKind::BadUpstream, "provider sent a state that is not JSON").with_source(fault)
        })?;
        let on_its_way = is_on_its_way(&value);
        if let Some(error) = stated(&value).filter(|_| !on_its_way) {
            self.over = true;
            out.push(Event::Error(error));
            return Ok(());
        }
        if !std::mem::replace(&mut self.begun, true) {
            let id = value.get("id").and_then(Value::as_str).unwrap_or_default();
            out.push(Event::Start(Start { id: id.to_owned(), ..Start::default() }));
        }
        let text = output(&value).unwrap_or_default();
        let new = text.get(self.told..).ok_or_else(|| {
            Error::new(ErrorKind::BadUpstream, "provider took back a part of the answer it had given")
        })?;
        if !new.is_empty() {
            out.push(Event::Text { choice: 0, text: new.to_owned() });
            self.told = text.len();
        }
        if !on_its_way {
            self.over = true;
            out.push(Event::Finish { choice: 0, reason: Finish::Stop });
            out.extend(usage(&value).map(Event::Usage));
            out.push(Event::Done);
        }
        Ok(())
    }

    fn finish(&mut self, _out: &mut Vec<Event>) {
        // The last state ends the answer; without it the stream was cut.
    }
}

#[cfg(test)]
mod tests;
