//! Tests of the whole dialect: what goes in comes out, and recorded traffic is understood.

mod recorded;
mod replies;
mod requests;
mod round_trip;
mod vectors;

use llm_types::{Event, Result};
use serde_json::Value;

use super::Ollama;
use crate::Target;
use crate::dialect::{Dialect, Relay};
use crate::dialects::OPENAI_CHAT;
use crate::dialects::tests::bench;

/// A target of this dialect: the slug tells whether prompts are completed (`ollama`) or chats are
/// (`ollama_chat`).
pub(super) use crate::dialects::tests::bench::built_in as target;
pub(super) use crate::dialects::tests::bench::{status, without_nulls};

/// The events of a streamed body in pieces of a size.
pub(super) fn events_in(body: &[u8], size: usize) -> Vec<Event> {
    bench::events(&Ollama, body, size)
}

/// The lines written for events.
pub(super) fn lines(events: &[Event]) -> Vec<Value> {
    bench::text(&Ollama, events).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What is forwarded of a body in pieces of a size.
pub(super) fn relayed(body: &[u8], size: usize) -> (Vec<u8>, Box<dyn Relay>) {
    bench::relayed(&Ollama, body, size)
}

/// What a provider of this dialect gets from a caller of OpenAI's: path and body.
pub(super) fn from_openai(body: &Value, target: &Target) -> Result<(String, Value)> {
    let mut request = OPENAI_CHAT.decode_request(&serde_json::to_vec(body).unwrap())?;
    if let Some(Value::Object(members)) = body.get("extra_body") {
        // The gateway spreads them over the body.
        request.extra.0.extend(members.clone());
    }
    let sent = Ollama.encode_request(&request, target)?;
    Ok((sent.path, serde_json::from_slice(&sent.body).unwrap()))
}

/// The events of a streamed body.
pub(super) fn events(body: &[u8]) -> Vec<Event> {
    events_in(body, usize::MAX)
}
