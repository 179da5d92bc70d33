//! What may be spent on the models of an access group: one budget for whoever may use them because of it.

use gateway_db::{Change, ScopeId, ScopeKind, ScopeRecord};
use http::StatusCode;
use llm_types::Money;
use serde_json::{Value, json};

use super::super::fields;
use super::super::job::Job;
use super::super::refusal::Refusal;
use super::super::scope_fields::{LimitEdit, ScopeEdit};
use super::super::view::time;
use super::{bad, existing, scope};

pub(super) async fn shown(job: &Job) -> Result<Value, Refusal> {
    let (name, _) = existing(job).await?;
    row(job, &name, job.db.scope(&scope(&name)).await?.as_ref()).await
}

/// Sets what a request says; what it leaves open stays.
pub(super) async fn set(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let limits = LimitEdit {
        max_budget: fields.money("max_budget"),
        soft_budget: fields.money("soft_budget"),
        budget_duration: fields.period("budget_duration"),
        ..LimitEdit::default()
    };
    let budget_id = fields.text("budget_id");
    fields.finish()?;
    let said = [limits.max_budget != Change::Keep, limits.soft_budget != Change::Keep];
    let says = said.contains(&true) || limits.budget_duration != Change::Keep || budget_id != Change::Keep;
    if !says {
        return Err(bad("One of max_budget, soft_budget, budget_duration or budget_id is required"));
    }
    let budget_reset_at = fields::reset(&limits.budget_duration, &job.moment)?;
    let (name, _) = existing(job).await?;
    if let Change::Set(id) = &budget_id
        && shared(job, id).await?.is_none()
    {
        return Err(Refusal::detail(StatusCode::NOT_FOUND, format!("Budget with id '{id}' does not exist.")));
    }
    let limits = LimitEdit { budget_reset_at, ..limits };
    let edit = ScopeEdit { limits, budget_id, ..ScopeEdit::default() };
    let record = match job.db.scope(&scope(&name)).await? {
        Some(record) => job.edit(&record.id, edit).await?,
        None => job.make(scope(&name), edit.settings(), Money::ZERO).await?,
    };
    row(job, &name, Some(&record)).await
}

pub(super) async fn clear(job: &Job) -> Result<Value, Refusal> {
    let (name, _) = existing(job).await?;
    let deleted = !job.remove(&[scope(&name)]).await?.is_empty();
    let message = match deleted {
        true => format!("Budget for access group '{name}' deleted successfully"),
        false => format!("Access group '{name}' has no budget to delete"),
    };
    Ok(json!({ "access_group": name, "budget_deleted": deleted, "message": message }))
}

async fn shared(job: &Job, id: &str) -> Result<Option<ScopeRecord>, Refusal> {
    Ok(job.db.scope(&ScopeId::new(ScopeKind::Budget, id)).await?)
}

/// The budget of a group, and what is spent of it; its own limits count before those of the shared one it names.
pub(super) async fn row(job: &Job, name: &str, own: Option<&ScopeRecord>) -> Result<Value, Refusal> {
    let Some(record) = own else {
        return Ok(json!({ "access_group": name, "spend": 0.0, "budget": null }));
    };
    let set = &record.settings;
    let shared = match &set.budget_id {
        Some(id) => shared(job, id).await?.map(|budget| budget.settings),
        None => None,
    };
    let shared = shared.unwrap_or_default();
    let usd = |own: Option<Money>, shared: Option<Money>| own.or(shared).map(Money::as_usd);
    Ok(json!({
        "access_group": name,
        "spend": job.spent(record).as_usd(),
        "budget": {
            "budget_id": set.budget_id,
            "max_budget": usd(set.max_budget, shared.max_budget),
            "soft_budget": usd(set.soft_budget, shared.soft_budget),
            "budget_duration": set.budget_duration.clone().or(shared.budget_duration),
            "budget_reset_at": time(set.budget_reset_at.or(shared.budget_reset_at)),
        },
    }))
}
