//! Reports of what deployments did: sums of a day, or of one key or customer the calls of the log, found by an index.

use llm_types::KeyHash;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};

use crate::{Db, DbError};

/// From how many seconds on a call is told apart by its length.
pub const SLOW_S: i64 = 10;
/// Microseconds of that.
const SLOW_US: i64 = SLOW_S * 1_000_000;
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// What sums are split by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallsBy {
    /// The day, as days since 1970-01-01 UTC.
    Day,
    /// The deployment that answered.
    Deployment,
    /// The provider's model name.
    Model,
    /// The kind of failure; empty of calls that did not fail.
    Error,
}

impl CallsBy {
    const fn column(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Deployment => "deployment",
            Self::Model => "model",
            Self::Error => "error",
        }
    }
}

/// Which calls, and what the sums are split by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallsQuery {
    /// First day, as days since 1970-01-01.
    pub from_day: i64,
    /// Last day, itself included.
    pub to_day: i64,
    /// The model group asked for; all where it is `None`.
    pub model_group: Option<String>,
    /// The status the caller got.
    pub status: Option<i64>,
    /// Only calls that failed.
    pub failed: bool,
    /// Calls that took this long, in seconds, are counted as slow; at least [`SLOW_S`].
    pub slow_from_s: i64,
    /// The hash of the only key; its calls are read off the log.
    pub key: Option<KeyHash>,
    /// The only customer; its calls are read off the log.
    pub customer: Option<String>,
    /// What the sums are split by, in the order of the answer.
    pub by: Vec<CallsBy>,
}

/// One line of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallsRow {
    /// The values of [`CallsQuery::by`], as texts; empty where a call had none.
    pub names: Vec<String>,
    /// Calls that reached no cache of replies, or missed it.
    pub calls: i64,
    /// Those of them that were slow.
    pub slow: i64,
    /// The answers, of calls that have one.
    pub output_tokens: i64,
    /// How long those took together, in microseconds.
    pub duration_us: i64,
    /// Calls whose answer came as a stream.
    pub streamed: i64,
    /// When the first bytes of those came together, in microseconds.
    pub first_byte_us: i64,
}

impl Db {
    /// Sums of calls that match, most calls first.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn calls_report(&self, query: &CallsQuery) -> Result<Vec<CallsRow>, DbError> {
        let names: Vec<&str> = query.by.iter().map(|by| by.column()).collect();
        let mut columns: Vec<String> = names.iter().map(|name| format!("CAST({name} AS text)")).collect();
        let slow =
            format!("CASE WHEN slow_s >= {} THEN calls - cached ELSE 0 END", query.slow_from_s.max(SLOW_S));
        for sum in ["calls - cached", &slow, "output_tokens", "duration_us", "streamed", "first_byte_us"] {
            columns.push(format!("CAST(COALESCE(SUM({sum}), 0) AS bigint)"));
        }
        let (from, values) = from(query);
        let mut sql = format!("SELECT {}{from}", columns.join(", "));
        if !names.is_empty() {
            let names = names.join(", ");
            sql.push_str(&format!(" GROUP BY {names} ORDER BY SUM(calls - cached) DESC, {names}"));
        }
        let statement = Statement::from_sql_and_values(self.sea_backend(), sql, values);
        let rows = self.conn.query_all_raw(statement).await.map_err(failed)?;
        rows.iter().map(|row| read(row, names.len()).map_err(failed)).collect()
    }
}

/// Which calls, and the values of its parameters.
fn from(query: &CallsQuery) -> (String, Vec<Value>) {
    let mut values: Vec<Value> = Vec::new();
    let mut put = |value: Value| {
        values.push(value);
        format!("${}", values.len())
    };
    let mut sql = if query.key.is_some() || query.customer.is_some() {
        let from = put((query.from_day.saturating_mul(DAY_MS)).into());
        let until = put((query.to_day.saturating_add(1).saturating_mul(DAY_MS)).into());
        let mut of_log = format!("started_at >= {from} AND started_at < {until}");
        let key = query.key.as_ref().map(KeyHash::as_str);
        for (column, value) in [("key_hash", key), ("end_user", query.customer.as_deref())] {
            if let Some(value) = value {
                of_log.push_str(&format!(" AND {column} = {}", put(value.into())));
            }
        }
        format!(" FROM (SELECT {} FROM spend_log WHERE {of_log}) AS log WHERE 1 = 1", log())
    } else {
        let (from, to) = (put(query.from_day.into()), put(query.to_day.into()));
        format!(" FROM daily_calls WHERE day >= {from} AND day <= {to}")
    };
    if let Some(group) = &query.model_group {
        sql.push_str(&format!(" AND model_group = {}", put(group.as_str().into())));
    }
    if let Some(status) = query.status {
        sql.push_str(&format!(" AND status = {}", put(status.into())));
    }
    if query.failed {
        sql.push_str(" AND error <> ''");
    }
    (sql, values)
}

/// A call of the log as the daily sums count it; bit 0 of its flags says that it was a stream, bit 4 that a cache
/// answered.
fn log() -> String {
    let real = "(flags & 16) = 0";
    let answered = format!("{real} AND output_tokens > 0");
    let streamed = format!("{real} AND (flags & 1) = 1 AND first_byte_us IS NOT NULL");
    let some = |when: &str, value: &str| format!("CASE WHEN {when} THEN {value} ELSE 0 END");
    [
        format!("started_at / {DAY_MS} AS day, model_group, COALESCE(deployment, '') AS deployment"),
        "COALESCE(model, '') AS model, status, COALESCE(error, '') AS error, 1 AS calls".to_owned(),
        format!("{} AS slow_s", some(&format!("duration_us >= {SLOW_US}"), "duration_us / 1000000")),
        format!("{} AS cached", some("(flags & 16) = 16", "1")),
        format!("{} AS output_tokens", some(&answered, "output_tokens")),
        format!("{} AS duration_us", some(&answered, "duration_us")),
        format!("{} AS streamed", some(&streamed, "1")),
        format!("{} AS first_byte_us", some(&streamed, "first_byte_us")),
    ]
    .join(", ")
}

fn read(row: &QueryResult, names: usize) -> Result<CallsRow, DbErr> {
    let number = |index: usize| row.try_get_by_index::<i64>(names + index);
    Ok(CallsRow {
        names: (0..names).map(|index| row.try_get_by_index(index)).collect::<Result<_, _>>()?,
        calls: number(0)?,
        slow: number(1)?,
        output_tokens: number(2)?,
        duration_us: number(3)?,
        streamed: number(4)?,
        first_byte_us: number(5)?,
    })
}

fn failed(error: DbErr) -> DbError {
    DbError::from_sea("cannot add up what deployments did", error)
}
