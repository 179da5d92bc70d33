//! LiteLLM's tables, read as JSON.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbErr, Statement};
use serde_json::Value;

use crate::{Backend, Db, DbError, DbErrorKind, JsonMap};

/// A LiteLLM database.
pub(super) struct Source<'a>(&'a Db);

impl<'a> Source<'a> {
    /// # Errors
    /// `BadUrl` when it is no PostgreSQL, the only database LiteLLM has.
    pub(super) fn of(db: &'a Db) -> Result<Self, DbError> {
        if db.backend() == Backend::Postgres {
            return Ok(Self(db));
        }
        let words = "the source must be a PostgreSQL database (`postgres://…`): LiteLLM has no other";
        Err(DbError::new(DbErrorKind::BadUrl, words))
    }

    /// Every row of a table, oldest first where rows have a time; none where the table is not there, as in
    /// older versions.
    pub(super) async fn rows(&self, table: &str) -> Result<Vec<JsonMap>, DbError> {
        if !self.has(table).await? {
            return Ok(Vec::new());
        }
        let rows = self.texts(&format!("SELECT to_jsonb(t)::text FROM \"{table}\" t")).await?;
        rows.iter().map(|row| object(table, row)).collect()
    }

    /// The aliases of team models by the id that team rows name.
    pub(super) async fn team_aliases(&self) -> Result<BTreeMap<i64, Value>, DbError> {
        let rows = self.rows("LiteLLM_ModelTable").await?;
        let alias = |mut row: JsonMap| Some((row.get("id")?.as_i64()?, row.remove("aliases")?));
        Ok(rows.into_iter().filter_map(alias).collect())
    }

    /// LiteLLM's other tables that have rows, and how many.
    ///
    /// # Errors
    /// `Schema` when there is no LiteLLM here at all.
    pub(super) async fn other_tables(&self, carried: &[&str]) -> Result<BTreeMap<String, u64>, DbError> {
        let sql = "SELECT table_name::text FROM information_schema.tables \
                   WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name LIKE 'LiteLLM\\_%' ORDER BY 1";
        let tables = self.texts(sql).await?;
        if tables.is_empty() {
            let words = "the source has none of LiteLLM's tables (`LiteLLM_…` in the schema `public`)";
            return Err(DbError::new(DbErrorKind::Schema, words));
        }
        let mut others = BTreeMap::new();
        for table in tables.into_iter().filter(|table| !carried.contains(&table.as_str())) {
            let quoted = table.replace('"', "\"\"");
            let count = self.texts(&format!("SELECT count(*)::text FROM \"{quoted}\"")).await?;
            let count = count.first().and_then(|count| count.parse().ok()).unwrap_or(0);
            if count > 0 {
                others.insert(table, count);
            }
        }
        Ok(others)
    }

    /// The next rows of a table after one of them, in the order of a column of texts, without the columns `but`.
    pub(super) async fn page(
        &self,
        table: &str,
        by: &str,
        after: &str,
        but: &[&str],
        size: usize,
    ) -> Result<Vec<JsonMap>, DbError> {
        if !self.has(table).await? {
            return Ok(Vec::new());
        }
        let but: String = but.iter().map(|column| format!(" - '{column}'")).collect();
        let sql = format!(
            "SELECT (to_jsonb(t){but})::text FROM \"{table}\" t WHERE {by} > $1 ORDER BY {by} LIMIT {size}"
        );
        let rows =
            self.ask(Statement::from_sql_and_values(self.0.sea_backend(), sql, [after.into()])).await?;
        rows.iter().map(|row| object(table, row)).collect()
    }

    /// The names in a table that calls have several of, by call: of the calls after one and up to another, in the order
    /// of [`Self::page`].
    pub(super) async fn names(
        &self,
        (table, column): (&str, &str),
        (after, last): (&str, &str),
    ) -> Result<BTreeMap<String, Vec<String>>, DbError> {
        if !self.has(table).await? {
            return Ok(BTreeMap::new());
        }
        let sql = format!(
            "SELECT json_build_object('id', request_id, 'names', json_agg({column} ORDER BY {column}))::text \
             FROM \"{table}\" WHERE request_id > $1 AND request_id <= $2 GROUP BY request_id"
        );
        let values = [after.into(), last.into()];
        let rows = self.ask(Statement::from_sql_and_values(self.0.sea_backend(), sql, values)).await?;
        let read = |row: &String| {
            let mut row = object(table, row)?;
            let id = row.remove("id").and_then(|id| id.as_str().map(str::to_owned)).unwrap_or_default();
            let names = row.remove("names").unwrap_or_default();
            let names = names.as_array().into_iter().flatten().filter_map(Value::as_str);
            Ok((id, names.map(str::to_owned).collect()))
        };
        rows.iter().map(read).collect()
    }

    /// How many rows of a table have something in a column of JSON; none where there is no such column.
    pub(super) async fn filled(&self, table: &str, column: &str) -> Result<u64, DbError> {
        let sql = format!(
            "SELECT count(*)::text FROM \"{table}\" t \
             WHERE COALESCE(to_jsonb(t) ->> '{column}', '') NOT IN ('', '{{}}', '[]', 'null', '\"\"')"
        );
        if !self.has(table).await? {
            return Ok(0);
        }
        Ok(self.texts(&sql).await?.first().and_then(|count| count.parse().ok()).unwrap_or(0))
    }

    async fn has(&self, table: &str) -> Result<bool, DbError> {
        let sql = format!(
            "SELECT table_name::text FROM information_schema.tables \
             WHERE table_schema = 'public' AND table_name = '{table}'"
        );
        Ok(!self.texts(&sql).await?.is_empty())
    }

    async fn texts(&self, sql: &str) -> Result<Vec<String>, DbError> {
        self.ask(Statement::from_string(self.0.sea_backend(), sql)).await
    }

    async fn ask(&self, statement: Statement) -> Result<Vec<String>, DbError> {
        let failed = |error: DbErr| DbError::from_sea("cannot read the LiteLLM database", error);
        let rows = self.0.conn.query_all_raw(statement).await.map_err(failed)?;
        rows.iter().map(|row| row.try_get_by_index(0).map_err(failed)).collect()
    }
}

fn object(table: &str, row: &str) -> Result<JsonMap, DbError> {
    serde_json::from_str(row).map_err(|error| {
        DbError::new(DbErrorKind::Corrupt, format!("a row of `{table}` is no JSON object: {error}"))
    })
}
