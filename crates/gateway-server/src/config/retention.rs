//! What the configuration says of how long rows of the spend log are kept.

mod cron;

use std::time::Duration;

use jiff::tz::TimeZone;

pub use cron::Cron;

/// How long rows of the spend log are kept, and how they go (`maximum_spend_logs_…`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRetention {
    /// Rows that are older go (`…_retention_period`).
    pub keep: Duration,
    /// When they go.
    pub schedule: Schedule,
    /// Rows deleted in one transaction (`…_cleanup_batch_size`).
    pub batch_rows: u64,
    /// Transactions of one run (`…_cleanup_max_batches`).
    pub max_batches: u64,
    /// How long one run may take (`…_cleanup_run_budget`).
    pub run_budget: Duration,
    /// How long one transaction may take (`…_cleanup_batch_timeout`).
    pub batch_timeout: Duration,
}

/// When old rows go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// So long after the last time (`maximum_spend_logs_retention_interval`).
    Every(Duration),
    /// At times of a calendar (`maximum_spend_logs_cleanup_cron`).
    Cron(Cron),
}

impl Schedule {
    /// When the run after the one at `last` is due, in Unix milliseconds; `None` where there is never one.
    pub(crate) fn next(&self, last: i64, zone: &TimeZone) -> Option<i64> {
        match self {
            Self::Every(interval) => last.checked_add(i64::try_from(interval.as_millis()).ok()?),
            Self::Cron(cron) => cron.next(last, zone),
        }
    }

    /// What counts as the last run where there was none: an interval is due at once, a calendar at its next time.
    pub(crate) const fn first(&self, now: i64) -> i64 {
        match self {
            Self::Every(_) => 0,
            Self::Cron(_) => now,
        }
    }
}
