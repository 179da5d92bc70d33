//! What the calls of sessions came to.

use std::collections::BTreeMap;

use llm_types::Money;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};

use crate::{Db, DbError, SpendRow};

/// What the calls of one session and one key came to. Somebody else's session of the same id is another one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionSums {
    /// Calls.
    pub calls: i64,
    /// What they cost.
    pub cost: Money,
    /// How long they took together, in microseconds.
    pub duration_us: i64,
    /// Calls that a cache of replies answered.
    pub cache_hits: i64,
    /// Tokens of the prompts.
    pub input_tokens: i64,
    /// Tokens of the answers.
    pub output_tokens: i64,
    /// The providers' models that were called, by name.
    pub models: Vec<String>,
}

/// A session and the hash of the key that called in it, empty where there was none.
pub type SessionOf = (String, String);

impl Db {
    /// The sums of the sessions that calls belong to.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn session_sums(
        &self,
        calls: &[SpendRow],
    ) -> Result<BTreeMap<SessionOf, SessionSums>, DbError> {
        let mut ids: Vec<&str> = calls.iter().filter_map(|call| call.session_id.as_deref()).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let places: Vec<String> = (1..=ids.len()).map(|number| format!("${number}")).collect();
        let sql = format!(
            "SELECT session_id, COALESCE(key_hash, ''), COALESCE(model, ''), COUNT(*), \
             CAST(COALESCE(SUM(cost), 0) AS bigint), CAST(SUM(duration_us) AS bigint), \
             CAST(SUM(CASE WHEN (flags & 16) = 16 THEN 1 ELSE 0 END) AS bigint), \
             CAST(SUM(input_tokens) AS bigint), CAST(SUM(output_tokens) AS bigint) FROM spend_log \
             WHERE session_id IN ({}) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
            places.join(", ")
        );
        let values = ids.into_iter().map(Value::from);
        let ask = Statement::from_sql_and_values(self.sea_backend(), sql, values);
        let rows = self.conn.query_all_raw(ask).await.map_err(failed)?;
        let mut sums: BTreeMap<SessionOf, SessionSums> = BTreeMap::new();
        for row in &rows {
            add(row, &mut sums).map_err(failed)?;
        }
        Ok(sums)
    }
}

fn add(row: &QueryResult, sums: &mut BTreeMap<SessionOf, SessionSums>) -> Result<(), DbErr> {
    let number = |index: usize| row.try_get_by_index::<i64>(index);
    let sum = sums.entry((row.try_get_by_index(0)?, row.try_get_by_index(1)?)).or_default();
    sum.calls += number(3)?;
    sum.cost += Money(number(4)?);
    sum.duration_us += number(5)?;
    sum.cache_hits += number(6)?;
    sum.input_tokens += number(7)?;
    sum.output_tokens += number(8)?;
    let model: String = row.try_get_by_index(2)?;
    if !model.is_empty() {
        sum.models.push(model);
    }
    Ok(())
}

fn failed(error: DbErr) -> DbError {
    DbError::from_sea("cannot add up the calls of sessions", error)
}
