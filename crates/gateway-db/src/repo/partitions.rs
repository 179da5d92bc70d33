//! The spend log's ranges of time on PostgreSQL: made ahead of the rows, dropped as wholes.
//!
//! A range is a day (UTC) where rows are kept for a quarter or less, else what is left of a month, so that there are
//! never more than some dozens. Rows that no range is made for, of clocks that were wrong or gateways that
//! were away for long, are in the partition `spend_log_default`, and move when their range is made.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement};

use crate::{Backend, Db, DbError};

/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 86_400_000;
/// How far ahead ranges are made: long enough for a gateway that is the only one to be mended.
const AHEAD_MS: i64 = 7 * DAY_MS;
/// PostgreSQL advisory lock of whoever makes, drops or empties ranges: `spendlog` in ASCII.
const LOCK: i64 = 0x73_70_65_6e_64_6c_6f_67;

/// One range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) name: String,
    /// Where it ends, itself not included; `None` for the default partition, and for one without an end.
    pub(super) until: Option<i64>,
}

impl Db {
    /// Makes the ranges of the next days unless they are there, and returns the names of those it made; none on
    /// SQLite, and none while another gateway is at it. `daily` makes a range for each day.
    ///
    /// # Errors
    /// When the database refuses, or somebody holds the table for longer than two seconds.
    pub async fn make_spend_partitions(&self, now: i64, daily: bool) -> Result<Vec<String>, DbError> {
        let wanted = now.saturating_add(AHEAD_MS);
        let end =
            |ranges: &[Range]| ranges.iter().filter_map(|range| range.until).max().unwrap_or(floor_day(now));
        if self.backend() == Backend::Sqlite || end(&self.spend_ranges(&self.conn).await?) >= wanted {
            return Ok(Vec::new());
        }
        let Some(transaction) = self.begin_on_ranges().await? else { return Ok(Vec::new()) };
        let mut from = end(&self.spend_ranges(&transaction).await?);
        let mut made = Vec::new();
        while from < wanted {
            let until = end_of_range(from, now, daily);
            made.push(make(&transaction, from, until).await.map_err(failed)?);
            from = until;
        }
        transaction.commit().await.map_err(failed)?;
        Ok(made)
    }

    /// Drops the ranges that end at `before` or earlier, oldest first, each in a transaction of its own, and returns
    /// their names; none while another gateway is at it.
    pub(super) async fn drop_spend_partitions(&self, before: i64) -> Result<Vec<String>, DbError> {
        if self.backend() == Backend::Sqlite {
            return Ok(Vec::new());
        }
        let mut old = self.spend_ranges(&self.conn).await?;
        old.retain(|range| range.until.is_some_and(|until| until <= before));
        old.sort_by_key(|range| range.until);
        let mut dropped = Vec::new();
        for range in old {
            let Some(transaction) = self.begin_on_ranges().await? else { break };
            let sql = format!("DROP TABLE IF EXISTS {}", quoted(&range.name));
            transaction.execute_unprepared(&sql).await.map_err(failed)?;
            transaction.commit().await.map_err(failed)?;
            dropped.push(range.name);
        }
        Ok(dropped)
    }

    /// A transaction that nobody else works on ranges beside; `None` while somebody does. Calls that are being
    /// shipped are not kept waiting: who does not get the table within two seconds gives up.
    pub(super) async fn begin_on_ranges(&self) -> Result<Option<DatabaseTransaction>, DbError> {
        let transaction = self.begin_write().await?;
        if self.backend() == Backend::Sqlite {
            return Ok(Some(transaction));
        }
        transaction.execute_unprepared("SET LOCAL lock_timeout = '2s'").await.map_err(failed)?;
        let sql = format!("SELECT pg_try_advisory_xact_lock({LOCK})");
        let row = transaction.query_one_raw(Statement::from_string(self.sea_backend(), sql)).await;
        let got = row.map_err(failed)?.map(|row| row.try_get_by_index::<bool>(0)).transpose();
        Ok(got.map_err(failed)?.unwrap_or(false).then_some(transaction))
    }

    async fn spend_ranges(&self, conn: &impl ConnectionTrait) -> Result<Vec<Range>, DbError> {
        let sql = "SELECT c.relname::text, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i \
                   JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'spend_log'::regclass";
        let rows =
            conn.query_all_raw(Statement::from_string(self.sea_backend(), sql)).await.map_err(failed)?;
        let range = |row: &sea_orm::QueryResult| {
            let (name, bounds): (String, String) = row.try_get_many_by_index()?;
            Ok(Range { name, until: until(&bounds) })
        };
        rows.iter().map(range).collect::<Result<_, DbErr>>().map_err(failed)
    }
}

/// Makes a range as a table of its own, with what the default partition has of it, and puts it in its place.
async fn make(transaction: &DatabaseTransaction, from: i64, until: i64) -> Result<String, DbErr> {
    let name = name_of(from);
    let script = format!(
        "CREATE TABLE {name} (LIKE spend_log INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES); \
         LOCK TABLE spend_log_default IN ACCESS EXCLUSIVE MODE; \
         WITH moved AS (DELETE FROM spend_log_default WHERE started_at >= {from} AND started_at < {until} RETURNING *) \
         INSERT INTO {name} SELECT * FROM moved; \
         ALTER TABLE spend_log ATTACH PARTITION {name} FOR VALUES FROM ({from}) TO ({until})"
    );
    transaction.execute_unprepared(&script).await?;
    Ok(name)
}

/// `spend_log_20261122`, by the day a range begins.
fn name_of(from: i64) -> String {
    let day = jiff::Timestamp::from_millisecond(from).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("spend_log_{}", day.strftime("%Y%m%d"))
}

/// Where the range that begins at `from` ends. Days that passed while nobody made ranges are one.
fn end_of_range(from: i64, now: i64, daily: bool) -> i64 {
    let today = floor_day(now);
    if from < today {
        return today;
    }
    if daily { from + DAY_MS } else { next_month(from).unwrap_or(from + DAY_MS) }
}

/// The first of the next month (UTC).
fn next_month(from: i64) -> Option<i64> {
    let day = jiff::Timestamp::from_millisecond(from).ok()?.to_zoned(jiff::tz::TimeZone::UTC);
    let next = day.first_of_month().ok()?.checked_add(jiff::Span::new().months(1)).ok()?;
    Some(floor_day(next.timestamp().as_millisecond()))
}

/// The last midnight (UTC).
pub(super) const fn floor_day(at: i64) -> i64 {
    at.div_euclid(DAY_MS) * DAY_MS
}

/// Where `FOR VALUES FROM (MINVALUE) TO ('1795305600000')` ends.
fn until(bounds: &str) -> Option<i64> {
    let (_, end) = bounds.split_once("TO (")?;
    end.trim_end_matches(')').trim_matches('\'').parse().ok()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn failed(error: DbErr) -> DbError {
    DbError::from_sea("cannot divide the spend log by time", error)
}

#[cfg(test)]
mod tests;
