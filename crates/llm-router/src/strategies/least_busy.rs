//! `least-busy`: the deployment with the fewest calls on their way. LiteLLM surface §7.2.

use fastrand::Rng;

use super::Pool;

/// The fewest calls on their way; the first one of those alike.
pub(super) fn pick(pool: Pool<'_>, _: &mut Rng) -> Option<u32> {
    pool.iter().min_by_key(|(_, one)| one.state.in_flight()).map(|(at, _)| at)
}

#[cfg(test)]
mod tests;
