//! Slips: notes that hold for minutes and that all gateways see. Each is written once and taken once.

use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};

use crate::{Db, DbError};

/// The most slips there are at a time: what strangers cause must not grow without end.
const MOST: i64 = 100_000;
/// The most of them that one source may cause: it must not take the room of all.
const MOST_OF_ONE: i64 = 1_000;

/// Which slip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlipName {
    /// What it is for.
    pub kind: &'static str,
    /// Its name among those of its kind.
    pub name: String,
}

/// What came of writing a slip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlipPut {
    /// It is written.
    Written,
    /// There is one of this name.
    Exists,
    /// There are too many, or too many of its source.
    TooMany,
}

impl Db {
    /// Writes a slip that holds until a moment to come, in Unix milliseconds. `source` is whose doing it is, such as an
    /// address; nobody may cause too many.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn put_slip(
        &self,
        slip: &SlipName,
        body: &str,
        source: &str,
        (until, now): (i64, i64),
    ) -> Result<SlipPut, DbError> {
        self.write_slips("DELETE FROM slips WHERE expires_at <= $1", [now.into()]).await?;
        let sql = "SELECT count(*) AS everybody, count(CASE WHEN source = $1 THEN 1 END) AS one FROM slips";
        if let Some(row) = self.read_slip(sql, [source.into()]).await? {
            let count = |name: &str| -> Result<i64, DbError> { row.try_get("", name).map_err(failed) };
            if count("everybody")? >= MOST || count("one")? >= MOST_OF_ONE {
                return Ok(SlipPut::TooMany);
            }
        }
        let sql = "INSERT INTO slips (kind, name, body, source, expires_at) VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (kind, name) DO NOTHING";
        let values = [slip.kind.into(), slip.name.as_str().into(), body.into(), source.into(), until.into()];
        Ok(if self.write_slips(sql, values).await? > 0 { SlipPut::Written } else { SlipPut::Exists })
    }

    /// What a slip says, while it holds.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn slip(&self, slip: &SlipName, now: i64) -> Result<Option<String>, DbError> {
        let sql = "SELECT body FROM slips WHERE kind = $1 AND name = $2 AND expires_at > $3";
        let row = self.read_slip(sql, [slip.kind.into(), slip.name.as_str().into(), now.into()]).await?;
        row.map(|row| row.try_get("", "body")).transpose().map_err(failed)
    }

    /// Writes something else on a slip that holds; false when it does not say what it said any more.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn change_slip(
        &self,
        slip: &SlipName,
        (old, new): (&str, &str),
        now: i64,
    ) -> Result<bool, DbError> {
        let sql =
            "UPDATE slips SET body = $4 WHERE kind = $1 AND name = $2 AND body = $3 AND expires_at > $5";
        let values = [slip.kind.into(), slip.name.as_str().into(), old.into(), new.into(), now.into()];
        Ok(self.write_slips(sql, values).await? > 0)
    }

    /// Takes a slip away that holds and says what it is believed to say; of several who try one does.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn take_slip(&self, slip: &SlipName, body: &str, now: i64) -> Result<bool, DbError> {
        let sql = "DELETE FROM slips WHERE kind = $1 AND name = $2 AND body = $3 AND expires_at > $4";
        let values = [slip.kind.into(), slip.name.as_str().into(), body.into(), now.into()];
        Ok(self.write_slips(sql, values).await? > 0)
    }

    async fn write_slips<const N: usize>(&self, sql: &str, values: [Value; N]) -> Result<u64, DbError> {
        let done =
            self.conn.execute_raw(Statement::from_sql_and_values(self.sea_backend(), sql, values)).await;
        Ok(done.map_err(failed)?.rows_affected())
    }

    async fn read_slip<const N: usize>(
        &self,
        sql: &str,
        values: [Value; N],
    ) -> Result<Option<QueryResult>, DbError> {
        let asked = Statement::from_sql_and_values(self.sea_backend(), sql, values);
        self.conn.query_one_raw(asked).await.map_err(failed)
    }
}

fn failed(error: DbErr) -> DbError {
    DbError::from_sea("cannot keep a note of a sign-in", error)
}
