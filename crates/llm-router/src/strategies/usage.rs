//! `usage-based-routing` and `usage-based-routing-v2`: the deployment with the fewest tokens this minute.
//! LiteLLM surface §7.2.

use fastrand::Rng;
use smallvec::SmallVec;

use super::Pool;
use crate::Candidate;
use crate::plan::{Plan, Why};

/// The first of those with the fewest tokens that succeeded calls used; a deployment may reach its
/// requests per minute.
pub(super) fn first_version(pool: Pool<'_>, _: &mut Rng) -> Option<u32> {
    let has_room = |one: &Candidate| {
        let requests = u64::from(one.state.this_minute(pool.now).successes) + 1;
        within_tokens(pool, one) && one.deployment.rpm.is_none_or(|limit| requests <= limit)
    };
    let open = pool.iter().filter(|(_, one)| has_room(one));
    open.min_by_key(|(_, one)| one.state.tokens_this_minute(pool.now)).map(|(at, _)| at)
}

/// One of those with the fewest tokens, at random; a deployment stays below its requests per minute.
pub(super) fn second_version(pool: Pool<'_>, rng: &mut Rng) -> Option<u32> {
    let mut fewest = u64::MAX;
    let mut alike: SmallVec<[u32; 16]> = SmallVec::new();
    for (at, one) in pool.iter() {
        let requests = one.state.requests_this_minute(pool.now) + 1;
        if !within_tokens(pool, one) || one.deployment.rpm.is_some_and(|limit| requests > limit) {
            continue;
        }
        let tokens = one.state.tokens_this_minute(pool.now);
        if tokens < fewest {
            fewest = tokens;
            alike.clear();
        }
        if tokens == fewest {
            alike.push(at);
        }
    }
    rng.choice(alike)
}

/// Whether the prompt fits into the deployment's tokens of this minute.
pub(super) fn within_tokens(pool: Pool<'_>, one: &Candidate) -> bool {
    one.deployment.tpm.is_none_or(|limit| {
        let asked = pool.ask.tokens_for(&one.deployment);
        one.state.tokens_this_minute(pool.now).saturating_add(asked) <= limit
    })
}

/// Those of a plan that its strategy leaves out, and why.
pub(crate) fn reached(plan: &Plan<'_>) -> Vec<(u32, Why)> {
    let pool = plan.pool();
    let full = pool.iter().filter(|(_, one)| plan.has_limits() && !has_room(pool, one));
    let why = |one: &Candidate| match one.deployment.tpm {
        Some(limit) if !within_tokens(pool, one) => Why::Tokens(limit),
        _ => Why::Requests(one.deployment.rpm.unwrap_or_default()),
    };
    full.map(|(at, one)| (at, why(one))).collect()
}

/// Whether another call fits into the deployment's requests and tokens of this minute.
pub(super) fn has_room(pool: Pool<'_>, one: &Candidate) -> bool {
    let requests = one.deployment.rpm.is_none_or(|limit| one.state.requests_this_minute(pool.now) < limit);
    requests && within_tokens(pool, one)
}

#[cfg(test)]
mod tests;
