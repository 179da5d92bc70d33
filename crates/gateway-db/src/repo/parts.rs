//! Parts of budgets: a row each, made when it is first needed, with what was spent of it and when its period ends.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement};

use crate::{Db, DbError, DbErrorKind, ScopeId, ScopeRecord};

impl Db {
    /// The part with this id, made now if there is none: nothing spent, in a period of this length that ends at
    /// `reset_at`.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn part(
        &self,
        id: &ScopeId,
        duration: Option<&str>,
        reset_at: Option<i64>,
        now: i64,
    ) -> Result<ScopeRecord, DbError> {
        if let Some(found) = self.scope(id).await? {
            return Ok(found);
        }
        let sql = "INSERT INTO scopes (kind, id, member, budget_duration, budget_reset_at, models, metadata, \
                   model_max_budget, model_rpm_limit, model_tpm_limit, extra, created_at, updated_at, version) \
                   VALUES ($1, $2, $3, $4, $5, '[]', '{}', '{}', '{}', '{}', '{}', $6, $7, 0) \
                   ON CONFLICT (kind, id, member) DO NOTHING";
        let values = [
            id.kind.as_str().into(),
            id.id.as_str().into(),
            id.member.as_str().into(),
            duration.map(str::to_owned).into(),
            reset_at.into(),
            now.into(),
            now.into(),
        ];
        let insert = Statement::from_sql_and_values(self.sea_backend(), sql, values);
        self.conn.execute_raw(insert).await.map_err(failed)?;
        self.scope(id).await?.ok_or_else(|| {
            DbError::new(DbErrorKind::Internal, format!("the part `{}` of `{}` vanished", id.member, id.id))
        })
    }

    /// The parts of an owner are another's from now on.
    pub(super) async fn move_parts(
        &self,
        transaction: &DatabaseTransaction,
        from: &str,
        to: &str,
    ) -> Result<(), DbError> {
        for table in ["scopes", "budget_leases"] {
            let sql = format!("UPDATE {table} SET id = $1 WHERE kind = 'part' AND id = $2");
            let update = Statement::from_sql_and_values(self.sea_backend(), sql, [to.into(), from.into()]);
            transaction.execute_raw(update).await.map_err(failed)?;
        }
        Ok(())
    }
}

/// Deletes the parts of an owner that is deleted, and what is leased of them.
pub(super) async fn drop_parts(
    db: &Db,
    transaction: &DatabaseTransaction,
    owner: &str,
) -> Result<(), DbError> {
    for table in ["scopes", "budget_leases"] {
        let sql = format!("DELETE FROM {table} WHERE kind = 'part' AND id = $1");
        let delete = Statement::from_sql_and_values(db.sea_backend(), sql, [owner.into()]);
        transaction.execute_raw(delete).await.map_err(failed)?;
    }
    Ok(())
}

fn failed(error: DbErr) -> DbError {
    DbError::from_sea("cannot keep parts of budgets", error)
}
