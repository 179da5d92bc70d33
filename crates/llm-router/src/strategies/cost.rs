//! `cost-based-routing`: the cheapest deployment. LiteLLM surface §7.2.

use fastrand::Rng;

use super::Pool;
use super::usage::has_room;
use crate::Candidate;

/// The price assumed where none is known, USD per token, for prompt and answer each.
const UNKNOWN: f64 = 5.0;

/// The lowest sum of prompt and answer price per token among those with room; the first of those alike.
pub(super) fn pick(pool: Pool<'_>, _: &mut Rng) -> Option<u32> {
    let price = |one: &Candidate| {
        let (input, output) = one.deployment.token_price;
        input.unwrap_or(UNKNOWN) + output.unwrap_or(UNKNOWN)
    };
    let open = pool.iter().filter(|(_, one)| has_room(pool, one));
    open.min_by(|one, other| price(one.1).total_cmp(&price(other.1))).map(|(at, _)| at)
}

#[cfg(test)]
mod tests;
