//! Costs derived anew: calls of the spend log get another cost, and the difference goes to everybody who paid.
//!
//! What a call was booked at first stays in its row. A call whose cost is another than expected is left alone, so that a
//! correction that is made twice, or by two at once, counts once.

use std::collections::BTreeMap;

use llm_types::Money;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter,
};
use sea_orm::{QueryOrder, QuerySelect, Statement, Value};
use serde_json::json;

use super::partitions::DAY_MS;
use super::ship::{outcome_of, scopes_of, tools_of};
use super::spend::log_row;
use crate::audit::{Subject, Told};
use crate::entity::spend_log::{Column, Entity};
use crate::{Db, DbError, ScopeKind, SpendRow};

/// Calls whose costs are derived anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CostRange {
    /// Calls that arrived at this time or later.
    pub from: Option<i64>,
    /// Calls that arrived before this time.
    pub until: Option<i64>,
    /// Calls to this model group, or to the provider's model of this name.
    pub model: Option<String>,
}

/// A call and what it costs.
#[derive(Debug, Clone, Copy)]
pub struct Correction<'a> {
    /// The call as it was read.
    pub row: &'a SpendRow,
    /// What it costs.
    pub cost: Money,
}

/// What was corrected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Corrected {
    /// Calls.
    pub calls: u64,
    /// What they cost more, together.
    pub difference: Money,
}

impl Db {
    /// Calls of a range in the order they arrived, after one of them; `limit` of them at most.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn calls_to_price(
        &self,
        range: &CostRange,
        after: Option<(i64, &str)>,
        limit: u64,
    ) -> Result<Vec<SpendRow>, DbError> {
        let later = |(at, id): (i64, &str)| {
            let same = Condition::all().add(Column::StartedAt.eq(at)).add(Column::RequestId.gt(id));
            Condition::all()
                .add(Column::StartedAt.gte(at))
                .add(Condition::any().add(Column::StartedAt.gt(at)).add(same))
        };
        let of_model =
            |model: &str| Condition::any().add(Column::ModelGroup.eq(model)).add(Column::Model.eq(model));
        let matching = Condition::all()
            .add_option(range.from.map(|from| Column::StartedAt.gte(from)))
            .add_option(range.until.map(|until| Column::StartedAt.lt(until)))
            .add_option(range.model.as_deref().map(of_model))
            .add_option(after.map(later));
        let found =
            Entity::find().filter(matching).order_by_asc(Column::StartedAt).order_by_asc(Column::RequestId);
        let rows = found.limit(limit).all(&self.conn).await.map_err(failed)?;
        Ok(rows.into_iter().map(log_row).collect())
    }

    /// Gives calls their new costs, and adds the differences to daily sums and to what keys, teams, users and so on
    /// have spent ever; where they have no budget period, also to what counts for their budget. All of it or nothing,
    /// with a row in the audit log where somebody is acting. `why` says at which prices.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn correct_costs(
        &self,
        corrections: &[Correction<'_>],
        why: &serde_json::Value,
    ) -> Result<Corrected, DbError> {
        let transaction = self.begin_write().await?;
        let mut sums = Differences::default();
        for correction in corrections {
            if self.put_cost(&transaction, correction).await? {
                sums.add(correction);
            }
        }
        if sums.total.calls > 0 {
            for (sql, values) in sums.statements() {
                self.correct(&transaction, sql, values).await?;
            }
            let (before, after) = sums.told(why);
            self.note(&transaction, Some(Subject::Told(&before)), Some(Subject::Told(&after))).await?;
        }
        transaction.commit().await.map_err(failed)?;
        Ok(sums.total)
    }

    /// Writes a cost into its row; false where the row is gone or has another cost than it had.
    async fn put_cost(
        &self,
        transaction: &DatabaseTransaction,
        one: &Correction<'_>,
    ) -> Result<bool, DbError> {
        let row = one.row;
        // Bit 4 says that the price is unknown.
        let sql = "UPDATE spend_log SET booked_cost = COALESCE(booked_cost, cost), cost = $1, flags = flags & -5 \
                   WHERE request_id = $2 AND started_at = $3 AND COALESCE(cost, $4) = $4";
        let old = row.cost.map_or(UNPRICED, |cost| cost.0);
        let values = [one.cost.0.into(), row.request_id.as_str().into(), row.started_at.into(), old.into()];
        Ok(self.correct(transaction, sql, values.into()).await? == 1)
    }

    async fn correct(
        &self,
        transaction: &DatabaseTransaction,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<u64, DbError> {
        let statement = Statement::from_sql_and_values(self.sea_backend(), sql, values);
        transaction.execute_raw(statement).await.map(|done| done.rows_affected()).map_err(failed)
    }
}

/// Stands for no cost where costs are compared; no call costs it.
const UNPRICED: i64 = i64::MIN;

const KEY: &str = "UPDATE verification_keys SET total_spend = total_spend + $1, \
                   spend = CASE WHEN budget_duration IS NOT NULL THEN spend WHEN spend + $1 < 0 THEN 0 ELSE spend + $1 END \
                   WHERE hash = $2";
const SCOPE: &str = "UPDATE scopes SET total_spend = total_spend + $1, \
                     spend = CASE WHEN budget_duration IS NOT NULL THEN spend WHEN spend + $1 < 0 THEN 0 ELSE spend + $1 END \
                     WHERE kind = $2 AND id = $3 AND member = $4";
const DAY: &str = "UPDATE daily_spend SET cost = cost + $1, unpriced = unpriced - $2 WHERE day = $3 AND key_hash = $4 \
                   AND user_id = $5 AND team_id = $6 AND organization_id = $7 AND model_group = $8 AND model = $9 \
                   AND provider = $10 AND call_type = $11";
const SCOPE_DAY: &str = "UPDATE daily_scope_spend SET cost = cost + $1, unpriced = unpriced - $2 WHERE day = $3 \
                         AND kind = $4 AND id = $5 AND key_hash = $6 AND model_group = $7 AND model = $8 \
                         AND provider = $9 AND call_type = $10";

const TOOL_DAY: &str = "UPDATE daily_tool_spend SET cost = cost + $1 WHERE day = $2 AND tool = $3";

/// What corrections add up to, in the order rows are locked in.
#[derive(Debug, Default)]
struct Differences {
    total: Corrected,
    before: Money,
    first: Option<(i64, String)>,
    keys: BTreeMap<String, i64>,
    scopes: BTreeMap<(ScopeKind, String, String), i64>,
    /// Cost, and calls that have a price now, by the names of a row.
    days: BTreeMap<(i64, Vec<String>), (i64, i64)>,
    scope_days: BTreeMap<(i64, Vec<String>), (i64, i64)>,
    tool_days: BTreeMap<(i64, String), i64>,
}

impl Differences {
    fn add(&mut self, one: &Correction<'_>) {
        let row = one.row;
        let more = one.cost.0 - row.cost.map_or(0, |cost| cost.0);
        self.total.calls += 1;
        self.total.difference += Money(more);
        self.before += row.cost.unwrap_or_default();
        self.first.get_or_insert_with(|| (row.started_at, row.request_id.clone()));
        let outcome = outcome_of(row);
        let (owner, day) = (outcome.owner, row.started_at.div_euclid(DAY_MS));
        let priced = i64::from(row.cost.is_none());
        if !owner.key.is_empty() {
            *self.keys.entry(owner.key.to_owned()).or_default() += more;
        }
        let called = [outcome.model_group, outcome.model, outcome.provider, outcome.call_type];
        for ((kind, id, member), share) in scopes_of(&outcome) {
            let more = share.map_or(more, |share| share_of(one, share));
            if matches!(kind, ScopeKind::Customer | ScopeKind::Tag) {
                let names = [&[kind.as_str(), &id, owner.key], called.as_slice()].concat();
                add(&mut self.scope_days, day, &names, (more, priced));
            }
            *self.scopes.entry((kind, id.into_owned(), member.into_owned())).or_default() += more;
        }
        for tool in tools_of(&outcome) {
            *self.tool_days.entry((day, tool)).or_default() += more;
        }
        let owners = [owner.key, owner.user_id, owner.team_id, owner.organization_id];
        add(&mut self.days, day, &[owners.as_slice(), &called].concat(), (more, priced));
    }

    fn statements(&self) -> Vec<(&'static str, Vec<Value>)> {
        let keys = self.keys.iter().map(|(hash, more)| (KEY, vec![(*more).into(), hash.as_str().into()]));
        let scopes = self.scopes.iter().map(|((kind, id, member), more)| {
            let (id, member) = (id.as_str().into(), member.as_str().into());
            (SCOPE, vec![(*more).into(), kind.as_str().into(), id, member])
        });
        let days = self.days.iter().map(|day| (DAY, values_of(day)));
        let scope_days = self.scope_days.iter().map(|day| (SCOPE_DAY, values_of(day)));
        let tool_days = self
            .tool_days
            .iter()
            .map(|((day, tool), more)| (TOOL_DAY, vec![(*more).into(), (*day).into(), tool.as_str().into()]));
        keys.chain(scopes).chain(days).chain(scope_days).chain(tool_days).collect()
    }

    /// What the audit log says.
    fn told(&self, why: &serde_json::Value) -> (Told, Told) {
        let id = self.first.as_ref().map_or_else(String::new, |(_, id)| id.clone());
        let from = self.first.as_ref().map(|(at, _)| *at);
        let after = self.before + self.total.difference;
        let said = |cost: Money| json!({ "calls": self.total.calls, "from": from, "cost": cost.to_string() });
        let mut new = said(after);
        new["prices"] = why.clone();
        let costs = |id, told| Told { table: "LiteLLM_SpendLogs", id, told };
        (costs(id.clone(), said(self.before)), costs(id, new))
    }
}

/// What of a difference falls to somebody who paid a share of the call: as much of each cost as of what was booked at
/// first.
fn share_of(one: &Correction<'_>, share: i64) -> i64 {
    let row = one.row;
    let booked = row.booked_cost.or(row.cost).map_or(0, |cost| cost.0);
    if booked == 0 {
        // Nobody can say whose the cost is.
        return 0;
    }
    let part = |cost: Money| i128::from(cost.0) * i128::from(share) / i128::from(booked);
    i64::try_from(part(one.cost) - part(row.cost.unwrap_or_default())).unwrap_or(0)
}

fn add(days: &mut BTreeMap<(i64, Vec<String>), (i64, i64)>, day: i64, names: &[&str], more: (i64, i64)) {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let sum = days.entry((day, names)).or_default();
    *sum = (sum.0 + more.0, sum.1 + more.1);
}

fn values_of(((day, names), (cost, priced)): (&(i64, Vec<String>), &(i64, i64))) -> Vec<Value> {
    let numbers = [*cost, *priced, *day].map(Value::from);
    numbers.into_iter().chain(names.iter().map(|name| name.as_str().into())).collect()
}

fn failed(error: DbErr) -> DbError {
    DbError::from_sea("cannot correct what calls cost", error)
}
