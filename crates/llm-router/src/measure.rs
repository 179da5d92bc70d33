//! What is measured of a deployment: requests and tokens of this minute, how long answers take, how
//! often they fail. Every reading and every note is an atomic operation or two.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::Moment;

mod ring;

use ring::{Mean, Ring};

/// How fast old latencies are forgotten: after this time a figure counts for 1/e of itself.
const LATENCY_MEMORY: f32 = 10_000.0;
/// The same for failures, milliseconds.
const FAILURE_MEMORY: f32 = 5_000.0;
/// What a timeout adds to the list of latencies, seconds. LiteLLM surface §7.2.
const TIMEOUT_SAMPLE: f32 = 1_000.0;

/// The figures of one deployment.
#[derive(Debug, Default)]
pub(crate) struct Measures {
    pub(crate) requests: Tally,
    pub(crate) tokens: Tally,
    /// Input and output tokens, used and set aside, where these are limited.
    pub(crate) input: Tally,
    pub(crate) output: Tally,
    /// To the first byte of streams, milliseconds.
    pub(crate) first: Average,
    /// To the end of whole answers, milliseconds.
    pub(crate) whole: Average,
    failures: Average,
    /// Of [`Lists::latency`] and [`Lists::first`].
    means: [Mean; 2],
    /// Calls whose answer has not begun.
    waiting: AtomicU32,
    /// When it was last heard of, or first asked after nobody waited: milliseconds.
    heard: AtomicU64,
    lists: OnceLock<Box<Lists>>,
}

/// The latest latencies, kept where a strategy reads them.
#[derive(Debug)]
struct Lists {
    /// Seconds per token of the answer, or seconds.
    latency: Ring,
    /// Seconds to the first byte.
    first: Ring,
}

impl Measures {
    /// What gateways tell each other of a minute, in the order of [`crate::shared::Counts`].
    pub(crate) const fn tallies(&self) -> [&Tally; 4] {
        [&self.requests, &self.tokens, &self.input, &self.output]
    }

    /// Keeps lists of this many latencies from now on; the first length stays.
    pub(crate) fn keep_lists(&self, length: usize) {
        self.lists.get_or_init(|| Box::new(Lists { latency: Ring::of(length), first: Ring::of(length) }));
    }

    /// A call that was counted is sent; it waits until what this gives is dropped.
    pub(crate) fn wait(&self, now: Moment) -> Waiting<'_> {
        if self.waiting.fetch_add(1, Relaxed) == 0 {
            self.heard.store(now.0, Relaxed);
        }
        Waiting(self)
    }

    /// How long calls have waited without any of them hearing of it, milliseconds.
    fn silence(&self, now: Moment) -> f32 {
        if self.waiting.load(Relaxed) == 0 {
            return 0.0;
        }
        millis(now.since(Moment(self.heard.load(Relaxed))))
    }

    /// A stream's first byte has come.
    pub(crate) fn began(&self, after: Duration, now: Moment) {
        self.first.peak(millis(after), LATENCY_MEMORY, now);
        self.list_one(true, after.as_secs_f32(), now);
    }

    /// A whole answer has come.
    pub(crate) fn answered(&self, after: Duration, now: Moment) {
        self.whole.peak(millis(after), LATENCY_MEMORY, now);
    }

    /// An answer of so many tokens is over.
    pub(crate) fn ended(&self, after: Duration, output_tokens: u64, now: Moment) {
        #[expect(clippy::cast_precision_loss, reason = "answers are far below 2^24 tokens")]
        let tokens = output_tokens.max(1) as f32;
        self.list_one(false, after.as_secs_f32() / tokens, now);
    }

    /// Counts how a call ended, for the share of failures.
    pub(crate) fn outcome(&self, failed: bool, now: Moment) {
        self.heard.store(now.0, Relaxed);
        // While nothing failed lately there is nothing to average.
        if failed || self.failures.is_known() {
            self.failures.smooth(if failed { 1.0 } else { 0.0 }, FAILURE_MEMORY, now);
        }
    }

    /// No answer came in time.
    pub(crate) fn timed_out(&self, now: Moment) {
        self.list_one(false, TIMEOUT_SAMPLE, now);
        self.list_one(true, TIMEOUT_SAMPLE, now);
    }

    /// The share of calls that failed lately, from 0 to 1.
    pub(crate) fn failing(&self, now: Moment) -> f32 {
        if self.failures.is_known() { self.failures.faded(FAILURE_MEMORY, now).min(1.0) } else { 0.0 }
    }

    /// How long a call takes lately, milliseconds: of its kind, else of the other, and not less than the
    /// calls on their way have waited in vain; 0 when unknown.
    pub(crate) fn latency(&self, stream: bool, now: Moment) -> f32 {
        let (own, other) = if stream { (&self.first, &self.whole) } else { (&self.whole, &self.first) };
        let known = if own.is_known() { own } else { other };
        known.faded(LATENCY_MEMORY, now).max(self.silence(now))
    }

    /// The kept latencies that are not older than `ttl`: to the first byte, or per token.
    pub(crate) fn list(&self, first: bool, ttl: Duration, now: Moment) -> impl Iterator<Item = f32> {
        self.ring(first).into_iter().flat_map(move |ring| ring.recent(ttl, now))
    }

    /// The mean of [`Measures::list`]; `None` where the list is empty.
    pub(crate) fn mean(&self, first: bool, ttl: Duration, now: Moment) -> Option<f32> {
        let recent = || self.ring(first)?.recent_mean(ttl, now);
        self.means[usize::from(first)].of(ttl, now, recent)
    }

    fn list_one(&self, first: bool, value: f32, now: Moment) {
        if let Some(ring) = self.ring(first) {
            ring.push(value, now, &self.means[usize::from(first)]);
        }
    }

    fn ring(&self, first: bool) -> Option<&Ring> {
        self.lists.get().map(|lists| if first { &lists.first } else { &lists.latency })
    }
}

/// A call whose answer has not begun.
#[derive(Debug)]
pub(crate) struct Waiting<'a>(&'a Measures);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Relaxed);
    }
}

fn millis(time: Duration) -> f32 {
    time.as_secs_f32() * 1_000.0
}

/// A count of one minute, and what other gateways counted in it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    own: MinuteCount,
    others: MinuteCount,
}

impl Tally {
    pub(crate) fn add(&self, count: u64, now: Moment) {
        self.own.add(count, now);
    }

    /// Counts so many, unless more than `limit` would be counted then.
    pub(crate) fn take(&self, count: u64, limit: u64, now: Moment) -> bool {
        self.own.take(count, limit.saturating_sub(self.others.get(now)), now)
    }

    /// Takes back what was counted at a moment, if its minute is not over.
    pub(crate) fn take_back(&self, count: u64, at: Moment) {
        self.own.take_back(count, at);
    }

    /// What was counted this minute, here and elsewhere.
    pub(crate) fn this_minute(&self, now: Moment) -> u64 {
        self.own.get(now).saturating_add(self.others.get(now))
    }

    /// What was counted this minute here.
    pub(crate) fn own(&self, now: Moment) -> u64 {
        self.own.get(now)
    }

    /// What was counted this minute elsewhere.
    pub(crate) fn others(&self, now: Moment) -> u64 {
        self.others.get(now)
    }

    /// Takes over what others have counted this minute.
    pub(crate) fn set_others(&self, count: u64, now: Moment) {
        self.others.set(count, now);
    }
}

const COUNT_BITS: u32 = 48;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;

/// A count and the minute it belongs to, in one word: 16 bits of minute, 48 of count.
#[derive(Debug, Default)]
struct MinuteCount(AtomicU64);

impl MinuteCount {
    fn add(&self, count: u64, now: Moment) {
        let fresh = stamp(now) << COUNT_BITS;
        let next = |seen: u64| {
            let before = if seen & !COUNT_MASK == fresh { seen & COUNT_MASK } else { 0 };
            Some(fresh | before.saturating_add(count).min(COUNT_MASK))
        };
        // The closure always gives a value.
        let _ = self.0.fetch_update(Relaxed, Relaxed, next);
    }

    fn take(&self, count: u64, limit: u64, now: Moment) -> bool {
        let fresh = stamp(now) << COUNT_BITS;
        let next = |seen: u64| {
            let before = if seen & !COUNT_MASK == fresh { seen & COUNT_MASK } else { 0 };
            let after = before.saturating_add(count);
            (after <= limit.min(COUNT_MASK)).then_some(fresh | after)
        };
        self.0.fetch_update(Relaxed, Relaxed, next).is_ok()
    }

    fn take_back(&self, count: u64, at: Moment) {
        let fresh = stamp(at) << COUNT_BITS;
        let next = |seen: u64| {
            (seen & !COUNT_MASK == fresh).then(|| fresh | (seen & COUNT_MASK).saturating_sub(count))
        };
        // A minute that is over is forgotten anyway.
        let _ = self.0.fetch_update(Relaxed, Relaxed, next);
    }

    fn set(&self, count: u64, now: Moment) {
        self.0.store(stamp(now) << COUNT_BITS | count.min(COUNT_MASK), Relaxed);
    }

    fn get(&self, now: Moment) -> u64 {
        let seen = self.0.load(Relaxed);
        if seen >> COUNT_BITS == stamp(now) { seen & COUNT_MASK } else { 0 }
    }
}

/// The minute modulo 2^16, never 0 so that an untouched word is no minute.
const fn stamp(now: Moment) -> u64 {
    now.minute() % 0xffff + 1
}

/// An average that forgets: 32 bits of value, 32 of the moment it was noted.
#[derive(Debug, Default)]
pub(crate) struct Average(AtomicU64);

impl Average {
    /// Whether anything was noted.
    pub(crate) fn is_known(&self) -> bool {
        self.0.load(Relaxed) != 0
    }

    /// The average as it was noted last; 0 when nothing was.
    pub(crate) fn value(&self) -> f32 {
        unpack(self.0.load(Relaxed)).0
    }

    /// Takes a value of another gateway where nothing is known; 0 is none.
    pub(crate) fn hear(&self, value: f32, now: Moment) {
        if value > 0.0 && !self.is_known() {
            self.0.store(pack(value, now), Relaxed);
        }
    }

    /// Notes a value; one above the average takes half of the way there at once (peak-sensitive), one
    /// below it the slow way.
    fn peak(&self, value: f32, memory: f32, now: Moment) {
        self.note(
            now,
            |old, age| {
                let keep = (-age / memory).exp();
                let share = if value > old { 0.5 } else { (1.0 - keep).max(0.1) };
                old + (value - old) * share
            },
            value,
        );
    }

    fn smooth(&self, value: f32, memory: f32, now: Moment) {
        self.note(
            now,
            |old, age| {
                let share = (1.0 - (-age / memory).exp()).max(0.2);
                old + (value - old) * share
            },
            value * 0.5,
        );
    }

    fn note(&self, now: Moment, next: impl Fn(f32, f32) -> f32, first: f32) {
        let update = |seen: u64| {
            let (old, at) = unpack(seen);
            let value = if seen == 0 { first } else { next(old, age(at, now)) };
            Some(pack(value, now))
        };
        // The closure always gives a value.
        let _ = self.0.fetch_update(Relaxed, Relaxed, update);
    }

    /// The average, less of it the longer nothing was noted: who is not asked is forgiven.
    pub(crate) fn faded(&self, memory: f32, now: Moment) -> f32 {
        let (value, at) = unpack(self.0.load(Relaxed));
        let age = age(at, now);
        if age <= memory * 0.5 { value } else { value * ((memory * 0.5 - age) / memory).exp() }
    }
}

fn pack(value: f32, now: Moment) -> u64 {
    // The lowest bit tells a noted zero from nothing.
    u64::from(value.to_bits()) << 32 | (now.0 & 0xffff_ffff) | 1
}

#[expect(clippy::cast_possible_truncation, reason = "the two halves of a word")]
fn unpack(word: u64) -> (f32, u32) {
    (f32::from_bits((word >> 32) as u32), word as u32)
}

/// Milliseconds from a stamp to now, on a clock of 49 days.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "wraps as the stamp does")]
fn age(at: u32, now: Moment) -> f32 {
    let passed = (now.0 as u32).wrapping_sub(at);
    // A stamp of another core's clock may be a moment ahead.
    if passed > u32::MAX / 2 { 0.0 } else { passed as f32 }
}

#[cfg(test)]
mod tests;
