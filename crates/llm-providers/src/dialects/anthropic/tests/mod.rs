//! Tests of the whole dialect: what goes in comes out, and recorded traffic is understood.

mod recorded;
mod round_trip;
mod vectors;

use llm_types::Event;
use serde_json::json;

use super::Anthropic;
use crate::Target;
use crate::dialects::tests::bench;

pub(super) use crate::dialects::tests::bench::{said, status, without_nulls};

/// A target of this dialect.
pub(super) fn target(model: &str) -> Target {
    let spec = json!({ "id": "anthropic", "name": "Anthropic", "docs": "", "base_url": "https://api.anthropic.com",
        "auth": { "header": "x-api-key" }, "dialect": "anthropic" });
    bench::target(serde_json::from_value(spec).unwrap(), model)
}

/// The events of a streamed body.
pub(super) fn events(body: &[u8]) -> Vec<Event> {
    bench::events(&Anthropic, body, usize::MAX)
}

/// The frames written for events.
pub(super) fn frames(events: &[Event]) -> String {
    bench::text(&Anthropic, events)
}
