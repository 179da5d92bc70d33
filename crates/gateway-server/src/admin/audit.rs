//! `/audit`: the log of what was changed over the management API, read.

use gateway_db::{AuditQuery, AuditRow, PageRequest};
use http::StatusCode;
use serde_json::{Value, json};

use super::days;
use super::job::Job;
use super::query;
use super::refusal::Refusal;
use super::view;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuditAction {
    List,
    One,
}

/// The most rows of a page.
const MOST: u64 = 1_000;

/// Answers a question about the audit log.
pub(super) async fn run(job: Job, action: AuditAction) -> Result<Value, Refusal> {
    match action {
        AuditAction::List => list(&job).await,
        AuditAction::One => one(&job).await,
    }
}

async fn list(job: &Job) -> Result<Value, Refusal> {
    let asked = AuditQuery {
        changed_by: job.param("changed_by"),
        api_key: job.param("changed_by_api_key"),
        action: job.param("action"),
        table_name: job.param("table_name"),
        object_id: job.param("object_id"),
        from: days::moment(job, "start_date", false)?,
        to: days::moment(job, "end_date", true)?,
        order: query::order(job.query.as_deref())?,
        page: PageRequest { page: number(job, "page", 1)?, size: number(job, "page_size", 10)?.min(MOST) },
    };
    let page = job.db.audit_rows(&asked).await?;
    Ok(json!({
        "audit_logs": page.items.iter().map(row).collect::<Vec<_>>(),
        "total": page.total,
        "page": page.page,
        "page_size": page.size,
        "total_pages": page.pages(),
    }))
}

async fn one(job: &Job) -> Result<Value, Refusal> {
    let id = job.named.as_deref().unwrap_or_default();
    let found = job.db.audit_row(id).await?;
    found.as_ref().map(row).ok_or_else(|| {
        let detail = json!({ "message": format!("Audit log with ID {id} not found") });
        Refusal::Detail(StatusCode::NOT_FOUND, detail)
    })
}

/// A row by LiteLLM's names, and what ours has more: its place in the chain, and where the change came from.
fn row(row: &AuditRow) -> Value {
    json!({
        "id": row.id,
        "updated_at": view::time(Some(row.actor.at)),
        "changed_by": row.actor.changed_by,
        "changed_by_api_key": row.actor.api_key,
        "action": row.action,
        "table_name": row.table_name,
        "object_id": row.object_id,
        "before_value": row.before,
        "updated_values": row.after,
        "acting_user_id": row.actor.user,
        "requester_ip_address": row.actor.address,
        "sequence": row.seq,
        "previous_hash": row.previous,
        "hash": row.hash,
    })
}

fn number(job: &Job, name: &str, usual: u64) -> Result<u64, Refusal> {
    let Some(text) = job.param(name) else { return Ok(usual) };
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| {
        let message = "Input should be a whole number greater than 0";
        Refusal::Fields(vec![Refusal::field("int_parsing", name, message, &Value::from(text))])
    })
}
