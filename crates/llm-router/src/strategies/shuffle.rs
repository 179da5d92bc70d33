//! `simple-shuffle`: at random, in the proportions the operator set. LiteLLM surface §7.2.

use fastrand::Rng;

use super::Pool;
use crate::Candidate;

/// The first of scoped weights, weights, requests and tokens per minute that any deployment of the
/// pool has decides; without any, all are alike.
pub(super) fn pick(pool: Pool<'_>, rng: &mut Rng) -> Option<u32> {
    if let [only] = *pool.open {
        return Some(only);
    }
    if let Some(weights) = pool.settings.weights.get(&*pool.group.name) {
        let weigh = |one: &Candidate| weights.get(one.deployment.id.as_str()).copied().unwrap_or_default();
        if let Some(at) = weighted(pool, rng, weigh) {
            return Some(at);
        }
    }
    let decisive = (0..3).find(|&share| pool.iter().any(|(_, one)| one.shares[share] > 0.0));
    match decisive {
        Some(share) => weighted(pool, rng, |one| one.shares[share]),
        None => rng.choice(pool.open).copied(),
    }
}

/// One draw in proportion to `weigh`; `None` when no weight is above zero.
fn weighted(pool: Pool<'_>, rng: &mut Rng, weigh: impl Fn(&Candidate) -> f64) -> Option<u32> {
    let total: f64 = pool.iter().map(|(_, one)| weigh(one).max(0.0)).sum();
    if total <= 0.0 {
        return None;
    }
    let mut left = rng.f64() * total;
    let mut last = None;
    for (at, one) in pool.iter() {
        let weight = weigh(one);
        if weight > 0.0 {
            last = Some(at);
            if left < weight {
                break;
            }
            left -= weight;
        }
    }
    last
}

#[cfg(test)]
mod tests;
