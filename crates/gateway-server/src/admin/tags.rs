//! `/tag/*`: request tags with models and budgets (surface §3.7).

use gateway_db::{Change, ScopeId, ScopeKind, ScopeQuery, ScopeRecord};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::job::Job;
use super::refusal::Refusal;
use super::scope_fields::ScopeEdit;
use super::scope_view as view;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TagAction {
    New,
    Update,
    Delete,
    Info,
    List,
}

/// Does what is asked about tags.
pub(super) async fn run(job: Job, action: TagAction) -> Result<Value, Refusal> {
    match action {
        TagAction::New => new(&job).await,
        TagAction::Update => update(&job).await,
        TagAction::Delete => delete(&job).await,
        TagAction::Info => info(&job).await,
        TagAction::List => list(&job).await,
    }
}

fn read(job: &Job) -> Result<(String, ScopeEdit), Refusal> {
    let mut fields = job.fields()?;
    let name = fields.required("name")?;
    Ok((name, fields.scope(&job.moment)?))
}

async fn new(job: &Job) -> Result<Value, Refusal> {
    let (name, mut edit) = read(job)?;
    if job.db.scope(&tag(&name)).await?.is_some() {
        return Err(Refusal::detail(StatusCode::BAD_REQUEST, format!("Tag {name} already exists")));
    }
    let spend = edit.spend.take().unwrap_or_default();
    let record = job.make(tag(&name), edit.settings(), spend).await?;
    Ok(json!({ "message": format!("Tag {name} created successfully"), "tag": row(job, &record) }))
}

async fn update(job: &Job) -> Result<Value, Refusal> {
    let (name, edit) = read(job)?;
    existing(job, &name).await?;
    let record = job.edit(&tag(&name), edit).await?;
    Ok(json!({ "message": format!("Tag {name} updated successfully"), "tag": row(job, &record) }))
}

async fn delete(job: &Job) -> Result<Value, Refusal> {
    let name = job.fields()?.required("name")?;
    let record = existing(job, &name).await?;
    job.remove(std::slice::from_ref(&record.id)).await?;
    Ok(json!({ "message": format!("Tag {name} deleted successfully") }))
}

async fn info(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let Change::Set(names) = fields.texts("names") else {
        fields.finish()?;
        return Err(Refusal::missing("names"));
    };
    let mut rows = Map::new();
    for name in names {
        let record = existing(job, &name).await?;
        rows.insert(name, row(job, &record));
    }
    Ok(Value::Object(rows))
}

async fn list(job: &Job) -> Result<Value, Refusal> {
    let found = job.db.list_scopes(&ScopeQuery::of(ScopeKind::Tag)).await?;
    Ok(found.items.iter().map(|record| row(job, record)).collect())
}

fn tag(name: &str) -> ScopeId {
    ScopeId::new(ScopeKind::Tag, name)
}

fn row(job: &Job, record: &ScopeRecord) -> Value {
    Value::Object(view::tag(record, job.spent(record)))
}

async fn existing(job: &Job, name: &str) -> Result<ScopeRecord, Refusal> {
    let found = job.db.scope(&tag(name)).await?;
    found.ok_or_else(|| Refusal::detail(StatusCode::NOT_FOUND, format!("Tag {name} not found")))
}
