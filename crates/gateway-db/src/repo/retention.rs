//! Rows of the spend log that are too old: ranges of time dropped as wholes, what is left of them deleted in small
//! batches. Sums stay as they are.
//!
//! A row is written in the transaction that adds it to the sums ([`crate::Shipper`]), so that no row goes whose call
//! is not in them.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DbErr, Statement, Value};

use super::partitions::floor_day;
use crate::{Backend, Db, DbError};

/// How much of the spend log goes, and how much of that at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CleanUp {
    /// Calls that arrived before the midnight (UTC) before this time go, in Unix milliseconds: whole days.
    pub before: i64,
    /// Rows deleted in one transaction.
    pub batch_rows: u64,
    /// Transactions of one run.
    pub max_batches: u64,
    /// How long one run may take.
    pub run_budget: Duration,
    /// How long one transaction may take on PostgreSQL.
    pub batch_timeout: Duration,
}

/// What a run has removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Names of the ranges that were dropped.
    pub partitions: Vec<String>,
    /// Rows deleted one by one.
    pub rows: u64,
    /// Whether nothing is left to be removed.
    pub finished: bool,
}

/// The setting whose time says when the last run was.
const RUNS: &str = "spend_log_cleanup";

impl Db {
    /// When the last clean-up of the spend log began, by whichever gateway; `first` where there was none yet.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn last_spend_cleanup(&self, first: i64) -> Result<i64, DbError> {
        let insert = "INSERT INTO settings (name, value, updated_at) VALUES ($1, '{}', $2) \
                      ON CONFLICT (name) DO NOTHING";
        self.run_cleanup(&self.conn, insert, [RUNS.into(), first.into()]).await?;
        let sql = "SELECT updated_at FROM settings WHERE name = $1";
        let statement = Statement::from_sql_and_values(self.sea_backend(), sql, [RUNS.into()]);
        let row = self.conn.query_one_raw(statement).await.map_err(failed)?;
        row.map_or(Ok(first), |row| row.try_get_by_index(0).map_err(failed))
    }

    /// Takes on the clean-up that is due `now` after the one of `last`; false when another gateway has it.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn claim_spend_cleanup(&self, last: i64, now: i64) -> Result<bool, DbError> {
        let sql = "UPDATE settings SET updated_at = $1 WHERE name = $2 AND updated_at = $3";
        Ok(self.run_cleanup(&self.conn, sql, [now.into(), RUNS.into(), last.into()]).await? == 1)
    }

    /// Removes what is too old, as far as one run goes; nothing while another gateway is at it.
    ///
    /// # Errors
    /// When the database refuses; what was removed before stays removed.
    pub async fn clean_spend_log(&self, clean_up: &CleanUp) -> Result<Cleaned, DbError> {
        let begun = Instant::now();
        let before = floor_day(clean_up.before);
        let partitions = self.drop_spend_partitions(before).await?;
        let mut cleaned = Cleaned { partitions, ..Cleaned::default() };
        for _ in 0..clean_up.max_batches {
            let Some(rows) = self.delete_spend_rows(before, clean_up).await? else { break };
            cleaned.rows += rows;
            cleaned.finished = rows < clean_up.batch_rows;
            if cleaned.finished || begun.elapsed() >= clean_up.run_budget {
                break;
            }
        }
        Ok(cleaned)
    }

    /// Deletes one batch, oldest first, and says how many rows it had; `None` while another gateway is at it.
    async fn delete_spend_rows(&self, before: i64, clean_up: &CleanUp) -> Result<Option<u64>, DbError> {
        let Some(transaction) = self.begin_on_ranges().await? else { return Ok(None) };
        if self.backend() == Backend::Postgres {
            let limit =
                format!("SET LOCAL statement_timeout = {}", clean_up.batch_timeout.as_millis().max(1));
            transaction.execute_unprepared(&limit).await.map_err(failed)?;
        }
        let sql = "DELETE FROM spend_log WHERE started_at < $1 AND (request_id, started_at) IN \
                   (SELECT request_id, started_at FROM spend_log WHERE started_at < $1 ORDER BY started_at LIMIT $2)";
        let batch = i64::try_from(clean_up.batch_rows).unwrap_or(i64::MAX);
        let rows = self.run_cleanup(&transaction, sql, [before.into(), batch.into()]).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(Some(rows))
    }

    async fn run_cleanup(
        &self,
        conn: &impl ConnectionTrait,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<u64, DbError> {
        let statement = Statement::from_sql_and_values(self.sea_backend(), sql, values);
        conn.execute_raw(statement).await.map(|done| done.rows_affected()).map_err(failed)
    }
}

fn failed(error: DbErr) -> DbError {
    DbError::from_sea("cannot remove old rows of the spend log", error)
}
