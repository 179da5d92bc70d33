//! A second try beside one that is slow to begin, within a budget.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::{Candidate, Hedging, Moment};

/// Latencies of a deployment from which a percentile means something.
const ENOUGH: usize = 20;
/// Latencies kept of a deployment for it.
pub(crate) const KEPT: usize = 100;
/// How old a latency may be.
const OLDEST: Duration = Duration::from_secs(3_600);
/// One second try, in the units of the budget.
const ONE: u64 = 1_000_000;
/// Second tries that may be saved up.
const MOST: u64 = 10 * ONE;

/// How many second tries there may be: each call adds a share of one, each second try takes one.
#[derive(Debug, Default)]
pub(crate) struct Budget(AtomicU64);

impl Budget {
    /// A call is made.
    pub(crate) fn earn(&self, hedging: &Hedging) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of one million")]
        let share = (hedging.budget.clamp(0.0, 1.0) * 1_000_000.0) as u64;
        let more = |saved: u64| Some((saved + share).min(MOST));
        // The closure always gives a value.
        let _ = self.0.fetch_update(Relaxed, Relaxed, more);
    }

    /// Takes a second try, if there is one left.
    pub(crate) fn take(&self) -> bool {
        self.0.fetch_update(Relaxed, Relaxed, |saved| saved.checked_sub(ONE)).is_ok()
    }
}

/// How long a stream of a deployment may take to begin before it is asked of another one too.
pub(crate) fn after(hedging: &Hedging, candidate: &Candidate, now: Moment) -> Option<Duration> {
    let mut list: Vec<f32> = candidate.state.latencies(true, OLDEST, now).collect();
    if list.len() < ENOUGH {
        return None;
    }
    list.sort_by(f32::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in a list of at most a hundred"
    )]
    let place = ((hedging.percentile / 100.0).clamp(0.0, 1.0) * (list.len() - 1) as f64) as usize;
    Duration::try_from_secs_f32(list[place]).ok()
}

#[cfg(test)]
mod tests;
