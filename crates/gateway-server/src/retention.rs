//! The spend log by time: ranges of PostgreSQL are made ahead, and what is too old goes when it is due. One gateway
//! does it at a time, and one of them each run.

use std::sync::Arc;
use std::time::Duration;

use gateway_db::{CleanUp, Cleaned, Db, DbError};
use jiff::tz::TimeZone;

use crate::clock::now_ms;
use crate::config::LogRetention;
use crate::state::Shared;
use crate::store::Condition;

/// How often it is looked at what is due. A run that was cut short by its own limits goes on after this time.
const EVERY: Duration = Duration::from_secs(60);
/// Up to this retention ranges are days; beyond it they are months.
const DAILY_UP_TO: Duration = Duration::from_secs(92 * 86_400);

/// Looks after the spend log for as long as the gateway runs.
pub(crate) async fn run(shared: Arc<Shared>) {
    let Some(db) = shared.directory.db().cloned() else { return };
    let (mut failing, mut unfinished) = (false, false);
    loop {
        if shared.store.condition() != Condition::Silent {
            let tended = tend(&shared, &db, unfinished).await;
            if let Err(error) = &tended
                && !failing
            {
                tracing::warn!(%error, "the spend log is looked after when the database allows it again");
            }
            failing = tended.is_err();
            unfinished = tended.unwrap_or(unfinished);
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shared.drain.begun() => return,
        }
    }
}

/// Makes ranges and removes what is due; true where a run was begun here and is not finished.
async fn tend(shared: &Shared, db: &Db, unfinished: bool) -> Result<bool, DbError> {
    let snapshot = shared.snapshot();
    let retention = snapshot.config.general.log_retention.as_ref();
    let now = now_ms();
    let daily = retention.is_some_and(|retention| retention.keep <= DAILY_UP_TO);
    let made = db.make_spend_partitions(now, daily).await?;
    if !made.is_empty() {
        tracing::info!(partitions = ?made, "the spend log has new partitions");
    }
    let Some(retention) = retention else { return Ok(false) };
    if !unfinished && !is_due(db, retention, &snapshot.calendar.zone, now).await? {
        return Ok(false);
    }
    let Cleaned { partitions, rows, finished } = db.clean_spend_log(&clean_up(retention, now)).await?;
    if rows > 0 || !partitions.is_empty() {
        tracing::info!(?partitions, rows, finished, "old rows of the spend log are removed");
    }
    Ok(!finished)
}

/// Whether a run is due, and this gateway's.
async fn is_due(db: &Db, retention: &LogRetention, zone: &TimeZone, now: i64) -> Result<bool, DbError> {
    let last = db.last_spend_cleanup(retention.schedule.first(now)).await?;
    if retention.schedule.next(last, zone).is_none_or(|due| due > now) {
        return Ok(false);
    }
    db.claim_spend_cleanup(last, now).await
}

fn clean_up(retention: &LogRetention, now: i64) -> CleanUp {
    CleanUp {
        before: now.saturating_sub(i64::try_from(retention.keep.as_millis()).unwrap_or(i64::MAX)),
        batch_rows: retention.batch_rows,
        max_batches: retention.max_batches,
        run_budget: retention.run_budget,
        batch_timeout: retention.batch_timeout,
    }
}
