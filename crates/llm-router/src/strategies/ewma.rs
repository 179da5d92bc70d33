//! `latency`: the better of two deployments drawn at random, by latency, load and failures.
//!
//! Peak-sensitive moving averages follow a deployment that becomes slow within a few calls, calls on
//! their way stand for those that have not answered yet, and drawing two keeps many gateways from
//! running to the same one (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing").

use fastrand::Rng;

use super::Pool;
use crate::Candidate;

/// How much worse than two others the better of the first two must be to be left for them.
const MUCH_WORSE: f32 = 1.5;

/// The better of two; where it is much worse than two others drawn after it, the better of those: with
/// a tenth of the deployments in trouble two draws meet trouble alone too often.
pub(super) fn pick(pool: Pool<'_>, rng: &mut Rng) -> Option<u32> {
    let first = better_of_two(pool, rng)?;
    if pool.open.len() <= 2 {
        return Some(first.0);
    }
    let second = better_of_two(pool, rng)?;
    Some(if first.1 > second.1 * MUCH_WORSE { second.0 } else { first.0 })
}

fn better_of_two(pool: Pool<'_>, rng: &mut Rng) -> Option<(u32, f32)> {
    let candidate = |at: u32| Some((at, score(pool, pool.group.candidates.get(at as usize)?)));
    let draw = rng.usize(..pool.open.len());
    let one = candidate(pool.open[draw])?;
    if pool.open.len() == 1 {
        return Some(one);
    }
    // Any other place but the first draw's, each as likely.
    let other = (draw + 1 + rng.usize(..pool.open.len() - 1)) % pool.open.len();
    let other = candidate(pool.open[other])?;
    Some(if other.1 < one.1 { other } else { one })
}

/// What another call would cost: its latency, times the calls on their way and this one, times the tries
/// a failing deployment makes necessary.
pub(crate) fn score(pool: Pool<'_>, one: &Candidate) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^24 calls are on their way")]
    let load = (one.state.in_flight() + 1) as f32;
    let works = (1.0 - one.state.failing(pool.now)).max(0.01);
    // An unknown deployment is worth a try, yet not all calls at once.
    one.state.latency(pool.ask.stream, pool.now).max(1.0) * load / (works * works)
}

#[cfg(test)]
mod tests;
