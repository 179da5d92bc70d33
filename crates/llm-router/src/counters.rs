//! What is known of each deployment right now: in-flight calls, this minute's outcomes, its rest.
//!
//! Counters belong to a [`DeploymentId`], not to a configuration: a reload finds them again. A
//! candidate holds its counters, so a call looks nothing up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use dashmap::DashMap;
use llm_types::DeploymentId;

use crate::Moment;
use crate::places::Places;

/// The counters of all deployments, kept across reloads.
#[derive(Debug, Default)]
pub struct Counters {
    all: DashMap<DeploymentId, Arc<DeploymentState>>,
}

impl Counters {
    /// No deployment is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The counters of a deployment, made on first sight.
    #[must_use]
    pub fn of(&self, id: &DeploymentId) -> Arc<DeploymentState> {
        if let Some(state) = self.all.get(id) {
            return Arc::clone(&state);
        }
        Arc::clone(&self.all.entry(id.clone()).or_default())
    }

    /// Forgets deployments that no snapshot and no running call holds; says how many. To be called
    /// after a reload.
    pub fn forget_unused(&self) -> usize {
        let before = self.all.len();
        self.all.retain(|_, state| Arc::strong_count(state) > 1);
        before.saturating_sub(self.all.len())
    }
}

/// The counters of one deployment.
#[derive(Debug, Default)]
pub struct DeploymentState {
    places: Places,
    /// Calls that ended in the current minute.
    ended: Minute,
    /// Resting until this moment, in milliseconds; 0 when it never rested.
    rests_until: AtomicU64,
    /// Failures counted against `allowed_fails`.
    fails: Expiring,
}

/// Successes and failures of one minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MinuteCounts {
    /// Calls that succeeded.
    pub successes: u32,
    /// Calls that failed, callers' own mistakes not counted.
    pub failures: u32,
}

impl DeploymentState {
    /// Calls on their way now.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.places.taken()
    }

    /// How the calls of this minute ended.
    #[must_use]
    pub fn this_minute(&self, now: Moment) -> MinuteCounts {
        self.ended.counts(now)
    }

    /// Whether it rests after failing.
    #[must_use]
    pub fn rests(&self, now: Moment) -> bool {
        self.rests_until.load(Relaxed) > now.0
    }

    /// How much longer it rests; zero when it does not.
    #[must_use]
    pub fn rest_left(&self, now: Moment) -> Duration {
        Moment(self.rests_until.load(Relaxed)).since(now)
    }

    /// Rests it for a while from now, never less than it already does.
    pub fn rest(&self, now: Moment, time: Duration) {
        self.rests_until.fetch_max((now + time).0, Relaxed);
    }

    /// Ends its rest.
    pub fn wake(&self) {
        self.rests_until.store(0, Relaxed);
    }

    /// Counts a success.
    pub fn succeeded(&self, now: Moment) {
        self.ended.add_success(now);
    }

    /// Takes a success back whose reply failed later.
    pub(crate) fn take_success_back(&self, now: Moment) {
        self.ended.remove_success(now);
    }

    /// Counts a failure of the deployment's own.
    pub fn failed(&self, now: Moment) {
        self.ended.add_failure(now);
    }

    /// Counts a failure against `allowed_fails` and says how many there are; the count is forgotten
    /// `ttl` after the first.
    pub(crate) fn count_fail(&self, now: Moment, ttl: Duration) -> u32 {
        self.fails.add(now, ttl)
    }

    /// Takes a place, unless `limit` calls are already on their way.
    pub(crate) fn enter(self: &Arc<Self>, limit: Option<u32>) -> Option<InFlight> {
        self.places.enter(limit).then(|| InFlight { state: Arc::clone(self) })
    }

    /// Waits for a place; calls that wait get one in the order they came.
    pub(crate) async fn wait_for_place(self: &Arc<Self>, limit: Option<u32>) -> InFlight {
        self.places.wait(limit).await;
        InFlight { state: Arc::clone(self) }
    }
}

/// A call on its way; dropping it, however the call ends, gives its place back.
#[derive(Debug)]
pub struct InFlight {
    state: Arc<DeploymentState>,
}

impl InFlight {
    /// The counters of the deployment that is called.
    #[must_use]
    pub fn state(&self) -> &Arc<DeploymentState> {
        &self.state
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.state.places.leave();
    }
}

const COUNT_BITS: u32 = 24;
const COUNT_MAX: u64 = (1 << COUNT_BITS) - 1;

/// Two counts and the minute they belong to, in one word: 16 bits of minute, 24 of each count. One
/// atomic operation reads or adds, and no reader sees half a minute's change.
#[derive(Debug, Default)]
struct Minute(AtomicU64);

impl Minute {
    const SUCCESS: u64 = 1;
    const FAILURE: u64 = 1 << COUNT_BITS;

    fn add_success(&self, now: Moment) {
        self.add(now, Self::SUCCESS);
    }

    fn add_failure(&self, now: Moment) {
        self.add(now, Self::FAILURE);
    }

    fn add(&self, now: Moment, one: u64) {
        let stamp = Self::stamp(now);
        let mut seen = self.0.load(Relaxed);
        loop {
            let next = if seen >> (2 * COUNT_BITS) == stamp {
                if (seen / one) & COUNT_MAX == COUNT_MAX { return } else { seen + one }
            } else {
                (stamp << (2 * COUNT_BITS)) | one
            };
            match self.0.compare_exchange_weak(seen, next, Relaxed, Relaxed) {
                Ok(_) => return,
                Err(other) => seen = other,
            }
        }
    }

    fn remove_success(&self, now: Moment) {
        let stamp = Self::stamp(now);
        let less = |seen: u64| {
            let counted = seen >> (2 * COUNT_BITS) == stamp && seen & COUNT_MAX > 0;
            counted.then(|| seen - Self::SUCCESS)
        };
        // A success of an earlier minute is forgotten anyway.
        let _ = self.0.fetch_update(Relaxed, Relaxed, less);
    }

    fn counts(&self, now: Moment) -> MinuteCounts {
        let seen = self.0.load(Relaxed);
        if seen >> (2 * COUNT_BITS) != Self::stamp(now) {
            return MinuteCounts::default();
        }
        let count = |shift: u32| u32::try_from((seen >> shift) & COUNT_MAX).unwrap_or(u32::MAX);
        MinuteCounts { successes: count(0), failures: count(COUNT_BITS) }
    }

    /// The minute modulo 2^16 (45 days), never 0 so that an untouched word is no minute.
    const fn stamp(now: Moment) -> u64 {
        now.minute() % 0xffff + 1
    }
}

/// A count that starts over some time after its first one: 40 bits of start, 24 of count.
#[derive(Debug, Default)]
struct Expiring(AtomicU64);

impl Expiring {
    fn add(&self, now: Moment, ttl: Duration) -> u32 {
        let fresh = ((now.0 + 1) << COUNT_BITS) | 1;
        let mut seen = self.0.load(Relaxed);
        loop {
            let start = Moment((seen >> COUNT_BITS).saturating_sub(1));
            let next = if seen == 0 || now.since(start) >= ttl {
                fresh
            } else {
                seen + u64::from(seen & COUNT_MAX != COUNT_MAX)
            };
            match self.0.compare_exchange_weak(seen, next, Relaxed, Relaxed) {
                Ok(_) => return u32::try_from(next & COUNT_MAX).unwrap_or(u32::MAX),
                Err(other) => seen = other,
            }
        }
    }
}

#[cfg(test)]
mod tests;
