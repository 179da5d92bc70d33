//! `/management/v1/users/*`: many users at once; and users that are looked for.

use std::collections::HashSet;

use gateway_db::{Change, ScopeId, ScopeKind, ScopeQuery};
use serde_json::{Value, json};

use super::super::fields::Fields;
use super::super::job::Job;
use super::super::refusal::Refusal;
use super::super::teams::{page, teams_of};
use super::{make, remove, teams_named};
use crate::walk::{Caller, Role};

/// The most users that one request names.
const MOST: usize = 500;

/// `/management/v1/users/bulk`: each is made or refused by itself; a key comes with those alone that want one.
pub(super) async fn new(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let given = fields.any("users").unwrap_or(Value::Null);
    fields.nothing_else()?;
    let list = listed("users", &given, Value::is_object)?;
    let (mut rows, mut made) = (Vec::with_capacity(list.len()), 0_usize);
    for one in list {
        let done = new_one(job, one).await;
        made += usize::from(done.is_ok());
        let (row, error) = match done {
            Ok(row) => (row, None),
            Err(refusal) => (one.clone(), Some(refusal.reason())),
        };
        let named = |name: &str| row.get(name).cloned().unwrap_or(Value::Null);
        rows.push(json!({
            "user_id": named("user_id"),
            "user_email": named("user_email"),
            "success": error.is_none(),
            "teams": if error.is_none() { named("teams") } else { Value::Null },
            "key": if error.is_none() { named("key") } else { Value::Null },
            "error": error,
        }));
    }
    let meta = json!({ "total_requested": list.len(), "created": made, "failed": list.len() - made });
    Ok(json!({ "data": rows, "meta": meta }))
}

async fn new_one(job: &Job, said: &Value) -> Result<Value, Refusal> {
    let mut fields = Fields::read(said.to_string().as_bytes())?;
    if fields.flag("send_invite_email") == Change::Set(true) {
        return Err(refused("send_invite_email", "is not supported here: invite users by /invitation/new"));
    }
    let with_key = fields.flag("auto_create_key") == Change::Set(true);
    fields.put("auto_create_key", json!(with_key));
    let teams = fields.any("teams");
    for team in teams_named(teams.clone())? {
        if job.db.scope(&ScopeId::new(ScopeKind::Team, &team)).await?.is_none() {
            return Err(refused("teams", &format!("Team {team} does not exist")));
        }
    }
    if let Some(teams) = teams {
        fields.put("teams", teams);
    }
    make(job, fields).await
}

fn refused(field: &str, message: &str) -> Refusal {
    Refusal::Fields(vec![Refusal::field("value_error", field, message, &Value::Null)])
}

/// A list of one entry and more, none of another type.
fn listed<'v>(name: &str, given: &'v Value, is_right: fn(&Value) -> bool) -> Result<&'v Vec<Value>, Refusal> {
    let list = given.as_array().filter(|list| (1..=MOST).contains(&list.len()) && list.iter().all(is_right));
    list.ok_or_else(|| {
        let message = format!("Input should be a list of 1 to {MOST} {name}");
        Refusal::Fields(vec![Refusal::field("list_type", name, &message, given)])
    })
}

/// `/management/v1/users/bulk_delete`: those that are there go together.
pub(super) async fn delete(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let given = fields.any("user_ids").unwrap_or(Value::Null);
    fields.nothing_else()?;
    let (mut gone, mut rows) = (Vec::new(), Vec::new());
    for id in listed("user_ids", &given, Value::is_string)?.iter().filter_map(Value::as_str) {
        let found = job.db.scope(&ScopeId::new(ScopeKind::User, id)).await?;
        let error = match &found {
            None => Some(format!("User not found, passed user_id={id}")),
            Some(_) if gone.iter().any(|other| other == id) => {
                Some("an earlier row names the same user".to_owned())
            }
            Some(_) => None,
        };
        let teams = if error.is_none() { teams_of(job, id).await? } else { Vec::new() };
        rows.push(json!({
            "user_id": id,
            "user_email": found.and_then(|user| user.settings.email),
            "success": error.is_none(),
            "teams_removed": teams,
            "error": error,
        }));
        if rows.last().is_some_and(|row| row["success"] == json!(true)) {
            gone.push(id.to_owned());
        }
    }
    remove(job, &gone).await?;
    Ok(json!({ "data": rows }))
}

/// `/user/filter/ui`: users by a part of their id or mail address, for who picks one. Who is no administrator sees
/// those they share a team with.
pub(super) async fn filtered(job: &Job) -> Result<Value, Refusal> {
    let mut query = ScopeQuery::of(ScopeKind::User);
    query.search = job.param("user_email").or_else(|| job.param("user_id"));
    query.page = page(job);
    if job.caller.role() == Role::Other {
        query.ids = acquainted(job).await?;
        if query.ids.is_empty() {
            return Ok(json!([]));
        }
    }
    let found = job.db.list_scopes(&query).await?.items;
    let row = |user: &gateway_db::ScopeRecord| {
        let set = &user.settings;
        json!({ "user_id": user.id.id, "user_email": set.email, "user_alias": set.alias, "user_role": set.role })
    };
    Ok(found.iter().map(row).collect())
}

/// The caller's user, and everybody in a team with it.
async fn acquainted(job: &Job) -> Result<Vec<String>, Refusal> {
    let Caller::Key(entry) = &job.caller else { return Ok(Vec::new()) };
    let Some(own) = entry.record.settings.user_id.clone() else { return Ok(Vec::new()) };
    let mut known = HashSet::new();
    for team in teams_of(job, &own).await? {
        known.extend(job.members(ScopeKind::TeamMember, &team).await?.into_iter().map(|it| it.id.member));
    }
    known.insert(own);
    Ok(known.into_iter().collect())
}

/// `/user/available_users`: how many there are. There may be any number.
pub(super) async fn counted(job: &Job) -> Result<Value, Refusal> {
    let mut counts = [0, 0];
    for (count, kind) in counts.iter_mut().zip([ScopeKind::User, ScopeKind::Team]) {
        let page = gateway_db::PageRequest { page: 1, size: 1 };
        *count = job.db.list_scopes(&ScopeQuery { page, ..ScopeQuery::of(kind) }).await?.total;
    }
    let [users, teams] = counts;
    Ok(json!({
        "total_users": null,
        "total_teams": null,
        "total_users_used": users,
        "total_teams_used": teams,
        "total_users_remaining": null,
        "total_teams_remaining": null,
    }))
}
