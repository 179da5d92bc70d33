//! Tests of the whole dialect: what goes in comes out, and recorded traffic is understood.

mod recorded;
mod round_trip;
mod vectors;

use llm_types::Event;

use super::Gemini;
use crate::Target;
use crate::dialects::tests::bench;

pub(super) use crate::dialects::tests::bench::{status, without_nulls};

/// A target of this dialect: AI Studio.
pub(super) fn target(model: &str) -> Target {
    bench::built_in("gemini", model)
}

/// The events of a streamed body, pushed in pieces of a size.
pub(super) fn events(body: &[u8], size: usize) -> Vec<Event> {
    bench::events(&Gemini, body, size)
}

/// The frames written for events.
pub(super) fn frames(events: &[Event]) -> String {
    bench::text(&Gemini, events)
}
