//! `latency-based-routing`: one of the quickest, by the mean of their last latencies. LiteLLM surface §7.2.

use fastrand::Rng;
use smallvec::SmallVec;

use super::Pool;
use super::usage::has_room;
use crate::Candidate;

/// One of those whose latency is at most the lowest and a share of it (`lowest_latency_buffer`); who was
/// not asked yet counts as 0.
pub(super) fn pick(pool: Pool<'_>, rng: &mut Rng) -> Option<u32> {
    let buffer = 1.0 + pool.args.latency_buffer;
    let mut close: SmallVec<[(u32, f32); 16]> = SmallVec::with_capacity(pool.open.len());
    let (mut lowest, mut most) = (f32::INFINITY, f64::INFINITY);
    for (at, one) in pool.iter() {
        let time = latency(pool, one);
        if f64::from(time) > most || !has_room(pool, one) {
            continue;
        }
        if time < lowest {
            (lowest, most) = (time, f64::from(time) * buffer);
        }
        close.push((at, time));
    }
    close.retain(|(_, time)| f64::from(*time) <= most);
    rng.choice(close).map(|(at, _)| at)
}

/// Streams are compared by their first byte, where any is known; its mean, or a percentile of it.
fn latency(pool: Pool<'_>, one: &Candidate) -> f32 {
    let (ttl, now) = (pool.args.ttl, pool.now);
    let mean = |first| one.state.mean_latency(first, ttl, now);
    let first_byte = if pool.ask.stream { mean(true) } else { None };
    match (first_byte, pool.args.first_byte_percentile) {
        (Some(_), Some(percentile)) => {
            at_percentile(one.state.latencies(true, ttl, now).collect(), percentile)
        }
        (Some(mean), None) => mean,
        (None, _) => mean(false).unwrap_or_default(),
    }
}

/// A percentile of a list, between two values in proportion.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "lists hold at most 1000 values, and the place is between the first and the last"
)]
fn at_percentile(mut list: Vec<f32>, percentile: f64) -> f32 {
    list.sort_by(f32::total_cmp);
    let place = (percentile / 100.0).clamp(0.0, 1.0) * (list.len() - 1) as f64;
    let (below, above) = (list[place.floor() as usize], list[place.ceil() as usize]);
    below + (above - below) * place.fract() as f32
}

#[cfg(test)]
mod tests;
