//! Budget periods: spend goes back to zero when a period ends.

use llm_types::{KeyHash, Money};

use sea_orm::{ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};

use crate::entity::verification_keys::{ActiveModel, Column, Entity, Model};
use crate::{Db, DbError};

/// A key whose budget period has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueBudget {
    /// The key.
    pub hash: KeyHash,
    /// The period in LiteLLM's words, such as `30d`.
    pub duration: Option<String>,
    /// When the period ended.
    pub reset_at: i64,
    /// What was spent in it, as far as shipped.
    pub spend: Money,
}

impl Db {
    /// Starts a new period for every living key whose period ended at `now` or before: its spend becomes
    /// zero and `next` says when the new period ends (`None`: it never does). Returns what was reset;
    /// several replicas may do this at the same time, and each key is reset by one of them.
    ///
    /// # Errors
    /// When the database refuses; then no key is reset.
    pub async fn reset_due_budgets(
        &self,
        now: i64,
        next: impl Fn(&DueBudget) -> Option<i64> + Send,
    ) -> Result<Vec<DueBudget>, DbError> {
        let (transaction, version) = self.begin_key_change().await?;
        let rows = Entity::find()
            .filter(Column::BudgetResetAt.lte(now))
            .filter(Column::DeletedAt.is_null())
            .order_by_asc(Column::Hash)
            .lock_exclusive()
            .all(&transaction)
            .await
            .map_err(failed)?;
        let due: Vec<DueBudget> = rows.into_iter().filter_map(due).collect();
        if due.is_empty() {
            transaction.rollback().await.map_err(failed)?;
            return Ok(due);
        }
        for key in &due {
            let mut change = <ActiveModel as ActiveModelTrait>::default();
            change.hash = Set(key.hash.as_str().to_owned());
            change.spend = Set(0);
            change.budget_reset_at = Set(next(key));
            change.version = Set(version);
            Entity::update(change).exec(&transaction).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)?;
        Ok(due)
    }
}

fn due(row: Model) -> Option<DueBudget> {
    Some(DueBudget {
        hash: KeyHash::from(row.hash),
        duration: row.budget_duration,
        reset_at: row.budget_reset_at?,
        spend: Money(row.spend),
    })
}

fn failed(error: DbErr) -> DbError {
    DbError::from_sea("cannot start new budget periods", error)
}
