//! The last few values of a kind with their moments, and their mean, which is made when a value comes: many
//! more calls read it.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::{age, millis, pack, unpack};
use crate::Moment;

/// The last few values with their moments.
#[derive(Debug)]
pub(super) struct Ring {
    places: Box<[AtomicU64]>,
    next: AtomicU32,
}

impl Ring {
    pub(super) fn of(length: usize) -> Self {
        let places = (0..length.clamp(1, 1_000)).map(|_| AtomicU64::new(0)).collect();
        Self { places, next: AtomicU32::new(0) }
    }

    /// Keeps a value in the place of the oldest, and their mean. Of values that come at the same moment on two
    /// cores one may be missed by the mean until the next comes.
    pub(super) fn push(&self, value: f32, now: Moment, kept: &Mean) {
        let at = self.next.fetch_add(1, Relaxed) as usize % self.places.len();
        self.places[at].store(pack(value, now), Relaxed);
        let eldest =
            self.words().map(|word| unpack(word).1).max_by(|a, b| age(*a, now).total_cmp(&age(*b, now)));
        if let (Some(mean), Some(at)) = (mean(self.words()), eldest) {
            kept.0.store(pack(mean, Moment(u64::from(at))), Relaxed);
        }
    }

    /// The mean of [`Ring::recent`].
    pub(super) fn recent_mean(&self, ttl: Duration, now: Moment) -> Option<f32> {
        mean(self.words().filter(|word| age(unpack(*word).1, now) <= millis(ttl)))
    }

    /// The values that are not older than `ttl`.
    pub(super) fn recent(&self, ttl: Duration, now: Moment) -> impl Iterator<Item = f32> {
        let ttl = millis(ttl);
        self.words().map(unpack).filter(move |(_, at)| age(*at, now) <= ttl).map(|(value, _)| value)
    }

    fn words(&self) -> impl Iterator<Item = u64> {
        self.places.iter().map(|place| place.load(Relaxed)).filter(|word| *word != 0)
    }
}

fn mean(words: impl Iterator<Item = u64>) -> Option<f32> {
    let (sum, count) = words.fold((0.0, 0.0), |(sum, count), word| (sum + unpack(word).0, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

/// The mean of all values of a ring and the moment of the oldest of them. It lies beside the other figures of its
/// deployment, for strategies that read a thousand of them.
#[derive(Debug, Default)]
pub(super) struct Mean(AtomicU64);

impl Mean {
    /// The mean of the values not older than `ttl`; of the ring itself when some of its values are.
    #[inline]
    pub(super) fn of(&self, ttl: Duration, now: Moment, ring: impl FnOnce() -> Option<f32>) -> Option<f32> {
        let word = self.0.load(Relaxed);
        let (mean, eldest) = unpack(word);
        match word {
            0 => None,
            _ if age(eldest, now) <= millis(ttl) => Some(mean),
            _ => ring(),
        }
    }
}
