//! What a conversation shows to an auto router besides what was said last.

use std::collections::HashSet;
use std::hash::BuildHasher as _;

use foldhash::fast::FixedState;
use llm_router::auto::{Called, PLAN_TOOL, Signs};
use llm_types::{ChatRequest, Message, PartKind, Role};
use serde_json::Value;

use super::Call;

/// Tool calls that are looked at, at most.
const MOST_CALLS: usize = 64;
/// Bytes of a prompt per token where nobody counts.
const BYTES_PER_TOKEN: u64 = 4;

/// What was found in a request.
#[derive(Debug, Default)]
pub(super) struct Seen {
    system: String,
    reminders: String,
    calls: Vec<Called>,
    plan_tool: bool,
    images: bool,
    tokens: u64,
    goes_on: bool,
}

impl Seen {
    /// Looks a request over; `reminders` is what the caller's program put beside what was said last.
    pub(super) fn of(call: &Call, request: &ChatRequest, reminders: String) -> Self {
        let is_system = |message: &&Message| matches!(message.role, Role::System | Role::Developer);
        let system = request.messages.iter().filter(is_system).map(Message::text);
        let parts = || request.messages.iter().flat_map(|message| &message.parts);
        Self {
            system: system.collect::<Vec<_>>().join("\n"),
            reminders,
            calls: calls(request),
            plan_tool: request.tools.iter().any(|tool| tool.name == PLAN_TOOL),
            images: parts().any(|part| matches!(part.kind, PartKind::Image(_))),
            tokens: call.glance.prompt_bytes.div_ceil(BYTES_PER_TOKEN),
            goes_on: request.messages.last().is_some_and(|last| last.role == Role::Tool),
        }
    }

    /// In the auto routers' terms.
    pub(super) fn signs(&self) -> Signs<'_> {
        let Self { system, reminders, calls, plan_tool, images, tokens, goes_on } = self;
        let (plan_tool, images, tokens, goes_on) = (*plan_tool, *images, *tokens, *goes_on);
        Signs { system, reminders, calls, plan_tool, images, tokens, goes_on }
    }
}

/// The assistant's tool calls, the newest first.
fn calls(request: &ChatRequest) -> Vec<Called> {
    let parts = || request.messages.iter().rev().flat_map(|message| message.parts.iter().rev());
    let failed: HashSet<&str> = parts()
        .filter_map(|part| match &part.kind {
            PartKind::ToolResult(result) => {
                (result.is_error == Some(true)).then_some(result.call_id.as_str())
            }
            _ => None,
        })
        .collect();
    let called = parts().filter_map(|part| match &part.kind {
        PartKind::ToolCall(call) => {
            // The same arguments, however they are spaced.
            let arguments = serde_json::from_str::<Value>(&call.arguments);
            let arguments = arguments.map_or_else(|_| call.arguments.clone(), |value| value.to_string());
            let what = FixedState::with_seed(1).hash_one((&call.name, &arguments));
            Some(Called { what, failed: failed.contains(call.id.as_str()) })
        }
        _ => None,
    });
    called.take(MOST_CALLS).collect()
}
