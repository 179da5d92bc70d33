//! Tests of the whole dialect: what goes in comes out, and recorded traffic is understood.

mod recorded;
mod replies;
mod requests;
mod round_trip;
mod streams;
mod vectors;

use llm_types::{Event, Result};
use serde_json::Value;

use super::Cohere;
use crate::Target;
use crate::dialect::{Dialect, Relay};
use crate::dialects::OPENAI_CHAT;
use crate::dialects::tests::bench;

pub(super) use crate::dialects::tests::bench::{shared, status, without_nulls};

/// A target of this dialect.
pub(super) fn target(model: &str) -> Target {
    bench::built_in("cohere", model)
}

/// The events of a streamed body in pieces of a size.
pub(super) fn events_in(body: &[u8], size: usize) -> Vec<Event> {
    bench::events(&Cohere, body, size)
}

/// The frames written for events.
pub(super) fn frames(events: &[Event]) -> String {
    bench::text(&Cohere, events)
}

/// What is forwarded of a body in pieces of a size.
pub(super) fn relayed(body: &[u8], size: usize) -> (Vec<u8>, Box<dyn Relay>) {
    bench::relayed(&Cohere, body, size)
}

/// What a provider of this dialect gets from a caller of OpenAI's.
pub(super) fn from_openai(body: &Value, target: &Target) -> Result<Value> {
    let request = OPENAI_CHAT.decode_request(&serde_json::to_vec(body).unwrap())?;
    let sent = Cohere.encode_request(&request, target)?;
    Ok(serde_json::from_slice(&sent.body).unwrap())
}

/// The events of a streamed body.
pub(super) fn events(body: &[u8]) -> Vec<Event> {
    events_in(body, usize::MAX)
}
