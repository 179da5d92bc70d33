//! `maximum_spend_logs_…`: how long rows of the spend log are kept (surface §10, general settings).

use std::time::Duration;

use super::{Context, Section};
use crate::config::raw::GENERAL;
use crate::config::source::Node;
use crate::config::{Cron, LogRetention, Schedule};
use crate::limits::parse_duration_ms;

const PERIOD: &str = "maximum_spend_logs_retention_period";
const INTERVAL: &str = "maximum_spend_logs_retention_interval";
const CRON: &str = "maximum_spend_logs_cleanup_cron";
const RUN_BUDGET: &str = "maximum_spend_logs_cleanup_run_budget";
const BATCH_TIMEOUT: &str = "maximum_spend_logs_cleanup_batch_timeout";
const BATCH_SIZE: &str = "maximum_spend_logs_cleanup_batch_size";
const MAX_BATCHES: &str = "maximum_spend_logs_cleanup_max_batches";

/// How long rows are kept; `None` keeps them for ever.
pub(super) fn resolve(cx: &mut Context<'_>, general: Option<&Node>) -> Option<LogRetention> {
    let mut section = Section::open(cx, "general_settings", general, GENERAL);
    let keep = duration(&mut section, PERIOD);
    let interval = duration(&mut section, INTERVAL).unwrap_or(Duration::from_secs(86_400));
    let schedule = cron(&mut section).map_or(Schedule::Every(interval), Schedule::Cron);
    let run_budget = duration(&mut section, RUN_BUDGET).unwrap_or(Duration::from_secs(300));
    let batch_timeout = duration(&mut section, BATCH_TIMEOUT).unwrap_or(Duration::from_secs(30));
    let batch_rows = at_least_one(&mut section, BATCH_SIZE).unwrap_or(1_000);
    let max_batches = at_least_one(&mut section, MAX_BATCHES).unwrap_or(500);
    Some(LogRetention { keep: keep?, schedule, batch_rows, max_batches, run_budget, batch_timeout })
}

/// A time such as `30d`.
fn duration(section: &mut Section<'_, '_, '_>, key: &str) -> Option<Duration> {
    let text = section.text(key)?;
    let duration = parse_duration_ms(&text).and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
    if duration.is_none() {
        section.error(key, format!("found `{text}`"), "expected a time such as `30d`, `12h` or `90s`");
    }
    duration
}

fn cron(section: &mut Section<'_, '_, '_>) -> Option<Cron> {
    let text = section.text(CRON)?;
    let cron = Cron::parse(&text);
    if cron.is_none() {
        let expected = "expected minute, hour, day, month and day of the week (`mon`, or 0 for Monday), such as `0 4 * * *`";
        section.error(CRON, format!("found `{text}`"), expected);
    }
    cron
}

fn at_least_one(section: &mut Section<'_, '_, '_>, key: &str) -> Option<u64> {
    let count = section.count(key)?;
    if count == 0 {
        section.error(key, "found `0`", "expected a whole number above zero");
    }
    Some(count)
}
