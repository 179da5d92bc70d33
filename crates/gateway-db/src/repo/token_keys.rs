//! Which virtual keys the bearers of tokens call with. Whatever changes here is a change of the keys concerned, so that
//! every replica looks at their bearers anew.

use llm_types::KeyHash;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, FromQueryResult, QueryResult, Statement, Value};
use serde_json::json;

use super::feed::Feed;
use crate::audit::{Subject, Told};
use crate::{Db, DbError, DbErrorKind, Page, PageRequest, TokenKey};

const COLUMNS: &str =
    "id, issuer, claim, value, key_hash, description, active, created_at, created_by, updated_at, updated_by";

impl FromQueryResult for TokenKey {
    fn from_query_result(row: &QueryResult, _prefix: &str) -> Result<Self, DbErr> {
        let key: String = row.try_get("", "key_hash")?;
        Ok(Self {
            id: row.try_get("", "id")?,
            issuer: row.try_get("", "issuer")?,
            claim: row.try_get("", "claim")?,
            value: row.try_get("", "value")?,
            key: key.into(),
            description: row.try_get("", "description")?,
            active: row.try_get("", "active")?,
            created_at: row.try_get("", "created_at")?,
            created_by: row.try_get("", "created_by")?,
            updated_at: row.try_get("", "updated_at")?,
            updated_by: row.try_get("", "updated_by")?,
        })
    }
}

impl Db {
    /// Lets the bearers of tokens call with a key. False where tokens of this issuer, claim and value have one.
    ///
    /// # Errors
    /// `NotFound` when there is no such key, or what the database refuses.
    pub async fn insert_token_key(&self, new: &TokenKey) -> Result<bool, DbError> {
        let (transaction, version) = self.begin_change(Feed::Keys).await?;
        self.touch_key(&transaction, &new.key, version).await?;
        let sql = format!(
            "INSERT INTO token_keys ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
             ON CONFLICT DO NOTHING"
        );
        let values = [
            new.id.as_str().into(),
            new.issuer.as_str().into(),
            new.claim.as_str().into(),
            new.value.as_str().into(),
            new.key.as_str().into(),
            new.description.clone().into(),
            new.active.into(),
            new.created_at.into(),
            new.created_by.clone().into(),
            new.updated_at.into(),
            new.updated_by.clone().into(),
        ];
        if self.write_token_keys(&transaction, &sql, values).await? == 0 {
            transaction.rollback().await.map_err(failed)?;
            return Ok(false);
        }
        self.note(&transaction, None, Some(Subject::Told(&subject(new)))).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(true)
    }

    /// The one with this id.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn token_key(&self, id: &str) -> Result<Option<TokenKey>, DbError> {
        let sql = format!("SELECT {COLUMNS} FROM token_keys WHERE id = $1");
        Ok(self.read_token_keys(&sql, [id.into()]).await?.pop())
    }

    /// The key of bearers whose tokens say `value`: by the issuer's own rule, else by the rule for every issuer.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn key_of_token(
        &self,
        issuer: &str,
        claim: &str,
        value: &str,
    ) -> Result<Option<KeyHash>, DbError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM token_keys WHERE claim = $1 AND value = $2 AND issuer IN ($3, '') AND active \
             ORDER BY issuer"
        );
        let found = self.read_token_keys(&sql, [claim.into(), value.into(), issuer.into()]).await?;
        Ok(found.into_iter().next_back().map(|one| one.key))
    }

    /// A page of all, newest first.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn token_keys(&self, page: PageRequest) -> Result<Page<TokenKey>, DbError> {
        let count = "SELECT count(*) FROM token_keys";
        let ask = Statement::from_string(self.sea_backend(), count);
        let row = self.conn.query_one_raw(ask).await.map_err(failed)?;
        let total: i64 = row.map(|row| row.try_get_by_index(0)).transpose().map_err(failed)?.unwrap_or(0);
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let sql = format!("SELECT {COLUMNS} FROM token_keys ORDER BY created_at DESC, id LIMIT $1 OFFSET $2");
        let values = [number(page.limit()), number(page.offset())].map(Value::from);
        let items = self.read_token_keys(&sql, values).await?;
        Ok(Page::new(items, total.unsigned_abs(), page))
    }

    /// Puts one in place of another of the same id. False where tokens of its issuer, claim and value have one already.
    ///
    /// # Errors
    /// `NotFound` when it or its key is gone, or what the database refuses.
    pub async fn replace_token_key(&self, old: &TokenKey, new: &TokenKey) -> Result<bool, DbError> {
        let (transaction, version) = self.begin_change(Feed::Keys).await?;
        // The old key may be gone; the new one must be there.
        let sql = "UPDATE verification_keys SET version = $1 WHERE hash = $2";
        self.write_token_keys(&transaction, sql, [version.into(), old.key.as_str().into()]).await?;
        self.touch_key(&transaction, &new.key, version).await?;
        let taken = "SELECT id FROM token_keys WHERE claim = $1 AND value = $2 AND issuer = $3 AND id <> $4";
        let values = [&new.claim, &new.value, &new.issuer, &new.id].map(|text| Value::from(text.as_str()));
        let ask = Statement::from_sql_and_values(self.sea_backend(), taken, values);
        if transaction.query_one_raw(ask).await.map_err(failed)?.is_some() {
            transaction.rollback().await.map_err(failed)?;
            return Ok(false);
        }
        let sql = "UPDATE token_keys SET issuer = $2, key_hash = $3, description = $4, active = $5, updated_at = $6, \
                   updated_by = $7 WHERE id = $1";
        let values = [
            new.id.as_str().into(),
            new.issuer.as_str().into(),
            new.key.as_str().into(),
            new.description.clone().into(),
            new.active.into(),
            new.updated_at.into(),
            new.updated_by.clone().into(),
        ];
        if self.write_token_keys(&transaction, sql, values).await? == 0 {
            return Err(DbError::new(DbErrorKind::NotFound, "there is no such mapping of a token any more"));
        }
        let (before, after) = (subject(old), subject(new));
        self.note(&transaction, Some(Subject::Told(&before)), Some(Subject::Told(&after))).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(true)
    }

    /// Forgets one; false when it was gone.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn delete_token_key(&self, old: &TokenKey) -> Result<bool, DbError> {
        let (transaction, version) = self.begin_change(Feed::Keys).await?;
        let sql = "UPDATE verification_keys SET version = $1 WHERE hash = $2";
        self.write_token_keys(&transaction, sql, [version.into(), old.key.as_str().into()]).await?;
        let sql = "DELETE FROM token_keys WHERE id = $1";
        let gone = self.write_token_keys(&transaction, sql, [old.id.as_str().into()]).await? > 0;
        if gone {
            self.note(&transaction, Some(Subject::Told(&subject(old))), None).await?;
        }
        transaction.commit().await.map_err(failed)?;
        Ok(gone)
    }

    /// Bearers follow a key to its new hash; without one they have none any more.
    pub(super) async fn move_token_keys(
        &self,
        transaction: &DatabaseTransaction,
        from: &str,
        to: Option<&str>,
    ) -> Result<(), DbError> {
        let done = match to {
            Some(to) => {
                let sql = "UPDATE token_keys SET key_hash = $2 WHERE key_hash = $1";
                self.write_token_keys(transaction, sql, [from.into(), to.into()]).await
            }
            None => {
                let sql = "DELETE FROM token_keys WHERE key_hash = $1";
                self.write_token_keys(transaction, sql, [from.into()]).await
            }
        };
        done.map(drop)
    }

    /// Makes replicas look at a living key anew.
    async fn touch_key(
        &self,
        transaction: &DatabaseTransaction,
        key: &KeyHash,
        version: i64,
    ) -> Result<(), DbError> {
        let sql = "UPDATE verification_keys SET version = $1 WHERE hash = $2 AND deleted_at IS NULL";
        let touched = self.write_token_keys(transaction, sql, [version.into(), key.as_str().into()]).await?;
        if touched == 0 {
            return Err(DbError::new(DbErrorKind::NotFound, "there is no key with this hash"));
        }
        Ok(())
    }

    async fn read_token_keys(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<TokenKey>, DbError> {
        let ask = Statement::from_sql_and_values(self.sea_backend(), sql, values);
        let rows = self.conn.query_all_raw(ask).await.map_err(failed)?;
        rows.iter().map(|row| TokenKey::from_query_result(row, "").map_err(failed)).collect()
    }

    async fn write_token_keys(
        &self,
        transaction: &DatabaseTransaction,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<u64, DbError> {
        let statement = Statement::from_sql_and_values(self.sea_backend(), sql, values);
        transaction.execute_raw(statement).await.map(|done| done.rows_affected()).map_err(failed)
    }
}

/// What the audit log says of one.
fn subject(one: &TokenKey) -> Told {
    let told = json!({
        "jwt_issuer": one.issuer,
        "jwt_claim_name": one.claim,
        "jwt_claim_value": one.value,
        "token": one.key.as_str(),
        "description": one.description,
        "is_active": one.active,
    });
    Told { table: "LiteLLM_JWTKeyMapping", id: one.id.clone(), told }
}

fn failed(error: DbErr) -> DbError {
    DbError::from_sea("cannot read or change which keys tokens have", error)
}
