//! Invitations and the passwords they set. Only hashes are stored, of both.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, Statement, Value};
use serde_json::json;

use crate::audit::{Subject, Told};
use crate::{Db, DbError, Invitation};

const COLUMNS: &str = "id, user_id, accepted_at, expires_at, created_at, created_by, updated_at, updated_by";

const INSERT: &str = "INSERT INTO invitations (id, user_id, accepted_at, expires_at, created_at, created_by, updated_at, \
                      updated_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

/// An invitation in the order of its columns.
fn values_of(it: &Invitation) -> [Value; 8] {
    [
        it.id.as_str().into(),
        it.user_id.as_str().into(),
        it.accepted_at.into(),
        it.expires_at.into(),
        it.created_at.into(),
        it.created_by.as_str().into(),
        it.updated_at.into(),
        it.updated_by.as_str().into(),
    ]
}

impl Db {
    /// Keeps a new invitation.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert_invitation(&self, new: &Invitation) -> Result<(), DbError> {
        let transaction = self.begin_write().await?;
        self.change(&transaction, INSERT, values_of(new)).await?;
        self.note(&transaction, None, Some(Subject::Told(&told(new)))).await?;
        transaction.commit().await.map_err(failed)
    }

    /// Keeps an invitation unless there is one of its hash.
    pub(crate) async fn put_invitation(
        &self,
        transaction: &DatabaseTransaction,
        it: &Invitation,
    ) -> Result<bool, DbError> {
        let sql = format!("{INSERT} ON CONFLICT (id) DO NOTHING");
        Ok(self.change(transaction, &sql, values_of(it)).await? > 0)
    }

    /// The invitation with this hash.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn invitation(&self, id: &str) -> Result<Option<Invitation>, DbError> {
        let sql = format!("SELECT {COLUMNS} FROM invitations WHERE id = $1");
        let ask = Statement::from_sql_and_values(self.sea_backend(), sql, [id.into()]);
        self.conn.query_one_raw(ask).await.map_err(failed)?.map(|row| read(&row)).transpose()
    }

    /// Says of an invitation whether it was made use of; gives it as it is now, where there is one.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn mark_invitation(
        &self,
        id: &str,
        accepted_at: Option<i64>,
        (now, by): (i64, &str),
    ) -> Result<Option<Invitation>, DbError> {
        let Some(old) = self.invitation(id).await? else { return Ok(None) };
        let transaction = self.begin_write().await?;
        let sql = "UPDATE invitations SET accepted_at = $2, updated_at = $3, updated_by = $4 WHERE id = $1";
        let values = [id.into(), accepted_at.into(), now.into(), by.into()];
        self.change(&transaction, sql, values).await?;
        let new = Invitation { accepted_at, updated_at: now, updated_by: by.to_owned(), ..old.clone() };
        self.note(&transaction, Some(Subject::Told(&told(&old))), Some(Subject::Told(&told(&new)))).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(Some(new))
    }

    /// Takes an invitation back; gives it as it was, where there was one.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn delete_invitation(&self, id: &str) -> Result<Option<Invitation>, DbError> {
        let Some(old) = self.invitation(id).await? else { return Ok(None) };
        let transaction = self.begin_write().await?;
        self.change(&transaction, "DELETE FROM invitations WHERE id = $1", [id.into()]).await?;
        self.note(&transaction, Some(Subject::Told(&told(&old))), None).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(Some(old))
    }

    /// Makes use of an invitation: its user gets a password. False where it was made use of, or was over; of several
    /// who try one succeeds.
    ///
    /// # Errors
    /// When the database refuses; then neither has changed.
    pub async fn accept_invitation(&self, it: &Invitation, hash: &str, now: i64) -> Result<bool, DbError> {
        let transaction = self.begin_write().await?;
        let sql = "UPDATE invitations SET accepted_at = $2, updated_at = $2, updated_by = $3 \
                   WHERE id = $1 AND accepted_at IS NULL AND expires_at > $2";
        let values = [it.id.as_str().into(), now.into(), it.user_id.as_str().into()];
        if self.change(&transaction, sql, values).await? == 0 {
            transaction.rollback().await.map_err(failed)?;
            return Ok(false);
        }
        self.put_password(&transaction, &it.user_id, hash, now).await?;
        self.note_password(&transaction, &it.user_id).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(true)
    }

    /// The hash of a user's password.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn password(&self, user: &str) -> Result<Option<String>, DbError> {
        let sql = "SELECT hash FROM passwords WHERE user_id = $1";
        let ask = Statement::from_sql_and_values(self.sea_backend(), sql, [user.into()]);
        let row = self.conn.query_one_raw(ask).await.map_err(failed)?;
        row.map(|row| row.try_get_by_index(0).map_err(failed)).transpose()
    }

    /// Replaces a user's password by another; false where it is not the old one any more.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn change_password(
        &self,
        user: &str,
        (old, new): (&str, &str),
        now: i64,
    ) -> Result<bool, DbError> {
        let transaction = self.begin_write().await?;
        let sql = "UPDATE passwords SET hash = $3, changed_at = $4 WHERE user_id = $1 AND hash = $2";
        let values = [user.into(), old.into(), new.into(), now.into()];
        if self.change(&transaction, sql, values).await? == 0 {
            transaction.rollback().await.map_err(failed)?;
            return Ok(false);
        }
        self.note_password(&transaction, user).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(true)
    }

    /// Gives a user a password, whatever it was.
    pub(crate) async fn put_password(
        &self,
        transaction: &DatabaseTransaction,
        user: &str,
        hash: &str,
        now: i64,
    ) -> Result<(), DbError> {
        let sql = "INSERT INTO passwords (user_id, hash, changed_at) VALUES ($1, $2, $3) \
                   ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at";
        self.change(transaction, sql, [user.into(), hash.into(), now.into()]).await.map(drop)
    }

    /// Forgets how a user signs in who is deleted.
    pub(super) async fn drop_password(
        &self,
        transaction: &DatabaseTransaction,
        user: &str,
    ) -> Result<(), DbError> {
        for table in ["passwords", "invitations"] {
            let sql = format!("DELETE FROM {table} WHERE user_id = $1");
            self.change(transaction, &sql, [user.into()]).await?;
        }
        Ok(())
    }

    async fn note_password(&self, transaction: &DatabaseTransaction, user: &str) -> Result<(), DbError> {
        let told = |value| Told { table: "LiteLLM_UserTable", id: user.to_owned(), told: value };
        let (before, after) = (told(json!({})), told(json!({ "fields_changed": ["password"] })));
        self.note(transaction, Some(Subject::Told(&before)), Some(Subject::Told(&after))).await
    }

    async fn change<const N: usize>(
        &self,
        transaction: &DatabaseTransaction,
        sql: &str,
        values: [Value; N],
    ) -> Result<u64, DbError> {
        let statement = Statement::from_sql_and_values(self.sea_backend(), sql, values);
        Ok(transaction.execute_raw(statement).await.map_err(failed)?.rows_affected())
    }
}

/// What the audit log says of an invitation. Its id is not in it.
fn told(it: &Invitation) -> Told {
    let value = json!({
        "user_id": it.user_id,
        "is_accepted": it.accepted_at.is_some(),
        "expires_at": it.expires_at,
    });
    Told { table: "LiteLLM_InvitationLink", id: it.id.clone(), told: value }
}

fn read(row: &QueryResult) -> Result<Invitation, DbError> {
    Ok(Invitation {
        id: row.try_get_by_index(0).map_err(failed)?,
        user_id: row.try_get_by_index(1).map_err(failed)?,
        accepted_at: row.try_get_by_index(2).map_err(failed)?,
        expires_at: row.try_get_by_index(3).map_err(failed)?,
        created_at: row.try_get_by_index(4).map_err(failed)?,
        created_by: row.try_get_by_index(5).map_err(failed)?,
        updated_at: row.try_get_by_index(6).map_err(failed)?,
        updated_by: row.try_get_by_index(7).map_err(failed)?,
    })
}

fn failed(error: DbErr) -> DbError {
    DbError::from_sea("cannot keep invitations and passwords", error)
}
