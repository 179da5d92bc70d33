//! What adaptive routers have seen of groups: sums that all gateways add to.

use sea_orm::{ConnectionTrait, DbErr, Statement, TransactionSession};

use crate::{Db, DbError};

/// What was seen of a group at a kind of request.
#[derive(Debug, Clone, PartialEq)]
pub struct LessonRow {
    /// The router's deployment.
    pub router: String,
    /// The kind of request.
    pub kind: String,
    /// The group.
    pub model: String,
    /// Observations that praise its answers.
    pub good: f64,
    /// Observations that blame them.
    pub bad: f64,
}

impl Db {
    /// Adds observations to those there are, all or none.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn add_lessons(&self, lessons: &[LessonRow]) -> Result<(), DbError> {
        let sql = "INSERT INTO lessons (router, kind, model, good, bad) VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (router, kind, model) DO UPDATE \
                   SET good = lessons.good + excluded.good, bad = lessons.bad + excluded.bad";
        // In one order, so that two gateways never wait for each other.
        let mut lessons: Vec<&LessonRow> = lessons.iter().collect();
        lessons.sort_by(|a, b| (&a.router, &a.kind, &a.model).cmp(&(&b.router, &b.kind, &b.model)));
        let transaction = self.begin_write().await?;
        for one in lessons {
            let values = [
                one.router.as_str().into(),
                one.kind.as_str().into(),
                one.model.as_str().into(),
                one.good.into(),
                one.bad.into(),
            ];
            let add = Statement::from_sql_and_values(self.sea_backend(), sql, values);
            transaction.execute_raw(add).await.map_err(failed)?;
        }
        TransactionSession::commit(transaction).await.map_err(failed)
    }

    /// All observations.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn lessons(&self) -> Result<Vec<LessonRow>, DbError> {
        let sql = "SELECT router, kind, model, good, bad FROM lessons";
        let rows = self.conn.query_all_raw(Statement::from_string(self.sea_backend(), sql)).await;
        let read = |row: &sea_orm::QueryResult| {
            Ok(LessonRow {
                router: row.try_get("", "router")?,
                kind: row.try_get("", "kind")?,
                model: row.try_get("", "model")?,
                good: row.try_get("", "good")?,
                bad: row.try_get("", "bad")?,
            })
        };
        rows.map_err(failed)?.iter().map(read).collect::<Result<_, DbErr>>().map_err(failed)
    }
}

fn failed(error: DbErr) -> DbError {
    DbError::from_sea("cannot keep what adaptive routers have seen", error)
}
