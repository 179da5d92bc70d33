//! Marks for the provider's cache that the operator puts into prompts (`cache_control_injection_points`).

use llm_providers::{DialectId, Target};
use llm_types::{CacheMark, ChatRequest, Message, Part, PartKind, Role};

use crate::config::{CachePoint, CacheSpot};

/// The most marks a request may carry: Anthropic refuses a fifth.
/// <https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching>
const MOST: usize = 4;

/// Whether a provider has words for such marks.
pub(super) fn knows(dialect: DialectId, target: &Target) -> bool {
    match dialect {
        DialectId::Anthropic | DialectId::Converse => true,
        DialectId::OpenaiChat => target.spec.quirks.keeps_cache_control,
        _ => false,
    }
}

/// Marks a request. The caller's own marks stay; where there would be too many, those at the end win: what stands
/// before a mark is cached with it.
pub(super) fn mark(request: &mut ChatRequest, points: &[CachePoint]) {
    let mut free = MOST.saturating_sub(marked(request));
    for at in (0..request.messages.len()).rev() {
        let place = place_of(request, at);
        let Some(mark) = wanted(points, &request.messages[at], place) else { continue };
        if free > 0 && put(&mut request.messages[at], mark) {
            free -= 1;
        }
    }
    let tools = points.iter().find(|point| point.spot == CacheSpot::Tools);
    if let (Some(point), Some(tool)) = (tools, request.tools.last_mut())
        && free > 0
        && tool.cache.is_none()
    {
        tool.cache = Some(point.mark);
    }
}

/// How many marks a request carries.
fn marked(request: &ChatRequest) -> usize {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    parts.filter(|part| part.cache.is_some()).count()
        + request.tools.iter().filter(|tool| tool.cache.is_some()).count()
}

/// The number of a message from the start, and from the end.
fn place_of(request: &ChatRequest, at: usize) -> (i64, i64) {
    let (at, all) = (i64::try_from(at), i64::try_from(request.messages.len()));
    let (at, all) = (at.unwrap_or(i64::MAX), all.unwrap_or(i64::MAX));
    (at, at - all)
}

fn wanted(points: &[CachePoint], message: &Message, (start, end): (i64, i64)) -> Option<CacheMark> {
    let is_here = |spot: CacheSpot| match spot {
        CacheSpot::Message(index) => index == start || index == end,
        CacheSpot::Role(Role::System) => matches!(message.role, Role::System | Role::Developer),
        CacheSpot::Role(role) => message.role == role,
        CacheSpot::Tools => false,
    };
    points.iter().find(|point| is_here(point.spot)).map(|point| point.mark)
}

/// Marks the last part of a message that may be marked; whether a mark was added.
fn put(message: &mut Message, mark: CacheMark) -> bool {
    match message.parts.iter_mut().rev().find(|part| may_carry(part)) {
        Some(part) if part.cache.is_none() => {
            part.cache = Some(mark);
            true
        }
        _ => false,
    }
}

/// Thoughts and empty texts may not be marked.
fn may_carry(part: &Part) -> bool {
    match &part.kind {
        PartKind::Text { text, .. } => !text.is_empty(),
        PartKind::Reasoning { .. } | PartKind::RedactedReasoning { .. } => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests;
