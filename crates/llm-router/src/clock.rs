//! Time, passed in: what moment it is and how to wait.

use std::fmt;
use std::ops::Add;
use std::time::Duration;

use llm_types::BoxFuture;

/// A moment: milliseconds on a clock that never goes back. Only differences have a meaning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub u64);

impl Moment {
    /// How long ago `earlier` was; zero when it is still to come.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The minute this moment lies in.
    #[must_use]
    pub const fn minute(self) -> u64 {
        self.0 / 60_000
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// Tells the time and waits. The same clock must serve all snapshots that share counters.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The moment it is.
    fn now(&self) -> Moment;

    /// Waits.
    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()>;
}
