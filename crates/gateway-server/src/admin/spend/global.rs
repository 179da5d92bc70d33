//! `/global/*` and what is of no key or team: sums of the whole gateway, budgets of providers.

use std::collections::HashMap;

use gateway_db::{KeyPatch, KeyQuery, ReportQuery, ReportRow, ScopeId, ScopeKind, ScopeQuery, SpendBy};
use http::StatusCode;
use llm_types::Money;
use serde_json::{Map, Value, json};

use super::super::days;
use super::super::job::Job;
use super::super::refusal::Refusal;
use super::super::scope_fields::ScopeEdit;
use super::super::view::time;
use super::{add, sums};
use crate::state::fund_of_provider;
use crate::walk::Caller;

/// What was spent in all.
pub(super) async fn total(job: &Job) -> Result<Value, Refusal> {
    let rows = sums(job, None, &[]).await?;
    let spend = rows.first().map_or(0.0, |row| row.sums.cost.as_usd());
    Ok(json!({ "spend": spend, "max_budget": 0.0 }))
}

/// What was spent each day.
pub(super) async fn by_day(job: &Job) -> Result<Value, Refusal> {
    let mut rows = sums(job, None, &[SpendBy::Day]).await?;
    rows.sort_by_key(|row| row.names[0].parse::<i64>().unwrap_or(0));
    let row = |row: &ReportRow| json!({ "date": days::text(&row.names[0]), "spend": row.sums.cost.as_usd() });
    Ok(rows.iter().map(row).collect())
}

/// The first rows, as many as `limit` says.
fn limited<T>(job: &Job, mut rows: Vec<T>) -> Vec<T> {
    if let Some(limit) = job.param("limit").and_then(|text| text.parse().ok()) {
        rows.truncate(limit);
    }
    rows
}

/// What was spent on each model or provider.
pub(super) async fn named(job: &Job, by: SpendBy, name: &str, spend: &str) -> Result<Value, Refusal> {
    let rows = limited(job, sums(job, None, &[by]).await?);
    Ok(rows.iter().map(|row| json!({ name: row.names[0], spend: row.sums.cost.as_usd() })).collect())
}

/// The dearest keys.
pub(super) async fn by_keys(job: &Job) -> Result<Value, Refusal> {
    let rows = limited(job, sums(job, None, &[SpendBy::Key]).await?);
    let hashes: Vec<&str> = rows.iter().map(|row| row.names[0].as_str()).collect();
    let names = job.db.key_names(&hashes).await?;
    let row = |row: &ReportRow| {
        let hash = &row.names[0];
        let key = names.get(hash);
        json!({
            "api_key": hash,
            "key_alias": key.and_then(|key| key.alias.as_ref()),
            "key_name": key.and_then(|key| key.name.as_ref()),
            "total_spend": row.sums.cost.as_usd(),
        })
    };
    Ok(rows.iter().map(row).collect())
}

/// How LiteLLM names what belongs to no team.
const NO_TEAM: &str = "Unassigned";

/// What teams spent, in all and each day.
pub(super) async fn by_teams(job: &Job) -> Result<Value, Refusal> {
    let mut aliases = Map::new();
    for team in job.db.list_scopes(&ScopeQuery::of(ScopeKind::Team)).await?.items {
        let name = team.settings.alias.unwrap_or_else(|| team.id.id.clone());
        aliases.insert(team.id.id, json!(name));
    }
    let name = |id: &str| match aliases.get(id).and_then(Value::as_str) {
        _ if id.is_empty() => NO_TEAM.to_owned(),
        Some(alias) => alias.to_owned(),
        None => id.to_owned(),
    };
    let totals = sums(job, None, &[SpendBy::Team]).await?;
    let mut by_day = sums(job, None, &[SpendBy::Day, SpendBy::Team]).await?;
    by_day.sort_by_key(|row| row.names[0].parse::<i64>().unwrap_or(0));
    let mut daily: Vec<Map<String, Value>> = Vec::new();
    for row in by_day {
        let date = json!(days::text(&row.names[0]));
        if daily.last().is_none_or(|last| last.get("date") != Some(&date)) {
            daily.push(Map::from_iter([("date".to_owned(), date)]));
        }
        if let Some(last) = daily.last_mut() {
            add(last, &name(&row.names[1]), row.sums.cost.as_usd());
        }
    }
    let names: Vec<String> = totals.iter().map(|row| name(&row.names[0])).collect();
    let totals: Vec<Value> = totals
        .iter()
        .map(|row| json!({ "team_id": name(&row.names[0]), "total_spend": row.sums.cost.as_usd() }))
        .collect();
    Ok(json!({ "daily_spend": daily, "teams": names, "total_spend_per_team": totals }))
}

/// `/global/all_end_users`: the customers that calls named.
pub(super) async fn all_customers(job: &Job) -> Result<Value, Refusal> {
    let rows = sums(job, Some(ScopeKind::Customer), &[SpendBy::Scope]).await?;
    let mut names: Vec<String> = rows.into_iter().flat_map(|row| row.names).collect();
    names.sort_unstable();
    Ok(json!({ "end_users": names }))
}

/// The dearest customers.
pub(super) async fn customers(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let mut query =
        ReportQuery { of: Some(ScopeKind::Customer), by: vec![SpendBy::Scope], ..ReportQuery::default() };
    if let gateway_db::Change::Set(key) = fields.text("api_key") {
        query.only.push((SpendBy::Key, vec![super::super::keys::hash_of(&key).to_string()]));
    }
    let rows = job.db.spend_report(&query).await?;
    let row = |row: &ReportRow| {
        let sums = &row.sums;
        json!({ "end_user": row.names[0], "total_count": sums.requests, "total_spend": sums.cost.as_usd() })
    };
    Ok(rows.iter().map(row).collect())
}

/// `/provider/budgets`: what `provider_budget_config` lets be spent at providers, and what has been.
pub(super) async fn providers(job: &Job) -> Result<Value, Refusal> {
    let snapshot = job.shared.snapshot();
    let budgets = &snapshot.config.budgets.providers;
    if budgets.is_empty() {
        let words = "No provider budgets are set: see `provider_budget_config` in `router_settings`";
        return Err(Refusal::detail(StatusCode::INTERNAL_SERVER_ERROR, words));
    }
    let funds = snapshot.funds.all();
    let kept: HashMap<&str, &ScopeId> = funds.map(|fund| (fund.owner.as_str(), &fund.id)).collect();
    let mut rows = Map::new();
    for (name, allowance) in budgets {
        let record = match kept.get(fund_of_provider(name).as_str()) {
            Some(id) => job.db.scope(id).await?,
            None => None,
        };
        let spend = record.as_ref().map_or(Money::ZERO, |record| job.spent(record));
        let row = json!({
            "budget_limit": allowance.max.as_usd(),
            "time_period": allowance.period,
            "spend": spend.as_usd(),
            "budget_reset_at": time(record.and_then(|record| record.settings.budget_reset_at)),
        });
        rows.insert(name.clone(), row);
    }
    Ok(json!({ "providers": rows }))
}

/// `/global/spend/reset`: what all keys and teams have spent in their periods becomes nothing. Logs and daily
/// sums stay. The master key alone may do it.
pub(super) async fn reset_all(job: &Job) -> Result<Value, Refusal> {
    if !matches!(job.caller, Caller::Operator) {
        return Err(crate::routes::operators_only(&job.caller, "/global/spend/reset").into());
    }
    let mut keys = job.all_keys(KeyQuery::default()).await?;
    keys.retain(|key| job.shared.directory.spent(key) != Money::ZERO);
    for key in keys {
        job.change(&key.hash, KeyPatch { spend: Some(Money::ZERO), ..KeyPatch::default() }).await?;
    }
    for team in job.db.list_scopes(&ScopeQuery::of(ScopeKind::Team)).await?.items {
        job.edit(&team.id, ScopeEdit { spend: Some(Money::ZERO), ..ScopeEdit::default() }).await?;
    }
    Ok(json!({ "message": "Spend for all API Keys and Teams reset successfully", "status": "success" }))
}
