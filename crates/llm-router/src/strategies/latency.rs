//! `latency-based-routing`: one of the quickest, by the mean of their last latencies. LiteLLM surface §7.2.

use fastrand::Rng;
use smallvec::SmallVec;

use super::Pool;
use super::usage::has_room;
use crate::Candidate;

/// One of those whose latency is at most the lowest and a share of it (`lowest_latency_buffer`); who was
/// not asked yet counts as 0.
pub(super) fn pick(pool: Pool<'_>, rng: &mut Rng) -> Option<u32> {
    let open = pool.iter().filter(|(_, one)| has_room(pool, one));
    let timed: SmallVec<[(u32, f64); 16]> = open.map(|(at, one)| (at, latency(pool, one))).collect();
    let lowest = timed.iter().map(|(_, time)| *time).min_by(f64::total_cmp)?;
    let most = lowest * (1.0 + pool.args.latency_buffer);
    let close: SmallVec<[u32; 16]> =
        timed.iter().filter(|(_, time)| *time <= most).map(|(at, _)| *at).collect();
    rng.choice(close)
}

/// Streams are compared by their first byte, where any is known; its mean, or a percentile of it.
fn latency(pool: Pool<'_>, one: &Candidate) -> f64 {
    let list = |first| one.state.latencies(first, pool.args.ttl, pool.now);
    let streamed = pool.ask.stream && list(true).next().is_some();
    match pool.args.first_byte_percentile {
        Some(percentile) if streamed => at_percentile(list(true).collect(), percentile),
        _ => mean(list(streamed)),
    }
}

fn mean(list: impl Iterator<Item = f32>) -> f64 {
    let (sum, count) = list.fold((0.0, 0.0), |(sum, count), time| (sum + f64::from(time), count + 1.0));
    if count == 0.0 { 0.0 } else { sum / count }
}

/// A percentile of a list, between two values in proportion.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "lists hold at most 1000 values, and the place is between the first and the last"
)]
fn at_percentile(mut list: Vec<f32>, percentile: f64) -> f64 {
    list.sort_by(f32::total_cmp);
    let place = (percentile / 100.0).clamp(0.0, 1.0) * (list.len() - 1) as f64;
    let (below, above) = (list[place.floor() as usize], list[place.ceil() as usize]);
    f64::from(below) + f64::from(above - below) * place.fract()
}

#[cfg(test)]
mod tests;
