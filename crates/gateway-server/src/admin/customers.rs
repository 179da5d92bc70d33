//! `/customer/*` and `/end_user/*`: the end users that requests name (surface §3.7).

use gateway_db::{Change, ScopeId, ScopeKind, ScopeQuery, ScopeRecord};
use llm_types::ErrorKind;
use serde_json::{Value, json};

use super::job::Job;
use super::refusal::Refusal;
use super::scope_fields::ScopeEdit;
use super::scope_view as view;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CustomerAction {
    New,
    Update,
    Delete,
    Info,
    List,
    Block,
    Unblock,
}

/// Does what is asked about customers.
pub(super) async fn run(job: Job, action: CustomerAction) -> Result<Value, Refusal> {
    match action {
        CustomerAction::New => new(&job).await,
        CustomerAction::Update => update(&job).await,
        CustomerAction::Delete => delete(&job).await,
        CustomerAction::Info => info(&job).await,
        CustomerAction::List => list(&job).await,
        CustomerAction::Block => block(&job, true).await,
        CustomerAction::Unblock => block(&job, false).await,
    }
}

async fn new(job: &Job) -> Result<Value, Refusal> {
    let (id, mut edit) = read(job)?;
    if matches!((&edit.budget_id, &edit.limits.max_budget), (Change::Set(_), Change::Set(_))) {
        let message = "Set either 'max_budget' or 'budget_id', not both.";
        let problem = Refusal::field("value_error", "budget_id", message, &Value::Null);
        return Err(Refusal::Fields(vec![problem]));
    }
    if job.db.scope(&customer(&id)).await?.is_some() {
        return Err(Refusal::taken(&customer(&id)));
    }
    let spend = edit.spend.take().unwrap_or_default();
    let record = job.make_new(customer(&id), edit.settings(), spend).await?;
    Ok(row(job, &record))
}

fn read(job: &Job) -> Result<(String, ScopeEdit), Refusal> {
    let mut fields = job.fields()?;
    let id = fields.required("user_id");
    let alias = fields.text("alias");
    let mut edit = fields.scope(&job.moment)?;
    edit.alias = alias;
    Ok((id, edit))
}

async fn update(job: &Job) -> Result<Value, Refusal> {
    let (id, edit) = read(job)?;
    existing(job, &id).await?;
    Ok(row(job, &job.edit(&customer(&id), edit).await?))
}

async fn delete(job: &Job) -> Result<Value, Refusal> {
    let ids = named(job)?;
    for id in &ids {
        existing(job, id).await?;
    }
    let scopes: Vec<ScopeId> = ids.iter().map(|id| customer(id)).collect();
    let deleted = job.remove(&scopes).await?.len();
    Ok(json!({
        "deleted_customers": deleted,
        "message": format!("Successfully deleted customers with ids: {}", ids.join(", ")),
    }))
}

fn named(job: &Job) -> Result<Vec<String>, Refusal> {
    job.fields()?.naming_several("user_ids")
}

async fn info(job: &Job) -> Result<Value, Refusal> {
    let Some(id) = job.param("end_user_id") else {
        return Err(Refusal::missing("end_user_id"));
    };
    Ok(row(job, &existing(job, &id).await?))
}

async fn list(job: &Job) -> Result<Value, Refusal> {
    let found = job.db.list_scopes(&ScopeQuery::of(ScopeKind::Customer)).await?;
    Ok(found.items.iter().map(|record| row(job, record)).collect())
}

/// Blocks customers or lets them in again; one that nobody has made is made, so that it stays out.
async fn block(job: &Job, blocked: bool) -> Result<Value, Refusal> {
    let mut rows = Vec::new();
    for id in named(job)? {
        let edit = ScopeEdit { blocked: Some(blocked), ..ScopeEdit::default() };
        let record = match job.db.scope(&customer(&id)).await? {
            Some(record) => job.edit(&record.id, edit).await?,
            None => job.make(customer(&id), edit.settings(), llm_types::Money::ZERO).await?,
        };
        rows.push(row(job, &record));
    }
    if blocked {
        return Ok(json!({ "blocked_users": rows }));
    }
    let still = job.db.list_scopes(&ScopeQuery::of(ScopeKind::Customer)).await?;
    let still = still.items.iter().filter(|record| record.settings.blocked).map(|record| &record.id.id);
    Ok(json!({ "blocked_users": still.collect::<Vec<_>>() }))
}

fn customer(id: &str) -> ScopeId {
    ScopeId::new(ScopeKind::Customer, id)
}

fn row(job: &Job, record: &ScopeRecord) -> Value {
    Value::Object(view::customer(record, job.spent(record)))
}

async fn existing(job: &Job, id: &str) -> Result<ScopeRecord, Refusal> {
    let found = job.db.scope(&customer(id)).await?;
    found.ok_or_else(|| {
        let message = format!("End User Id={id} does not exist in db");
        Refusal::about(ErrorKind::NotFound, "not_found", "end_user_id", message)
    })
}
