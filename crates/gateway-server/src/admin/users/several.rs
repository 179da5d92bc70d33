//! `/user/bulk_update`: several users, or all, each changed or not by itself (surface §3.6).

use gateway_db::{Change, JsonMap, ScopeKind, ScopeQuery};
use http::StatusCode;
use serde_json::{Value, json};

use super::super::fields::Fields;
use super::super::job::Job;
use super::super::refusal::Refusal;
use super::change;

/// The most users that one request names.
const MOST: usize = 500;

/// Changes users.
pub(super) async fn update(job: &Job) -> Result<Value, Refusal> {
    let wanted = wanted(job).await?;
    let (mut results, mut good) = (Vec::with_capacity(wanted.len()), 0_usize);
    for one in &wanted {
        let named = |name: &str| one.get(name).cloned().unwrap_or(Value::Null);
        let mut told = json!({ "user_id": named("user_id"), "user_email": named("user_email") });
        let done = match Fields::read(Value::Object(one.clone()).to_string().as_bytes()) {
            Ok(fields) => change(job, fields).await,
            Err(refusal) => Err(refusal),
        };
        told["success"] = done.is_ok().into();
        match done {
            Ok((id, row)) => {
                good += 1;
                told["user_id"] = id.into();
                told["updated_user"] = row;
            }
            Err(refusal) => told["error"] = refusal.reason().into(),
        }
        results.push(told);
    }
    Ok(json!({
        "results": results,
        "total_requested": wanted.len(),
        "successful_updates": good,
        "failed_updates": wanted.len() - good,
    }))
}

/// The change of each user: its own (`users`), or one for all (`all_users`, `user_updates`).
async fn wanted(job: &Job) -> Result<Vec<JsonMap>, Refusal> {
    let mut fields = job.fields()?;
    let (users, all) = (fields.any("users"), fields.flag("all_users") == Change::Set(true));
    let updates = fields.map("user_updates");
    fields.finish()?;
    match (users, all, updates) {
        (None, true, Change::Set(updates)) => {
            let users = job.db.list_scopes(&ScopeQuery::of(ScopeKind::User)).await?.items;
            let change = |id: String| {
                let mut change = updates.clone();
                change.insert("user_id".to_owned(), id.into());
                change
            };
            Ok(users.into_iter().map(|user| change(user.id.id)).collect())
        }
        (Some(Value::Array(users)), false, _) if users.len() > MOST => {
            let message = format!("Maximum {MOST} users can be updated at once, found {}", users.len());
            Err(Refusal::detail(StatusCode::BAD_REQUEST, message))
        }
        (Some(Value::Array(users)), false, _) if users.iter().all(Value::is_object) => {
            Ok(users.into_iter().filter_map(|user| user.as_object().cloned()).collect())
        }
        _ => {
            let message = "Must specify either `users`, a list of objects with a `user_id` or `user_email` each, or \
                           `all_users: true` with `user_updates`";
            Err(Refusal::detail(StatusCode::BAD_REQUEST, message))
        }
    }
}
