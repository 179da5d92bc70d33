//! `/tag/*`: request tags with models and budgets (surface §3.7).

use std::collections::BTreeMap;

use gateway_db::{ScopeId, ScopeKind, ScopeQuery, ScopeRecord, SpendBy};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::days;
use super::job::Job;
use super::refusal::Refusal;
use super::scope_fields::ScopeEdit;
use super::scope_view as view;
use super::spend::sums;
use crate::walk::Role;

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
    let name = fields.required("name");
    Ok((name, fields.scope(&job.moment)?))
}

async fn new(job: &Job) -> Result<Value, Refusal> {
    let (name, mut edit) = read(job)?;
    if job.db.scope(&tag(&name)).await?.is_some() {
        return Err(Refusal::taken(&tag(&name)));
    }
    let spend = edit.spend.take().unwrap_or_default();
    let record = job.make_new(tag(&name), edit.settings(), spend).await?;
    Ok(json!({ "message": format!("Tag {name} created successfully"), "tag": row(job, &record) }))
}

async fn update(job: &Job) -> Result<Value, Refusal> {
    let (name, edit) = read(job)?;
    existing(job, &name).await?;
    let record = job.edit(&tag(&name), edit).await?;
    Ok(json!({ "message": format!("Tag {name} updated successfully"), "tag": row(job, &record) }))
}

async fn delete(job: &Job) -> Result<Value, Refusal> {
    let name = job.fields()?.naming("name")?;
    let record = existing(job, &name).await?;
    job.remove(std::slice::from_ref(&record.id)).await?;
    Ok(json!({ "message": format!("Tag {name} deleted successfully") }))
}

async fn info(job: &Job) -> Result<Value, Refusal> {
    let names = job.fields()?.naming_several("names")?;
    let mut rows = Map::new();
    for name in names {
        let record = existing(job, &name).await?;
        rows.insert(name, row(job, &record));
    }
    Ok(Value::Object(rows))
}

/// Every tag that is kept, and those that calls named; `start_date` and `end_date` choose among the latter. Who is
/// no administrator sees the tags of its own calls.
async fn list(job: &Job) -> Result<Value, Refusal> {
    if job.param("start_date").is_some() != job.param("end_date").is_some() {
        let words = "start_date and end_date must be provided together";
        return Err(Refusal::detail(StatusCode::BAD_REQUEST, words));
    }
    let mut used = used(job).await?;
    let stored = job.db.list_scopes(&ScopeQuery::of(ScopeKind::Tag)).await?.items;
    let shown = |record: &&ScopeRecord| job.caller.role() != Role::Other || used.contains_key(&record.id.id);
    let mut rows: Vec<Value> = stored.iter().filter(shown).map(|record| row(job, record)).collect();
    for record in &stored {
        used.remove(&record.id.id);
    }
    rows.extend(used.into_iter().map(|(name, (first, last))| {
        json!({
            "name": name,
            "description": "Named by calls, and kept by nobody: it has no models and no budget.",
            "models": null,
            "created_at": days::text(&first.to_string()),
            "updated_at": days::text(&last.to_string()),
        })
    }));
    Ok(Value::Array(rows))
}

/// The tags of calls, with the first and the last day of each.
async fn used(job: &Job) -> Result<BTreeMap<String, (i64, i64)>, Refusal> {
    let mut used: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for row in sums(job, Some(ScopeKind::Tag), &[SpendBy::Scope, SpendBy::Day]).await? {
        let [tag, day] = row.names.as_slice() else { continue };
        let Ok(day) = day.parse::<i64>() else { continue };
        let (first, last) = used.entry(tag.clone()).or_insert((day, day));
        (*first, *last) = ((*first).min(day), (*last).max(day));
    }
    Ok(used)
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
