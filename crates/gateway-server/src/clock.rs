//! The router's clock on tokio's timers.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use llm_router::{Clock, Moment};
use llm_types::BoxFuture;

/// A clock whose minutes begin with those of UTC, as limits of a minute are counted, here and at other
/// gateways. It starts in its second minute, so that no moment of a running gateway is zero.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokioClock {
    started: Instant,
    at: u64,
}

impl TokioClock {
    /// A clock; all cores share copies of one.
    pub(crate) fn start() -> Self {
        let into_minute = u64::try_from(now_ms().rem_euclid(60_000)).unwrap_or(0);
        Self { started: Instant::now(), at: 60_000 + into_minute }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Moment {
        Moment(self.at + u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX / 2))
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(wait))
    }
}

/// A time as clients write it: RFC 3339, or a date, or a date and a time in UTC. Unix milliseconds.
pub(crate) fn time_of(text: &str) -> Option<i64> {
    let text = text.trim();
    let utc = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    let at = text.parse::<jiff::Timestamp>().ok().or_else(|| utc().map(|zoned| zoned.timestamp()))?;
    Some(at.as_millisecond())
}

/// Unix time in milliseconds.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
