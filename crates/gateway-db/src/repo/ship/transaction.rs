//! A transaction of either database, driven without the layer that copies every value once more.

use sea_orm::sqlx::sqlite::SqliteArguments;
use sea_orm::sqlx::{self, Arguments as _, AssertSqlSafe, Postgres, Sqlite};
use sea_orm::{DbErr, RuntimeErr};

use super::bulk::{Bulk, Cell, Kind};
use crate::ledger::{FIRST_POSITION, Slice};
use crate::{Backend, Db, DbError};

/// Rows per statement on SQLite: few enough for its limit of 32,766 parameters at any width we use, and a
/// fixed number, so that the prepared statement is used again.
const SQLITE_ROWS: usize = 64;

pub(super) enum Transaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

/// Runs the same lines for whichever database it is.
macro_rules! on_either {
    ($transaction:expr, $inner:ident => $body:expr) => {
        match $transaction {
            Transaction::Sqlite($inner) => $body,
            Transaction::Postgres($inner) => $body,
        }
    };
}

impl Transaction {
    pub(super) async fn begin(db: &Db) -> Result<Self, DbError> {
        let begun = match db.backend() {
            Backend::Sqlite => {
                let pool = db.conn.get_sqlite_connection_pool();
                pool.begin_with("BEGIN IMMEDIATE").await.map(Self::Sqlite)
            }
            Backend::Postgres => {
                let pool = db.conn.get_postgres_connection_pool();
                pool.begin().await.map(Self::Postgres)
            }
        };
        begun.map_err(failed)
    }

    pub(super) async fn commit(self) -> Result<(), DbError> {
        on_either!(self, inner => inner.commit().await).map_err(failed)
    }

    pub(super) async fn rollback(self) -> Result<(), DbError> {
        on_either!(self, inner => inner.rollback().await).map_err(failed)
    }

    /// Runs a statement over its rows and returns how many rows it touched.
    pub(super) async fn run(&mut self, bulk: &Bulk<'_>) -> Result<u64, DbError> {
        if bulk.rows() == 0 {
            return Ok(0);
        }
        match self {
            Self::Sqlite(inner) => {
                let mut touched = 0;
                for chunk in bulk.cells().chunks(SQLITE_ROWS * bulk.width()) {
                    let sql = AssertSqlSafe(bulk.verb.sqlite(chunk.len() / bulk.width()));
                    let query = sqlx::query_with(sql, arguments(chunk)?);
                    touched += query.execute(&mut **inner).await.map_err(failed)?.rows_affected();
                }
                Ok(touched)
            }
            Self::Postgres(inner) => {
                let mut query = sqlx::query(AssertSqlSafe(bulk.verb.postgres()));
                for (index, (_, kind)) in bulk.verb.columns.iter().enumerate() {
                    query = match kind {
                        Kind::Text => query.bind(bulk.texts(index)),
                        Kind::Int => query.bind(bulk.ints(index)),
                    };
                }
                Ok(query.execute(&mut **inner).await.map_err(failed)?.rows_affected())
            }
        }
    }

    /// Runs a query over rows of one text each that answers with one text each.
    pub(super) async fn texts(&mut self, bulk: &Bulk<'_>) -> Result<Vec<String>, DbError> {
        match self {
            Self::Sqlite(inner) => {
                let mut found = Vec::new();
                for chunk in bulk.texts(0).chunks(SQLITE_ROWS) {
                    let sql = AssertSqlSafe(bulk.verb.sqlite(chunk.len()));
                    let query = chunk.iter().fold(sqlx::query_scalar(sql), |query, text| query.bind(*text));
                    found.append(&mut query.fetch_all(&mut **inner).await.map_err(failed)?);
                }
                Ok(found)
            }
            Self::Postgres(inner) => {
                let query = sqlx::query_scalar(AssertSqlSafe(bulk.verb.postgres())).bind(bulk.texts(0));
                query.fetch_all(&mut **inner).await.map_err(failed)
            }
        }
    }

    /// Runs a query over its rows that answers with one text for some of them.
    pub(super) async fn found(&mut self, bulk: &Bulk<'_>) -> Result<Vec<String>, DbError> {
        if bulk.rows() == 0 {
            return Ok(Vec::new());
        }
        match self {
            Self::Sqlite(inner) => {
                let mut found = Vec::new();
                for chunk in bulk.cells().chunks(SQLITE_ROWS * bulk.width()) {
                    let sql = AssertSqlSafe(bulk.verb.sqlite(chunk.len() / bulk.width()));
                    let query = sqlx::query_scalar_with(sql, arguments(chunk)?);
                    found.append(&mut query.fetch_all(&mut **inner).await.map_err(failed)?);
                }
                Ok(found)
            }
            Self::Postgres(inner) => {
                let mut query = sqlx::query_scalar(AssertSqlSafe(bulk.verb.postgres()));
                for (index, (_, kind)) in bulk.verb.columns.iter().enumerate() {
                    query = match kind {
                        Kind::Text => query.bind(bulk.texts(index)),
                        Kind::Int => query.bind(bulk.ints(index)),
                    };
                }
                query.fetch_all(&mut **inner).await.map_err(failed)
            }
        }
    }

    /// Segments and positions, by one parameter.
    pub(super) async fn positions(
        &mut self,
        sql: &'static str,
        parameter: &str,
    ) -> Result<Vec<(String, i64)>, DbError> {
        on_either!(self, inner => sqlx::query_as(sql).bind(parameter).fetch_all(&mut **inner).await)
            .map_err(failed)
    }

    /// Moves a segment's position from where the slice begins to where it ends; false when it is elsewhere.
    /// Another transaction that does the same is waited for, so only one of the two succeeds.
    pub(super) async fn advance(&mut self, node: &str, slice: &Slice, now: i64) -> Result<bool, DbError> {
        let (from, to) = (signed(slice.from), signed(slice.to));
        let update =
            "UPDATE ledger_cursor SET position = $1, updated_at = $2 WHERE segment = $3 AND position = $4";
        let moved = on_either!(&mut *self, inner => {
            let query = sqlx::query(update).bind(to).bind(now).bind(&slice.segment).bind(from);
            query.execute(&mut **inner).await.map(|done| done.rows_affected())
        });
        if moved.map_err(failed)? == 1 {
            return Ok(true);
        }
        if slice.from != FIRST_POSITION {
            return Ok(false);
        }
        let insert = "INSERT INTO ledger_cursor (segment, node, position, updated_at) VALUES ($1, $2, $3, $4) \
                      ON CONFLICT (segment) DO NOTHING";
        let made = on_either!(self, inner => {
            let query = sqlx::query(insert).bind(&slice.segment).bind(node).bind(to).bind(now);
            query.execute(&mut **inner).await.map(|done| done.rows_affected())
        });
        Ok(made.map_err(failed)? == 1)
    }
}

/// What a statement says in the places of its parameters, room for all made at once.
fn arguments(cells: &[Cell<'_>]) -> Result<SqliteArguments, DbError> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(cells.len(), 0);
    for cell in cells {
        let added = match cell {
            Cell::Null => arguments.add(None::<i64>),
            Cell::Text(text) => arguments.add(text.as_ref()),
            Cell::Int(int) => arguments.add(*int),
        };
        added.map_err(|error| failed(sqlx::Error::Encode(error)))?;
    }
    Ok(arguments)
}

fn signed(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

fn failed(error: sqlx::Error) -> DbError {
    DbError::from_sea("cannot ship the ledger", DbErr::Query(RuntimeErr::SqlxError(error.into())))
}
