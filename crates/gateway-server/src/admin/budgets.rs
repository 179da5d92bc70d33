//! `/budget/*`: limits that teams' members, customers, organisations and tags share (surface §3.7).

use gateway_db::{ScopeId, ScopeKind, ScopeQuery, ScopeRecord};
use http::StatusCode;
use llm_types::Money;
use serde_json::{Value, json};

use super::fields::always;
use super::job::Job;
use super::refusal::Refusal;
use super::scope_fields::ScopeEdit;
use super::scope_view as view;
use crate::identity::new_id;

mod paged;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BudgetAction {
    New,
    Update,
    Delete,
    Info,
    List,
    ListPaged,
    Settings,
}

impl BudgetAction {
    /// Whether it changes nothing.
    pub(super) fn reads(self) -> bool {
        matches!(self, Self::Info | Self::List | Self::ListPaged | Self::Settings)
    }
}

/// Does what is asked about budgets.
pub(super) async fn run(job: Job, action: BudgetAction) -> Result<Value, Refusal> {
    match action {
        BudgetAction::New => new(&job).await,
        BudgetAction::Update => update(&job).await,
        BudgetAction::Delete => delete(&job).await,
        BudgetAction::Info => info(&job).await,
        BudgetAction::List => list(&job).await,
        BudgetAction::ListPaged => paged::list(&job).await,
        BudgetAction::Settings => settings(&job).await,
    }
}

async fn new(job: &Job) -> Result<Value, Refusal> {
    let (id, edit) = read(job, true)?;
    if job.db.scope(&budget(&id)).await?.is_some() {
        return Err(Refusal::taken(&budget(&id)));
    }
    Ok(row(&job.make_new(budget(&id), edit.settings(), Money::ZERO).await?))
}

/// What a request asks for; a new budget that it does not name gets a name.
fn read(job: &Job, is_new: bool) -> Result<(String, ScopeEdit), Refusal> {
    let mut fields = job.fields()?;
    let id = match is_new {
        true => always(fields.text("budget_id")).unwrap_or_default(),
        false => fields.required("budget_id"),
    };
    let id = if id.is_empty() && is_new { new_id() } else { id };
    let models = always(fields.texts("allowed_models"));
    let mut edit = fields.scope(&job.moment)?;
    edit.models = models;
    Ok((id, edit))
}

async fn update(job: &Job) -> Result<Value, Refusal> {
    let (id, edit) = read(job, false)?;
    existing(job, &id).await?;
    Ok(row(&job.edit(&budget(&id), edit).await?))
}

async fn delete(job: &Job) -> Result<Value, Refusal> {
    let id = job.fields()?.naming("id")?;
    let record = existing(job, &id).await?;
    job.remove(std::slice::from_ref(&record.id)).await?;
    Ok(row(&record))
}

async fn info(job: &Job) -> Result<Value, Refusal> {
    let ids = job.fields()?.naming_several("budgets")?;
    if ids.is_empty() {
        return Ok(json!([]));
    }
    let found = job.db.list_scopes(&ScopeQuery { ids, ..ScopeQuery::of(ScopeKind::Budget) }).await?;
    Ok(found.items.iter().map(row).collect())
}

async fn list(job: &Job) -> Result<Value, Refusal> {
    let found = job.db.list_scopes(&ScopeQuery::of(ScopeKind::Budget)).await?;
    Ok(found.items.iter().map(row).collect())
}

/// The fields of a budget, their types, what they mean, and what this one has in them.
const FIELDS: [(&str, &str, &str); 6] = [
    ("max_parallel_requests", "Integer", "calls at the same time"),
    ("tpm_limit", "Integer", "tokens in a minute"),
    ("rpm_limit", "Integer", "requests in a minute"),
    ("budget_duration", "String", "after which spend starts anew, such as `30d`"),
    ("max_budget", "Float", "dollars that may be spent in a period"),
    ("soft_budget", "Float", "dollars after which an alert is raised"),
];

async fn settings(job: &Job) -> Result<Value, Refusal> {
    let id = job.param("budget_id").ok_or_else(|| Refusal::missing("budget_id"))?;
    let row = view::budget(&existing(job, &id).await?);
    let field = |(name, kind, words): &(&str, &str, &str)| {
        let value = row.get(*name).cloned().unwrap_or(Value::Null);
        json!({
            "field_name": name,
            "field_type": kind,
            "field_description": words,
            "stored_in_db": !value.is_null(),
            "field_value": value,
            "field_default_value": null,
        })
    };
    Ok(FIELDS.iter().map(field).collect())
}

fn budget(id: &str) -> ScopeId {
    ScopeId::new(ScopeKind::Budget, id)
}

fn row(record: &ScopeRecord) -> Value {
    Value::Object(view::budget(record))
}

async fn existing(job: &Job, id: &str) -> Result<ScopeRecord, Refusal> {
    let found = job.db.scope(&budget(id)).await?;
    found.ok_or_else(|| {
        Refusal::detail(StatusCode::NOT_FOUND, format!("Budget with id '{id}' does not exist."))
    })
}
