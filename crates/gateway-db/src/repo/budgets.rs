//! Budget periods: spend goes back to zero when a period ends.

use std::collections::BTreeMap;

use llm_types::{KeyHash, Money};

use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Set,
};

use sea_orm::sea_query::Expr;

use super::feed::Feed;
use super::scope_row::kind;
use crate::entity::scopes;
use crate::entity::verification_keys::{ActiveModel, Column, Entity, Model};
use crate::{Backend, Db, DbError, ScopeId, ScopeKind};

/// A key whose budget period has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueBudget {
    /// The key.
    pub hash: KeyHash,
    /// The period in LiteLLM's words, such as `30d`.
    pub duration: Option<String>,
    /// When the period ended; zero where it was a shared budget's.
    pub reset_at: i64,
    /// What of it is forgotten: what was spent, as far as shipped, less what is carried over.
    pub spend: Money,
}

/// Whose spend went back to zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndedPeriods {
    /// Scopes.
    pub scopes: Vec<DueScope>,
    /// Keys that take their limits from a shared budget whose period ended, and have no period of their own.
    pub keys: Vec<DueBudget>,
}

/// A scope whose spend went back to zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueScope {
    /// The scope.
    pub id: ScopeId,
    /// What of it is forgotten: what was spent, as far as shipped, less what is carried over.
    pub spend: Money,
}

/// What of a period's spend goes into the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carry {
    /// Nothing: it begins at zero.
    Nothing,
    /// What was spent beyond the budget.
    Overspend,
}

impl Carry {
    /// What the next period begins with; a budget that is not known carries nothing over.
    fn of(self, spend: i64, max_budget: Option<i64>) -> i64 {
        match (self, max_budget) {
            (Self::Overspend, Some(max)) => spend.saturating_sub(max).max(0),
            _ => 0,
        }
    }
}

impl Db {
    /// Whether any key's period ended at `now` or before.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn keys_are_due(&self, now: i64) -> Result<bool, DbError> {
        let due = Entity::find().filter(Column::BudgetResetAt.lte(now)).filter(Column::DeletedAt.is_null());
        Ok(due.count(&self.conn).await.map_err(failed)? > 0)
    }

    /// Whether any scope's period ended at `now` or before.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn scopes_are_due(&self, now: i64) -> Result<bool, DbError> {
        let due = scopes::Entity::find().filter(scopes::Column::BudgetResetAt.lte(now));
        let due = due.filter(scopes::Column::DeletedAt.is_null());
        Ok(due.count(&self.conn).await.map_err(failed)? > 0)
    }

    /// Starts a new period for every living scope, and every key of a shared budget, whose own period or that of
    /// the shared budget it takes its limits from ended at `now` or before: its spend becomes what `carry` says, and `next` says by the period's
    /// words and end when the new one ends (`None`: it never does). Returns what was reset; several
    /// replicas may do this at the same time, and each scope is reset by one of them.
    ///
    /// # Errors
    /// When the database refuses; then no scope is reset.
    pub async fn reset_due_scopes(
        &self,
        now: i64,
        carry: Carry,
        next: impl Fn(Option<&str>, i64) -> Option<i64> + Send,
    ) -> Result<EndedPeriods, DbError> {
        let (transaction, keys_version) = self.begin_change(Feed::Keys).await?;
        let version = self.next_version(&transaction, Feed::Scopes).await?;
        let due = scopes::Entity::find().filter(scopes::Column::BudgetResetAt.lte(now));
        let ended = living_in_order(due).all(&transaction).await.map_err(failed)?;
        if ended.is_empty() {
            transaction.rollback().await.map_err(failed)?;
            return Ok(EndedPeriods::default());
        }
        let budgets = ended.iter().filter(|row| row.kind == ScopeKind::Budget.as_str());
        let budgets: BTreeMap<String, Option<i64>> =
            budgets.map(|row| (row.id.clone(), row.max_budget)).collect();
        let sharers = scopes::Entity::find()
            .filter(scopes::Column::BudgetId.is_in(budgets.keys().map(String::as_str)))
            .filter(scopes::Column::BudgetResetAt.is_null());
        let sharers = living_in_order(sharers).all(&transaction).await.map_err(failed)?;
        let keys = self.reset_sharing_keys(&transaction, &budgets, carry, keys_version).await?;
        let mut reset = Vec::with_capacity(ended.len() + sharers.len());
        for row in ended.into_iter().chain(sharers) {
            let lent = row.budget_id.as_ref().and_then(|budget| budgets.get(budget).copied().flatten());
            let rest = carry.of(row.spend, row.max_budget.or(lent));
            let mut change = row.clone().into_active_model();
            change.spend = Set(rest);
            change.version = Set(version);
            if let Some(at) = row.budget_reset_at {
                change.budget_reset_at = Set(next(row.budget_duration.as_deref(), at));
            }
            scopes::Entity::update(change).exec(&transaction).await.map_err(failed)?;
            let id = ScopeId { kind: kind(&row.kind)?, id: row.id, member: row.member };
            reset.push(DueScope { id, spend: Money(row.spend - rest) });
        }
        transaction.commit().await.map_err(failed)?;
        Ok(EndedPeriods { scopes: reset, keys })
    }

    async fn reset_sharing_keys(
        &self,
        transaction: &DatabaseTransaction,
        budgets: &BTreeMap<String, Option<i64>>,
        carry: Carry,
        version: i64,
    ) -> Result<Vec<DueBudget>, DbError> {
        let mut reset = Vec::new();
        for (budget, max_budget) in budgets {
            let shares = match self.backend() {
                Backend::Sqlite => {
                    Expr::cust_with_values("json_extract(extra, '$.budget_id') = ?", [budget.as_str()])
                }
                Backend::Postgres => Expr::cust_with_values("extra->>'budget_id' = $1", [budget.as_str()]),
            };
            let keys = Entity::find()
                .filter(shares)
                .filter(Column::BudgetResetAt.is_null())
                .filter(Column::DeletedAt.is_null())
                .order_by_asc(Column::Hash)
                .lock_exclusive();
            for row in keys.all(transaction).await.map_err(failed)? {
                let mut change = <ActiveModel as ActiveModelTrait>::default();
                let rest = carry.of(row.spend, row.max_budget.or(*max_budget));
                change.hash = Set(row.hash.clone());
                change.spend = Set(rest);
                change.version = Set(version);
                Entity::update(change).exec(transaction).await.map_err(failed)?;
                let (hash, spend) = (KeyHash::from(row.hash), Money(row.spend - rest));
                reset.push(DueBudget { hash, duration: row.budget_duration, reset_at: 0, spend });
            }
        }
        Ok(reset)
    }

    /// Starts a new period for every living key whose period ended at `now` or before: its spend becomes
    /// what `carry` says and `next` says when the new period ends (`None`: it never does). Returns what was reset;
    /// several replicas may do this at the same time, and each key is reset by one of them.
    ///
    /// # Errors
    /// When the database refuses; then no key is reset.
    pub async fn reset_due_budgets(
        &self,
        now: i64,
        carry: Carry,
        next: impl Fn(&DueBudget) -> Option<i64> + Send,
    ) -> Result<Vec<DueBudget>, DbError> {
        let (transaction, version) = self.begin_change(Feed::Keys).await?;
        let rows = Entity::find()
            .filter(Column::BudgetResetAt.lte(now))
            .filter(Column::DeletedAt.is_null())
            .order_by_asc(Column::Hash)
            .lock_exclusive()
            .all(&transaction)
            .await
            .map_err(failed)?;
        let due: Vec<(DueBudget, i64)> = rows.into_iter().filter_map(|row| due(row, carry)).collect();
        if due.is_empty() {
            transaction.rollback().await.map_err(failed)?;
            return Ok(Vec::new());
        }
        for (key, rest) in &due {
            let mut change = <ActiveModel as ActiveModelTrait>::default();
            change.hash = Set(key.hash.as_str().to_owned());
            change.spend = Set(*rest);
            change.budget_reset_at = Set(next(key));
            change.version = Set(version);
            Entity::update(change).exec(&transaction).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)?;
        Ok(due.into_iter().map(|(key, _)| key).collect())
    }
}

/// In the order the shipper locks them in.
fn living_in_order(rows: sea_orm::Select<scopes::Entity>) -> sea_orm::Select<scopes::Entity> {
    rows.filter(scopes::Column::DeletedAt.is_null())
        .order_by_asc(scopes::Column::Kind)
        .order_by_asc(scopes::Column::Id)
        .order_by_asc(scopes::Column::Member)
        .lock_exclusive()
}

/// The key, and what its next period begins with.
fn due(row: Model, carry: Carry) -> Option<(DueBudget, i64)> {
    let rest = carry.of(row.spend, row.max_budget);
    let key = DueBudget {
        hash: KeyHash::from(row.hash),
        duration: row.budget_duration,
        reset_at: row.budget_reset_at?,
        spend: Money(row.spend - rest),
    };
    Some((key, rest))
}

fn failed(error: DbErr) -> DbError {
    DbError::from_sea("cannot start new budget periods", error)
}
