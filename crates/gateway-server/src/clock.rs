//! The time. Everything that needs it asks here, so that a machine whose clock is set does no harm.
//!
//! There are two times. *Steady* time only goes forward, as fast as a second hand: windows of rates and leases
//! are measured in it. *Believed* time is what the machine's clock says, unless that has just jumped: budgets'
//! periods, expiries and rows go by it. A clock that jumped is believed when it has stayed where it is for a
//! while, so that one that is wrong for a moment ends no period.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{LazyLock, PoisonError};
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

/// When this process first asked for the time: by the steady clock, and what the machine's clock said.
static BEGUN: LazyLock<(Instant, i64)> = LazyLock::new(|| (Instant::now(), machine_ms()));
/// How much the believed time is ahead of the steady one.
static AHEAD: AtomicI64 = AtomicI64::new(0);
/// How often a jump of the machine's clock was believed.
static JUMPS: AtomicU64 = AtomicU64::new(0);
static BELIEF: std::sync::Mutex<Belief> = std::sync::Mutex::new(Belief { ahead: 0, jumped: None });

/// Believed Unix time in milliseconds.
pub(crate) fn now_ms() -> i64 {
    wall_of(steady_ms())
}

/// Milliseconds that only grow, as fast as time goes by. At the start they are Unix time.
pub(crate) fn steady_ms() -> i64 {
    let (at, machine) = &*BEGUN;
    machine + i64::try_from(at.elapsed().as_millis()).unwrap_or(i64::MAX / 2)
}

/// A moment of steady time as believed Unix time.
pub(crate) fn wall_of(steady_ms: i64) -> i64 {
    steady_ms.saturating_add(AHEAD.load(Relaxed))
}

/// How often a jump of the machine's clock was believed since the start.
pub(crate) fn jumps() -> u64 {
    JUMPS.load(Relaxed)
}

/// Looks at the machine's clock, now and then.
pub(crate) fn look() {
    let mut belief = BELIEF.lock().unwrap_or_else(PoisonError::into_inner);
    let jump = belief.look(steady_ms(), machine_ms());
    AHEAD.store(belief.ahead, Relaxed);
    if let Some(jump_ms) = jump {
        JUMPS.fetch_add(1, Relaxed);
        tracing::warn!(jump_ms, "the machine's clock was set: periods and expiries go by it from now on");
    }
}

fn machine_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Less is not a jump: clocks are kept right by small steps.
const STEP_MS: i64 = 1_000;
/// How long a clock stays where it jumped to before it is believed.
const BELIEVED_AFTER_MS: i64 = 30_000;

/// What is believed of the machine's clock.
#[derive(Debug, Default)]
struct Belief {
    /// How much it is ahead of the steady time.
    ahead: i64,
    /// Since when it has been elsewhere, in steady time, and how much it is ahead there.
    jumped: Option<(i64, i64)>,
}

impl Belief {
    /// Takes note of what the machine's clock says; gives a jump that is believed now.
    fn look(&mut self, steady_ms: i64, machine_ms: i64) -> Option<i64> {
        let ahead = machine_ms.saturating_sub(steady_ms);
        let jump = ahead.saturating_sub(self.ahead);
        if jump.abs() <= STEP_MS {
            (self.ahead, self.jumped) = (ahead, None);
            return None;
        }
        match self.jumped {
            Some((since, there)) if (ahead - there).abs() <= STEP_MS => {
                if steady_ms - since < BELIEVED_AFTER_MS {
                    return None;
                }
                (self.ahead, self.jumped) = (ahead, None);
                Some(jump)
            }
            _ => {
                self.jumped = Some((steady_ms, ahead));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
