//! What is known of each deployment right now: in-flight calls, this minute's outcomes, its rest.
//!
//! Counters belong to a [`DeploymentId`], not to a configuration: a reload finds them again. A
//! candidate holds its counters, so a call looks nothing up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use dashmap::DashMap;
use llm_types::DeploymentId;

use crate::Moment;
use crate::affinity::{Affinity, Bond};
use crate::fairness::Tenant;
use crate::hedge::Budget;
use crate::measure::Measures;
use crate::outlier::Ejections;
use crate::places::Places;
use crate::rates::Held;

/// The counters of all deployments, kept across reloads.
#[derive(Debug, Default)]
pub struct Counters {
    all: DashMap<DeploymentId, Arc<DeploymentState>>,
    affinity: Arc<Affinity>,
    hedges: Arc<Budget>,
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

    /// Where callers have been before.
    pub(crate) fn affinity(&self) -> &Arc<Affinity> {
        &self.affinity
    }

    /// How long a bond still leads to a deployment, if it does.
    #[must_use]
    pub fn warm_for(&self, bond: &Bond, id: &str, now: Moment) -> Option<Duration> {
        self.affinity.lasts(bond, id, now)
    }

    /// How many second tries there may be.
    pub(crate) fn hedges(&self) -> &Arc<Budget> {
        &self.hedges
    }

    /// Every deployment that is known, with its counters.
    pub fn for_each(&self, mut see: impl FnMut(&DeploymentId, &Arc<DeploymentState>)) {
        self.all.iter().for_each(|entry| see(entry.key(), entry.value()));
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
    /// Why it rests, as [`Cause`] counts.
    cause: AtomicU8,
    /// Failures counted against `allowed_fails`.
    fails: Expiring,
    /// Known to be ill by a probe until this moment, in milliseconds; 0 when it is not.
    ill_until: AtomicU64,
    /// How often it was put out of its group, and until when.
    pub(crate) ejections: Ejections,
    pub(crate) measures: Measures,
}

/// Why a deployment rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It failed itself.
    Itself,
    /// Its key was refused, at whichever deployment.
    Credential,
    /// Its provider's address fails everywhere.
    Outage,
    /// Another gateway says so.
    Shared,
    /// It fails more often, or is slower, than the others of its group.
    Outlier,
}

impl Cause {
    const ALL: [Self; 5] = [Self::Itself, Self::Credential, Self::Outage, Self::Shared, Self::Outlier];

    /// The cause in a word, for people and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Itself => "itself",
            Self::Credential => "credential",
            Self::Outage => "outage",
            Self::Shared => "shared",
            Self::Outlier => "outlier",
        }
    }
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
        self.rest_for(now, time, Cause::Itself);
    }

    /// The same, saying why.
    pub fn rest_for(&self, now: Moment, time: Duration, cause: Cause) {
        let until = (now + time).0;
        if self.rests_until.fetch_max(until, Relaxed) < until {
            self.cause.store(cause as u8, Relaxed);
        }
    }

    /// Why it rests, or rested last.
    #[must_use]
    pub fn cause(&self) -> Cause {
        Cause::ALL[usize::from(self.cause.load(Relaxed)) % Cause::ALL.len()]
    }

    /// When its rest ends or ended; 0 when it did not rest since it last answered.
    #[must_use]
    pub fn rests_until(&self) -> Moment {
        Moment(self.rests_until.load(Relaxed))
    }

    /// Ends its rest.
    pub fn wake(&self) {
        self.rests_until.store(0, Relaxed);
    }

    /// Whether its rest is over but it has not answered since: one call at a time tries it.
    #[must_use]
    pub fn is_on_trial(&self, now: Moment) -> bool {
        let until = self.rests_until.load(Relaxed);
        until != 0 && until <= now.0
    }

    /// A probe found it ill: it counts as that for `time`.
    pub fn probed_ill(&self, now: Moment, time: Duration) {
        self.ill_until.store((now + time).0, Relaxed);
    }

    /// A probe found it well.
    pub fn probed_well(&self) {
        self.ill_until.store(0, Relaxed);
    }

    /// Whether the last probe found it ill, not too long ago.
    #[must_use]
    pub fn is_ill(&self, now: Moment) -> bool {
        self.ill_until.load(Relaxed) > now.0
    }

    /// Counts a success; a trial is over with it.
    pub fn succeeded(&self, now: Moment) {
        self.ended.add_success(now);
        self.measures.outcome(false, now);
        if self.is_on_trial(now) {
            self.wake();
        }
    }

    /// Takes a success back whose reply failed later.
    pub(crate) fn take_success_back(&self, now: Moment) {
        self.ended.remove_success(now);
    }

    /// Counts a failure of the deployment's own.
    pub fn failed(&self, now: Moment) {
        self.ended.add_failure(now);
        self.measures.outcome(true, now);
    }

    /// Calls begun this minute, here and at other gateways.
    #[must_use]
    pub fn requests_this_minute(&self, now: Moment) -> u64 {
        self.measures.requests.this_minute(now)
    }

    /// Calls begun and tokens used this minute at other gateways, as far as they told.
    #[must_use]
    pub fn elsewhere_this_minute(&self, now: Moment) -> (u64, u64) {
        (self.measures.requests.others(now), self.measures.tokens.others(now))
    }

    /// Tokens used this minute, here and at other gateways.
    #[must_use]
    pub fn tokens_this_minute(&self, now: Moment) -> u64 {
        self.measures.tokens.this_minute(now)
    }

    /// Input and output tokens used and set aside this minute, here and at other gateways; counted where they
    /// are limited.
    #[must_use]
    pub fn split_tokens_this_minute(&self, now: Moment) -> [u64; 2] {
        [self.measures.input.this_minute(now), self.measures.output.this_minute(now)]
    }

    /// Keeps lists of this many latencies from now on.
    pub(crate) fn keep_latencies(&self, length: usize) {
        self.measures.keep_lists(length);
    }

    /// The share of calls that failed lately, from 0 to 1.
    #[must_use]
    pub fn failing(&self, now: Moment) -> f32 {
        self.measures.failing(now)
    }

    /// How long a call takes lately, milliseconds; 0 when unknown.
    #[must_use]
    pub fn latency(&self, stream: bool, now: Moment) -> f32 {
        self.measures.latency(stream, now)
    }

    /// The kept latencies that are not older than `ttl`, seconds: to the first byte, or per token.
    pub(crate) fn latencies(&self, first: bool, ttl: Duration, now: Moment) -> impl Iterator<Item = f32> {
        self.measures.list(first, ttl, now)
    }

    /// The mean of [`Counters::latencies`]; `None` where there are none.
    pub(crate) fn mean_latency(&self, first: bool, ttl: Duration, now: Moment) -> Option<f32> {
        self.measures.mean(first, ttl, now)
    }

    /// Counts a failure against `allowed_fails` and says how many there are; the count is forgotten
    /// `ttl` after the first.
    pub(crate) fn count_fail(&self, now: Moment, ttl: Duration) -> u32 {
        self.fails.add(now, ttl)
    }

    /// Takes a place, unless `limit` calls are already on their way.
    pub(crate) fn enter(self: &Arc<Self>, limit: Option<u32>) -> Option<InFlight> {
        self.places.enter(limit).then(|| InFlight { state: Arc::clone(self), held: None })
    }

    /// Waits for a place; calls that wait get one by their priority, then by their tenants' turns, then in the order
    /// they came.
    pub(crate) async fn wait_for_place(
        self: &Arc<Self>,
        limit: Option<u32>,
        priority: i64,
        tenant: Option<Tenant>,
    ) -> InFlight {
        self.places.wait(limit, priority, tenant).await;
        InFlight { state: Arc::clone(self), held: None }
    }
}

/// A call on its way; dropping it, however the call ends, gives its place back.
#[derive(Debug)]
pub struct InFlight {
    state: Arc<DeploymentState>,
    /// Tokens that are set aside for it where those are limited; what is not replaced stays counted.
    held: Option<Held>,
}

impl InFlight {
    /// The counters of the deployment that is called.
    #[must_use]
    pub fn state(&self) -> &Arc<DeploymentState> {
        &self.state
    }

    pub(crate) fn hold(&mut self, held: Option<Held>) {
        self.held = held;
    }

    /// The call was refused: it used no tokens.
    pub(crate) fn give_back(&mut self) {
        if let Some(held) = self.held.take() {
            held.give_back(&self.state);
        }
    }

    /// The call used so many tokens.
    pub(crate) fn used(&mut self, input: u64, output: u64, now: Moment) {
        if let Some(held) = self.held.take() {
            held.replace(&self.state, input, output, now);
        }
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
